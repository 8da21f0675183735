"""What a worker process polls, and how much it takes on."""

from __future__ import annotations

from pathlib import Path

import pytest

from client.settings import Settings
from client.tuning import SLOW, Tuning, slots
from client.usage import UsageError
from ledger.server import CONNECTIONS
from phasegate.queues import KINDS, Kind
from worker import WorkerOptions

HERE = Settings(Path("/nowhere"), "sqlite:////nowhere/ledger.db", "main", "http://x")


@pytest.mark.parametrize(
    ("options", "queues"),
    [
        (WorkerOptions(), ["main", "main-checks", "main-outgoing", "main-retirement"]),
        (WorkerOptions(task_queue="q", only=("outgoing", "workflows")), ["q", "q-outgoing"]),
        (WorkerOptions(only=("retirement",)), ["main-retirement"]),
        (WorkerOptions(task_queue="acts", only=("retirement",)), ["acts"]),
        (
            WorkerOptions(task_queue="q", only=("checks", "retirement")),
            ["q-checks", "q-retirement"],
        ),
    ],
)
def test_the_queues_of_a_worker(options: WorkerOptions, queues: list[str]) -> None:
    assert list(options.queues(HERE).values()) == queues


@pytest.mark.parametrize(
    "env",
    [
        {"PHASEGATE_MEMORY_TARGET": "80"},
        {"PHASEGATE_MEMORY_TARGET": "0"},
        {"PHASEGATE_CPU_TARGET": "nan"},
        {"PHASEGATE_CPU_TARGET": "much"},
        {"PHASEGATE_CACHED_WORKFLOWS": "0"},
        {"PHASEGATE_CACHED_WORKFLOWS": "-3"},
        {"PHASEGATE_CACHED_WORKFLOWS": "1e3"},
    ],
)
def test_what_no_worker_can_be_tuned_to_is_refused(env: dict[str, str]) -> None:
    ((name, value),) = env.items()
    with pytest.raises(UsageError, match=rf"\({name}\) cannot be {value}") as error:
        Tuning.load(env)
    option = name.removeprefix("PHASEGATE_").lower().replace("_", "-")
    assert error.value.hint.startswith(f"phasegate worker run --{option} ")


def test_tuning_by_the_environment() -> None:
    env = {"PHASEGATE_MEMORY_TARGET": "0.5", "PHASEGATE_CACHED_WORKFLOWS": "50"}
    assert Tuning.load(env) == Tuning(0.5, None, 50)
    assert Tuning.load({"PHASEGATE_CPU_TARGET": ""}) == Tuning()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("tuning", [Tuning(), Tuning(memory_target=0.8), Tuning(cpu_target=0.5)])
def test_nothing_is_taken_that_finds_no_connection(tuning: Tuning, kind: Kind) -> None:
    most = tuning.tuner(kind)._get_activities_max()
    assert most == slots(kind) == (CONNECTIONS if kind == "workflows" else SLOW)
