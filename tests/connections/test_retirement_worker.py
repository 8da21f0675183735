"""Acts of a sunset, carried out by a worker that does nothing else and alone has their secret."""

from __future__ import annotations

import json
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from parting import Leaving, no_return
from temporalio.api.enums.v1 import TaskQueueType
from tracker import Tracker, serving

from client.engine import Engine
from client.polling import pollers
from client.settings import Settings
from tests.cli.shell import Shell, running

TOKEN = "token-of-the-console"
WORKFLOWS = TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW

DESTROY = """
    - {id: destroy, title: Destroy, kind: http, effect: deletion, by: eng, connection: console,
       path: "/data/{product}", method: DELETE}
"""


@pytest.fixture
async def leaving(plain: Shell, monkeypatch: pytest.MonkeyPatch) -> Any:
    for name, value in plain.environment.items():
        monkeypatch.setenv(name, value)
    engine = await Engine.connect(Settings.load())
    play = Leaving(engine, "secretive")
    play.also = "task_queue: retirement"
    yield play
    engine.ledger.close()


def the_check(shell: Shell, name: str) -> dict[str, Any]:
    """What doctor says of this, once the server has answered it in time."""
    found: list[dict[str, Any]] = []

    def said() -> bool:
        checks = shell("doctor", "-o", "json").json["checks"]
        found.extend(check for check in checks if check["check"] == name)
        return bool(found)

    shell.until(said)
    return found[0]


async def polls(leaving: Leaving) -> bool | None:
    """Whether a worker takes workflows: no question waits for as long as one may need to start."""
    engine = leaving.engine
    return True if await pollers(engine.client, engine.settings.task_queue, WORKFLOWS) else None


async def test_only_the_worker_for_retirement_has_the_secret_and_acts(
    leaving: Leaving, plain: Shell, tmp_path: Path
) -> None:
    with ExitStack() as stack:
        console: Tracker = stack.enter_context(serving())
        stack.enter_context(running(plain.spawn("worker", "run")))
        await leaving.until(lambda: polls(leaving), "the worker polls")
        await leaving.leave(no_return(), DESTROY)
        await leaving.gate_opens("off")
        await leaving.vote("off", "bo", "go")
        await leaving.task_is("destroy", "running")
        doctor = the_check(plain, "retirement")
        assert doctor["state"] == "warn"
        assert "retirement (policy secretive)" in doctor["what"]
        mend = "phasegate worker run --only retirement --task-queue retirement"
        assert doctor["mend"] == mend
        assert console.calls == []

        console.status = 500
        secrets = tmp_path / "integrations.yaml"
        found = {"console": {"url": console.url, "token": {"env": "CONSOLE_TOKEN"}}}
        secrets.write_text(json.dumps({"connections": found}))
        env = {"PHASEGATE_INTEGRATIONS": str(secrets), "CONSOLE_TOKEN": TOKEN}
        worker = stack.enter_context(running(plain.spawn(*mend.split()[1:], **env)))
        await leaving.task_is("destroy", "unknown")
        assert the_check(plain, "retirement")["state"] == "ok"
        assert await pollers(leaving.engine.client, "retirement", WORKFLOWS) == []

        console.status = 200  # a person finds that nothing was destroyed: it is tried once more
        await leaving.confirmed("destroy", "bo", outcome="not-done")
        await leaving.becomes(status="retired")
        calls = [(method, path) for method, path, _ in console.calls]
        assert calls == [("DELETE", "/data/secretive")] * 2
        assert console.tokens == [f"Bearer {TOKEN}"] * 2
        worker.terminate()
        _, log = worker.communicate(timeout=90)
    assert (worker.returncode, TOKEN in log) == (0, False)


def test_it_does_not_take_the_queue_where_products_run(shell: Shell) -> None:
    result = shell("worker", "run", "--only", "retirement", "--task-queue", "phasegate")
    assert result.code == 2
    assert "needs a task queue of its own" in result.err
    assert "hint: phasegate worker run --only retirement --task-queue" in result.err
