"""A worker as those see it who watch: a real one, its metrics, its traces, its log, its health.

One life is played for all of it: a vote from the command line, refusals, a receiver that takes
events and one that takes none, a milestone that cannot be told.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import httpx2
import prometheus
import pytest
from board import RULES, panels
from collector import Collector, Span, collecting
from parting import Leaving
from processes import WorkerProcess, worker_process
from prometheus import Prometheus
from receiver import SECRET, Receiver, receiving
from served import Served, serving
from stage import POLICY, Stage

from client.dev_server import dev_server, free_port
from client.engine import Engine
from client.listening import Address
from client.settings import Settings
from client.standing import Standing
from client.usage import UsageError
from phasegate.ids import gate_id
from phasegate.measures import MEASURES

ROOT = Path(__file__).parents[2]
KEY = "seen"

T = TypeVar("T")


@dataclass
class World:
    """What runs, and what it left."""

    stage: Stage
    worker: WorkerProcess
    receiver: Receiver
    collector: Collector
    metrics: int
    health: int
    served: Served
    prometheus: Prometheus | None

    async def page(self) -> list[tuple[str, dict[str, str], float]]:
        return prometheus.samples((await got(self.metrics, "/metrics")).text)

    async def value(self, name: str, **labels: str) -> float:
        """The sum of what matches."""
        return sum(
            value
            for found, has, value in await self.page()
            if found == name and labels.items() <= has.items()
        )

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.worker.log.splitlines()]


async def got(port: int, path: str) -> httpx2.Response:
    async with httpx2.AsyncClient(timeout=60, trust_env=False) as http:
        return await http.get(f"http://127.0.0.1:{port}{path}")


async def until(probe: Callable[[], Awaitable[T | None]], what: str) -> T:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if (found := await probe()) is not None:
            return found
        await asyncio.sleep(0.1)
    raise AssertionError(f"not within 60 s: {what}")


async def phasegate(*words: str, **env: str) -> tuple[int, str]:
    """The command line, as a process of its own."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "cli", *words),
        cwd=ROOT,
        env={**os.environ, **env},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    return process.returncode or 0, said.decode()


@pytest.fixture(scope="module")
def outside() -> Iterator[tuple[Receiver, Collector]]:
    with receiving() as receiver, collecting() as collector:
        yield receiver, collector


@pytest.fixture(scope="module")
async def world(
    tmp_path_factory: pytest.TempPathFactory, outside: tuple[Receiver, Collector]
) -> AsyncIterator[World]:
    folder = tmp_path_factory.mktemp("seen")
    receiver, collector = outside
    (folder / "told.yaml").write_text(
        f"subscribers:\n"
        f"  crm: {{url: '{receiver.url}', secret: {{env: CRM_KEY}}}}\n"
        f"  dead: {{url: 'http://127.0.0.1:1/in', secret: {{env: CRM_KEY}}}}\n"
    )
    metrics, health = free_port(), free_port()
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(
            dev_server(
                database=folder / "temporal.db",
                port=free_port(),
                ui_port=None,
                log=folder / "server.log",
            )
        )
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        patch.setenv("TEMPORAL_ADDRESS", server.address)
        patch.setenv("PHASEGATE_DATA_DIR", str(folder))
        patch.setenv("PHASEGATE_INTEGRATIONS", str(folder / "told.yaml"))
        patch.setenv("CRM_KEY", SECRET)
        patch.setenv("PHASEGATE_METRICS_EVERY", "1 second")
        traced = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "OTEL_BSP_SCHEDULE_DELAY": "100"}
        worker = await stack.enter_async_context(
            worker_process("--metrics", f"{metrics}", "--health", f"127.0.0.1:{health}", **traced)
        )
        served = await stack.enter_async_context(
            serving(folder, PHASEGATE_METRICS=str(other := free_port()), **traced)
        )
        scraping = None
        if prometheus.found():
            targets = [f"127.0.0.1:{port}" for port in (metrics, other)]
            scraping = await stack.enter_async_context(
                prometheus.prometheus(folder, targets, [RULES])
            )
        settings = Settings.load()
        engine = await Engine.connect(settings)
        stage = Stage(engine, KEY)
        yield World(stage, worker, receiver, collector, metrics, health, served, scraping)
        engine.ledger.close()


CHECKED = POLICY.replace(
    "title: Launch, requires", "title: Launch, opens: submit, requires"
).replace(
    "{id: done, title: Feature complete}",
    "{id: done, title: Feature complete}, {id: told, title: Told, "
    "check: {kind: http, url: 'http://127.0.0.1:1/x', expression: 'true', every: 1 hour}}",
)


async def untold(stage: Stage) -> bool | None:
    return True if "milestone.cannot-tell" in stage.story() else None


@pytest.fixture(scope="module")
async def life(world: World) -> World:
    """What is seen afterwards. The gate opens when both milestones are settled."""
    stage = world.stage
    await stage.start(policy=CHECKED)
    await stage.becomes(phase="build")
    await stage.submit("launch")
    await stage.gate_opens("launch")
    await stage.until(partial(untold, stage), "the check has failed")  # nobody asks in the market
    assert await stage.refused(stage.vote("launch", "olga", "go")) == "self-approval"
    assert await stage.refused(stage.vote("launch", "ana", "go", revision="r0")) == "stale-revision"
    code, said = await phasegate(
        *("gate", "vote", f"{KEY}/launch", "go", "--as", "ana", "--comment", "well done"),
        OTEL_TRACES_EXPORTER="otlp",
        OTEL_EXPORTER_OTLP_ENDPOINT=world.collector.url,
    )
    assert code == 0, said
    await stage.votes("launch", "go", "bo", "cy")
    await stage.becomes(phase="market")
    await stage.written()
    stranger = await world.served.post("github", {}, b"{}")
    assert stranger.status_code == 401
    return world


# -- metrics --------------------------------------------------------------------------------------


async def test_what_happened_is_counted(life: World) -> None:
    async def delivered() -> bool | None:
        sent = await life.value("phasegate_deliveries_total", receiver="subscriber/crm")
        refused = await life.value(
            "phasegate_deliveries_total", receiver="subscriber/dead", result="refused"
        )
        return True if sent and refused else None

    await until(delivered, "both receivers were tried")
    assert await life.value("phasegate_votes_total", vote="go", in_time="yes") == 3
    assert await life.value("phasegate_vote_latency_seconds_count", vote="go") == 3
    assert await life.value("phasegate_decisions_total", outcome="go") == 1
    assert await life.value("phasegate_round_duration_seconds_count", outcome="go") == 1
    assert await life.value("phasegate_refusals_total", code="self-approval", kind="forbidden") == 1
    assert await life.value("phasegate_refusals_total", code="stale-revision", kind="rejected") == 1
    assert await life.value("phasegate_update_handling_seconds_count", update="vote") == 4
    written = len(life.stage.story())
    assert await life.value("phasegate_announced_total") == written
    assert await life.value("phasegate_ledger_lag_seconds_count") == written
    assert await life.value("phasegate_milestone_checks_total", kind="http", result="cannot-tell")


async def test_gauges_are_of_the_whole_portfolio_and_name_nobody(life: World) -> None:
    # Any worker can be asked, and one that starts asks at once.
    port = free_port()
    async with worker_process("--metrics", str(port), "--only", "outgoing"):

        async def asked() -> dict[str, float] | None:
            found = {
                f"{name}{sorted(labels.items())}": value
                for name, labels, value in prometheus.samples((await got(port, "/metrics")).text)
                if labels.pop("service_name") and labels.pop("namespace", "")
            }
            ready = all(
                found.get(f"phasegate_asked_timestamp_seconds[('of', '{whom}')]")
                for whom in ("ledger", "temporal")
            )
            # What Temporal lists comes a moment later.
            counted = [
                found.get(f"phasegate_{what}]")
                for what in ("products[('status', 'active')", "gates[('status', 'open')")
            ]
            told = [
                found.get("phasegate_ledger_entries[]") == len(life.stage.story()),
                found.get("phasegate_couriers_failing[('receiver', 'subscriber/dead')]") == 1,
            ]
            return found if ready and counted == [1, 0] and all(told) else None

        found = await until(asked, "the portfolio is counted")
    assert found["phasegate_ledger_entries[]"] == len(life.stage.story())
    assert found["phasegate_couriers_failing[('receiver', 'subscriber/dead')]"] == 1
    assert found["phasegate_couriers_failing[('receiver', 'subscriber/crm')]"] == 0
    assert found["phasegate_dead_letters[('receiver', 'subscriber/dead')]"] == 0
    known = {value for _, labels, _ in await life.page() for value in labels.values()}
    assert not known & {KEY, "ana", "olga", "bo", "cy", "well done", "The seen"}


async def test_every_metric_has_the_name_type_and_labels_of_the_table(life: World) -> None:
    ours = {m.exported: m for m in MEASURES}
    # These take a sunset, and a `phasegate serve`.
    others = {"phasegate_acts_total", "phasegate_served_total"}

    async def shown() -> dict[str, str] | None:
        page = (await got(life.metrics, "/metrics")).text
        seen = {line.split()[2]: line.split()[3] for line in page.splitlines() if "# TYPE" in line}
        return seen if ours.keys() - seen.keys() <= others else None

    seen = await until(shown, "the ledger was asked after the receivers were known")
    kinds = {"counter": "counter", "gauge": "gauge", "duration": "histogram"}
    assert {name for name in seen if name.startswith("phasegate_")} <= ours.keys()
    assert ours.keys() - seen.keys() == others
    everywhere = {"service_name", "namespace", "task_queue", "workflow_type", "activity_type", "le"}
    for name, measure in ours.items():
        if name in seen:
            assert seen[name] == kinds[measure.kind], name
    for name, labels, _ in await life.page():
        found = [m for m in MEASURES if name.startswith(m.exported)]
        for measure in found[:1]:
            allowed = set(max(found, key=lambda m: len(m.exported)).labels) | everywhere
            assert labels.keys() <= allowed, (name, measure)


async def test_the_sdk_counts_in_seconds(life: World) -> None:
    names = {name for name, _, _ in await life.page()}
    assert "temporal_workflow_task_execution_latency_seconds_bucket" in names
    assert "temporal_activity_schedule_to_start_latency_seconds_bucket" in names
    assert "temporal_request_total" in names


async def test_a_port_that_is_taken_is_said(life: World) -> None:
    code, said = await phasegate("worker", "run", "--metrics", f"127.0.0.1:{life.metrics}")
    assert code == 2, said
    assert f"cannot listen at 127.0.0.1:{life.metrics}" in said
    assert f"phasegate worker run --help  # --metrics 127.0.0.1:{life.metrics + 1}" in said
    with pytest.raises(UsageError, match=f"cannot listen at 127.0.0.1:{life.health}"):
        async with Standing().serving(Address("127.0.0.1", life.health)):
            pass


# -- traces ---------------------------------------------------------------------------------------


async def test_a_vote_is_followed_from_the_command_to_the_receiver(life: World) -> None:
    def told() -> list[str]:
        votes = [r for r in life.receiver.taken if r.event["type"] == "phasegate.gate.vote"]
        return [
            r.headers.get("traceparent", "") for r in votes if r.event["data"]["actor"] == "ana"
        ]

    async def all_there() -> list[Span] | None:
        root = next((s for s in life.collector.spans if s.name == "phasegate gate vote"), None)
        spans = life.collector.of(root.trace) if root else []
        ends = {s.name for s in spans if not s.failed}
        wanted = {"ask vote", "handle vote", "announce gate.vote", "deliver gate.vote"}
        return spans if wanted <= ends and told() else None

    spans = {(s.service, s.name): s for s in await until(all_there, "the receiver has it")}
    root = spans["phasegate", "phasegate gate vote"]
    asked = spans["phasegate", "ask vote"]
    handled = spans["phasegate-worker", "handle vote"]
    announced = spans["phasegate-worker", "announce gate.vote"]
    assert asked.parent == root.id
    assert root.parent == ""
    assert handled.parent == announced.parent == asked.id
    assert asked.about["temporalWorkflowID"] == gate_id(KEY, "launch")
    assert handled.about["phasegate.workflow"] == "GateReview"
    assert handled.nanoseconds > 0
    delivered = [s for s in life.collector.of(root.trace) if s.name == "deliver gate.vote"]
    to = {s.about["receiver"]: s for s in delivered}
    assert to["subscriber/crm"].parent == asked.id
    assert [t.rpartition("-")[0] for t in told()] == [f"00-{root.trace}-{to['subscriber/crm'].id}"]


async def test_the_record_and_the_event_name_the_trace(life: World) -> None:
    votes = life.stage.engine.ledger.events(KEY, types=("gate.vote",))
    traced = {e.announcement.actor: e.announcement.traceparent for e in votes}
    assert traced["bo"] == traced["cy"] == ""  # their clients trace nothing
    assert '"traceparent"' not in next(e.body for e in votes if e.announcement.actor == "bo")
    event = next(r for r in life.receiver.taken if r.event.get("traceparent"))
    assert event.event["traceparent"] == traced["ana"]
    assert life.stage.engine.ledger.verify(KEY)


async def test_spans_have_no_words_of_people(life: World) -> None:
    sent = b"".join(life.collector.raw)
    assert sent
    for word in (b"well done", b"ana", b"olga", b"The seen"):
        assert word not in sent, word


async def test_a_collector_that_is_dead_holds_up_no_command(life: World) -> None:
    code, said = await phasegate(
        *("product", "show", KEY, "-o", "json"), OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:1"
    )
    assert code == 0, said
    assert json.loads(said)["key"] == KEY


# -- the log --------------------------------------------------------------------------------------


async def test_lines_say_which_product_gate_workflow_and_run(life: World) -> None:
    refused = [line for line in life.lines if line["event"] == "refused"]
    announced = [line for line in life.lines if line.get("type") == "gate.vote"]
    assert {line["code"] for line in refused} >= {"stale-revision"}
    for line in (*refused, *announced):
        assert line["product"] == KEY
        assert line["gate"] == "launch"
        assert line["workflow_id"] == gate_id(KEY, "launch")
        assert len(line["run_id"]) == 36
        assert "temporal_workflow" not in line
    assert {line["workflow"] for line in refused} == {"GateReview"}
    assert {line["activity"] for line in announced} == {"announce"}
    assert {line["attempt"] for line in announced} == {1}


# -- the dashboard --------------------------------------------------------------------------------

BY_NATURE = {
    "Workflow tasks that fail": "no workflow stands still here",
}
"""Panels whose metrics are not there in a life without faults, beside the faults of this one: a
receiver that takes nothing, a milestone that cannot be told, requests that are refused, an act that
fails."""


@pytest.mark.skipif(not prometheus.found(), reason=prometheus.WHY_NOT)
async def test_every_panel_of_the_dashboard_has_data(life: World) -> None:
    assert life.prometheus is not None
    for name in ("a", "b", "c"):  # several of all that happens, at different times
        again = Stage(life.stage.engine, f"{KEY}-{name}")
        await again.start(policy=CHECKED)
        await again.becomes(phase="build")
        await again.submit("launch")
        await again.gate_opens("launch")
        assert await again.refused(again.vote("launch", "olga", "go")) == "self-approval"
        late = again.vote("launch", "ana", "go", revision="r0")
        assert await again.refused(late) == "stale-revision"
        await again.votes("launch", "go", "ana", "bo", "cy")
        await again.becomes(phase="market")
        await life.served.post("github", {}, b"{}")

    leaving = Leaving(life.stage.engine, f"{KEY}-leaves")
    await leaving.leave(
        "    - {id: off, title: Off, kind: http, by: eng, url: 'http://127.0.0.1:1/off'}\n"
    )

    asked = dict.fromkeys(panels())

    async def full() -> bool | None:
        for query in list(asked):
            assert life.prometheus is not None
            answer = await life.prometheus.ask(query.filled("10m"))
            if any(series["value"][1] != "NaN" for series in answer):
                del asked[query]
        return True if {query.title for query in asked} <= BY_NATURE.keys() else None

    try:
        await until(full, "every panel has data")
    except AssertionError:
        assert [query for query in asked if query.title not in BY_NATURE] == []


# -- health: last, since the worker leaves --------------------------------------------------------


async def test_ready_while_all_it_needs_is_there_and_alive_without(life: World) -> None:
    async def ready() -> httpx2.Response | None:
        answer = await got(life.health, "/readyz")
        return answer if answer.status_code == 200 else None

    # What is asked has a few seconds to answer in.
    assert (await until(ready, "it is ready")).json() == {
        "ready": True,
        "temporal": "ok",
        "polling": "ok",
        "ledger": "ok",
    }
    assert (await got(life.health, "/healthz")).json() == {"ok": True}
    assert (await got(life.health, "/metrics")).status_code == 404


async def test_it_is_not_ready_as_soon_as_it_is_to_stop(life: World) -> None:
    life.worker.send_signal(signal.SIGTERM)
    said = []
    while life.worker.returncode is None:
        try:
            said.append((await got(life.health, "/readyz")).json())
        except httpx2.HTTPError:
            break
    assert await life.worker.wait() == 0
    ready = [answer["ready"] for answer in said]
    assert ready == sorted(ready, reverse=True)  # and never ready again
