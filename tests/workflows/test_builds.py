"""Lifecycles outlive builds: what one build began, another may carry on, and each run is replayed
by the code that made it."""

from __future__ import annotations

import asyncio
import os
import shlex
import shutil
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from processes import ROOT, WorkerProcess, worker_process
from stage import WAIT, Stage
from temporalio.api.enums.v1 import EventType, RoutingConfigUpdateState
from temporalio.api.workflowservice.v1 import (
    DescribeWorkerDeploymentRequest,
    SetWorkerDeploymentCurrentVersionRequest,
)
from temporalio.client import WorkflowHistory
from temporalio.service import RPCError, RPCStatusCode

from client.checkup import Check
from client.dev_server import DevServer, dev_server, find_temporal, free_port
from client.engine import Engine
from client.settings import Settings
from client.versioning import Build
from client.versions_health import examine_versions
from phasegate.ids import gate_id, product_id, sunset_id
from worker import WorkerOptions, build_worker

# Three workers begin, and three replay: imports, mostly.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

NAME = "builds"
"""Of the deployment, and of the task queue."""

CHANGES: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "A": {},
    "B": {"product_lifecycle.py": ("self.watch.start()", "await workflow.sleep(0.01)")},
    "C": {
        "product_lifecycle.py": ("await self._live()", "await workflow.sleep(0.01)"),
        "gate_review.py": ("await self.convene()", "await workflow.sleep(0.01)"),
        "sunset.py": ("await self._plan()", "await workflow.sleep(0.01)"),
    },
}
"""What a build does before such a line of ours: a command that no other build gives there."""

REPLAY = """
import asyncio, sys
from pathlib import Path
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer
from client.plugin import phasegate_plugin

async def main():
    replayer = Replayer(workflows=[], plugins=[phasegate_plugin()])
    for path in map(Path, sys.argv[1:]):
        history = WorkflowHistory.from_json(path.stem, path.read_text())
        found = await replayer.replay_workflow(history, raise_on_replay_failure=False)
        print("it", "differs" if found.replay_failure else "replays")

asyncio.run(main())
"""


@dataclass
class Works:
    """Builds of phasegate, and a worker of each."""

    engine: Engine
    folder: Path
    stack: AsyncExitStack
    workers: dict[str, WorkerProcess] = field(default_factory=dict)

    def code(self, build: str) -> dict[str, str]:
        """The environment of a process with the code of a build: ours, with workflows changed."""
        tree = self.folder / build
        if not tree.exists():
            ours = ROOT / "workflows"
            shutil.copytree(ours, tree / "workflows", ignore=shutil.ignore_patterns("__pycache__"))
            for name, (line, before) in CHANGES[build].items():
                lines = (ours / name).read_text().splitlines(keepends=True)
                (at,) = [n for n, code in enumerate(lines) if code.strip() == line]
                lines.insert(at, lines[at].replace(line, before))
                (tree / "workflows" / name).write_text("".join(lines))
        return {"PYTHONPATH": f"{tree}{os.pathsep}{ROOT}", "PYTHONSAFEPATH": "1"}

    async def begin(self, build: str) -> None:
        """Start a worker of the build."""
        names = ("--deployment", NAME, "--build-id", build)
        worker = worker_process(*names, **self.code(build))
        self.workers[build] = await self.stack.enter_async_context(worker)

    async def make_current(self, build: str) -> None:
        """Once the server knows it, and until its task queues do."""
        service, namespace = self.engine.client.workflow_service, self.engine.client.namespace
        current = SetWorkerDeploymentCurrentVersionRequest(
            namespace=namespace, deployment_name=NAME, build_id=build
        )
        not_yet = (RPCStatusCode.NOT_FOUND, RPCStatusCode.FAILED_PRECONDITION)
        described = DescribeWorkerDeploymentRequest(namespace=namespace, deployment_name=NAME)
        done = RoutingConfigUpdateState.ROUTING_CONFIG_UPDATE_STATE_COMPLETED
        said, deadline = "", time.monotonic() + WAIT
        while time.monotonic() < deadline:
            try:
                if not said.startswith("set"):
                    await service.set_worker_deployment_current_version(current)
                found = (await service.describe_worker_deployment(described)).worker_deployment_info
                if found.routing_config_update_state == done:
                    return
                said = f"set, and not everywhere: {found.routing_config}"
            except RPCError as error:
                if error.status not in not_yet:
                    raise
                said = error.message
            await asyncio.sleep(0.1)
        worker = self.workers.get(build)
        raise AssertionError(f"{build} is not current: {said}; {worker and worker.log[-2000:]!r}")

    async def doctor(self, state: str, word: str = "") -> Check:
        """What it says of builds, once that is so: a worker polls a moment after it says so."""
        deadline = time.monotonic() + WAIT
        while time.monotonic() < deadline:
            found = await examine_versions(self.engine.client, self.engine.settings)
            if found and found.state == state and word in found.what:
                return found
            await asyncio.sleep(0.2)
        raise AssertionError(f"doctor says {found}")

    async def histories(self, workflow_id: str) -> list[WorkflowHistory]:
        """Its runs, the first one first."""
        found: list[WorkflowHistory] = []
        run_id: str | None = None
        while run_id != "":
            handle = self.engine.client.get_workflow_handle(workflow_id, run_id=run_id)
            history = await handle.fetch_history()
            found.insert(0, history)
            run_id = history.events[
                0
            ].workflow_execution_started_event_attributes.continued_execution_run_id
        return found

    async def builds(self, workflow_id: str) -> str:
        """The builds that carried out its runs, such as `A B B`."""
        return " ".join(build_of(history) for history in await self.histories(workflow_id))

    async def moved(self, stage: Stage, workflow_id: str, build: str) -> None:
        async def has() -> bool | None:
            return True if (await self.builds(workflow_id)).endswith(build) else None

        await stage.until(has, f"{workflow_id} goes on with {build}")

    async def replayed(self, build: str, histories: list[WorkflowHistory]) -> list[str]:
        """What a process with the code of the build says of each."""
        paths = []
        for number, history in enumerate(histories):
            path = self.folder / f"{build}-{number}.json"
            path.write_text(history.to_json())
            paths.append(str(path))
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", REPLAY, *paths),
            env={**os.environ, **self.code(build)},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        said, _ = await process.communicate()
        lines = said.decode().splitlines()  # the SDK says there, too, what differs
        return [line.removeprefix("it ") for line in lines if line.startswith("it ")]


def build_of(history: WorkflowHistory) -> str:
    """The one build that carried out a run."""
    done = EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED
    events = [event for event in history.events if event.event_type == done]
    found = {
        event.workflow_task_completed_event_attributes.deployment_version.build_id
        for event in events
    }
    assert len(found) <= 1, f"a run of {history.workflow_id} was carried out by {found}"
    return found.pop() if found else "-"


@pytest.fixture
async def works(
    server: DevServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Works]:
    monkeypatch.setenv("TEMPORAL_ADDRESS", server.address)
    monkeypatch.setenv("PHASEGATE_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("PHASEGATE_TASK_QUEUE", NAME)
    engine = await Engine.connect(Settings.load())
    async with AsyncExitStack() as stack:
        yield Works(engine, tmp_path, stack)
    engine.ledger.close()


async def test_a_life_from_build_to_build(works: Works) -> None:
    await works.begin("A")
    idle = await works.doctor("fail")
    assert "no build is current" in idle.what
    assert idle.mend == (
        "temporal worker deployment set-current-version --deployment-name builds --build-id A --yes"
    )
    await works.make_current("A")
    later = {each: asyncio.create_task(works.begin(each)) for each in "BC"}
    stage, held, waiting = (Stage(works.engine, key) for key in ("rolled", "held", "waiting"))
    for each in (stage, held, waiting):
        await each.start()
        await each.becomes(phase="build")
    for each in (stage, held):
        await each.report("done")
        await each.gate_opens("launch")
    await held.vote("launch", "bo", "go")
    await held.owner("hold", reason="reorganisation")

    gate, product = gate_id(stage.key, "launch"), product_id(stage.key)
    enough = asyncio.Event()
    votes = asyncio.create_task(_vote_on(stage, enough))
    await later["B"]
    await works.make_current("B")
    await works.engine.workflow(product).signal("renew")
    await works.moved(stage, product, "B")
    await waiting.report("done", action="replan", due="2030-01-01")
    await works.moved(waiting, product_id(waiting.key), "B")
    assert await works.builds(gate) == "A", "an open gate ends where it began"

    await held.owner("resume")
    await works.moved(held, gate_id(held.key, "launch"), "B")
    await held.votes("launch", "go", "ana", "cy")
    await held.becomes(phase="market")
    assert (await held.gate("launch", 1)).outcome == "go", "the vote before the hold counts"

    await later["C"]
    await works.make_current("C")
    await works.engine.workflow(product).signal("renew")
    await works.moved(stage, product, "C")
    enough.set()
    taken = await votes
    assert await works.builds(gate) == "A", "it has taken votes all the time"
    await stage.votes("launch", "go", "ana", "bo", "cy")
    await stage.becomes(phase="market")
    final = await stage.retires()
    await stage.written()
    assert [(g.gate, g.outcome) for g in final.gates] == [("launch", "go"), ("retire", "go")]
    told = stage.story()
    assert told.count("gate.vote") == taken + 4, "no vote is lost, and none told twice"
    assert (told.count("product.started"), told.count("product.retired")) == (1, 1)

    assert await works.builds(gate) == "A"
    assert (await works.builds(product)).split()[:3] == ["A", "B", "C"]
    assert await works.builds(gate_id(stage.key, "retire")) == "C"
    assert set((await works.builds(sunset_id(stage.key))).split()) == {"C"}
    ids = (product, gate, gate_id(stage.key, "retire"), sunset_id(stage.key))
    made = [history for each in ids for history in await works.histories(each)]
    said = await asyncio.gather(*(works.replayed(each, made) for each in "ABC"))
    for which, found in zip("ABC", said, strict=True):
        own = [f for f, history in zip(found, made, strict=True) if build_of(history) == which]
        assert set(own) == {"replays"}, f"{which} replays what it made"
    assert (said[1][0], said[2][1]) == ("differs", "differs"), "each build has another workflow"
    assert (await works.doctor("ok")).what.startswith("builds C is current")
    async with build_worker(works.engine.client, works.engine.settings):
        idle = await works.doctor("warn", "workers of no deployment poll as well")
        assert "workers of no deployment poll as well, which get no workflows: " in idle.what
        assert idle.mend.startswith("phasegate worker run --deployment builds --build-id C, in ")


async def test_doctor_mends_what_is_pinned_to_a_lost_build(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that was restarted has forgotten who polled; otherwise it remembers for minutes."""
    monkeypatch.setenv("PHASEGATE_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("PHASEGATE_TASK_QUEUE", NAME)
    database, log = tmp_path / "temporal.db", tmp_path / "server.log"

    @asynccontextmanager
    async def temporal() -> AsyncIterator[Works]:
        running = dev_server(database=database, port=free_port(), ui_port=None, log=log)
        async with running as server, AsyncExitStack() as stack:
            monkeypatch.setenv("TEMPORAL_ADDRESS", server.address)
            engine = await Engine.connect(Settings.load())
            yield Works(engine, tmp_path, stack)
            engine.ledger.close()

    async with temporal() as works:
        stage = Stage(works.engine, "left")
        async with build_worker(works.engine.client, works.engine.settings, options=build("A")):
            await works.make_current("A")
            await stage.start()
            await stage.becomes(phase="build")
            await stage.written()

    async with temporal() as works:
        stage = Stage(works.engine, "left")
        idle = await works.doctor("fail")
        assert "builds A is current and has no worker" in idle.what
        assert idle.mend == "phasegate worker run --deployment builds --build-id A"
        async with build_worker(works.engine.client, works.engine.settings, options=build("B")):
            await works.make_current("B")
            lost = await works.doctor("fail", "without a worker")
            assert "1 to builds A" in lost.what
            await temporal_cli(lost.mend.partition("histories: temporal ")[2])
            await works.doctor("ok")
            await stage.report("done")
            await stage.gate_opens("launch")
            await works.moved(stage, gate_id("left", "launch"), "B")

            await temporal_cli(
                "worker deployment set-ramping-version --deployment-name builds --build-id A "
                "--percentage 50 --ignore-missing-task-queues --allow-no-pollers --yes"
            )
            half = await works.doctor("fail", "50 %")
            assert half.what.startswith(
                "50 % of what starts or moves goes to builds A, and no such"
            )
            await temporal_cli(half.mend.partition("to end the ramp: temporal ")[2])
            assert (await works.doctor("ok")).what == "builds B is current"
            with monkeypatch.context() as later:  # by the clock of whoever asks, and none has asked
                later.setattr("client.polling.time", lambda: time.time() + 200)
                gone = await works.doctor("fail")
            assert "builds B is current and has no worker" in gone.what

            back = lost.mend.replace("builds:A'", "builds:B'").replace("-id B", "-id A")
            apart = WorkerOptions(only=("workflows", "outgoing"), build=Build(NAME, "A"))
            async with build_worker(works.engine.client, works.engine.settings, options=apart):
                await temporal_cli(back.partition("histories: temporal ")[2])
                waiting = await works.doctor("warn", "builds-checks, builds-retirement")
                assert waiting.what.endswith("builds A on builds-checks, builds-retirement")
                assert waiting.mend == (
                    "phasegate worker run --deployment builds --build-id A --only checks "
                    "--only retirement"
                )


async def temporal_cli(command: str) -> None:
    running = await asyncio.create_subprocess_exec(
        *(find_temporal(), *shlex.split(command)), stdout=asyncio.subprocess.DEVNULL
    )
    assert await running.wait() == 0


def build(build_id: str) -> WorkerOptions:
    return WorkerOptions(build=Build(NAME, build_id))


async def _vote_on(stage: Stage, enough: asyncio.Event) -> int:
    """One person changes her mind all the time; how often, and at last she has doubts."""
    words = ["go", "hold"]
    taken = 0
    while not enough.is_set() or taken % 2:
        await stage.vote("launch", "cy", words[taken % 2])
        taken += 1
        await asyncio.sleep(0.2)
    return taken


async def test_what_another_build_says_is_taken_as_far_as_it_is_understood(
    engine: Engine,
) -> None:
    """The words of a later build, and the few of an earlier one."""
    stage = Stage(engine, "many-tongues")
    await stage.start()
    await stage.becomes(phase="build")
    await stage.report("done")
    await stage.gate_opens("launch")
    gate, product = engine.workflow(gate_id(stage.key, "launch")), product_id(stage.key)
    (told,) = await engine.client.data_converter.decode(
        (await gate.fetch_history())
        .events[0]
        .workflow_execution_started_event_attributes.input.payloads
    )
    note = {"token": told["token"], "action": "sing", "tune": [1, 2]}
    await gate.signal("opener_note", note)
    await gate.signal("opener_note", {**note, "action": "ping"})
    await stage.vote("launch", "ana", "go")
    assert [refused.actor for refused in (await stage.gate("launch")).refused] == ["unknown"]

    report = {
        "gate": "launch",
        "round": 1,
        "token": told["token"],
        "why": "it may wait",
        "decided_at": "2026-11-25T12:00:00Z",
    }
    await engine.workflow(product).signal(
        "gate_decided", {**report, "outcome": "defer", "until": {"a": "better day"}}
    )
    view = await stage.becomes(gate=None, status="active")
    assert [held.outcome for held in view.gates] == ["defer"]
    await stage.votes("launch", "go", "bo", "cy")
    await stage.submit()
    await stage.gate_opens("launch", 2)
