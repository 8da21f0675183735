"""Workflows go on from what releases wrote: states of theirs are brought to their ends."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from past_states import put_documents, releases
from stage import Stage
from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowExecutionStatus

from client.dev_server import DevServer
from client.engine import Engine
from client.settings import Settings
from phasegate.ids import gate_id, product_id, sunset_id
from phasegate.sittings import GateReport
from phasegate.sunset_report import SunsetReport
from worker import build_worker


@pytest.fixture(params=releases(), ids=lambda path: path.name)
async def written(request: pytest.FixtureRequest) -> Path:
    """The folder of a release."""
    folder: Path = request.param
    return folder


@pytest.fixture
async def old(
    server: DevServer, written: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Engine]:
    """An engine whose ledger has the documents of that release."""
    monkeypatch.setenv("TEMPORAL_ADDRESS", server.address)
    monkeypatch.setenv("PHASEGATE_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("PHASEGATE_TASK_QUEUE", f"going-on-{tmp_path.name}")
    engine = await Engine.connect(Settings.load())
    put_documents(engine.ledger, written)
    async with build_worker(engine.client, engine.settings):
        yield engine
    engine.ledger.close()


def state(folder: Path, name: str) -> dict[str, Any]:
    found: list[dict[str, Any]] = json.loads((folder / f"go-on.{name}.json").read_text("utf-8"))
    return found[0]


async def start(engine: Engine, type: str, value: Any, id: str) -> None:
    queue = engine.settings.task_queue
    await engine.client.start_workflow(type, value, id=id, task_queue=queue)


async def test_a_product_goes_on(old: Engine, written: Path) -> None:
    """It is in the market, and an earlier gate left it a condition."""
    carried = state(written, "Lifecycle")
    stage = Stage(old, carried["product"]["key"])
    await start(old, "ProductLifecycle", carried, product_id(stage.key))
    view = await stage.becomes(phase="market", gate=None)
    assert [gate.outcome for gate in view.gates] == ["recycle", "hold", "conditional-go"]
    await stage.submit()
    await stage.gate_opens("retire")
    await stage.vote("retire", "ana", "go")
    await stage.close(view.conditions[0].id, "bo")
    await stage.task_waits("keys")
    await stage.confirm("keys", "bo")
    await stage.becomes(status="retired")


async def test_a_round_goes_on(old: Engine, written: Path) -> None:
    """Votes that stand in it go on standing."""
    carried = state(written, "ReviewStart")
    key, gate = carried["round"]["product"]["key"], carried["round"]["gate"]["id"]
    stage = Stage(old, key)
    await start(old, "GateReview", carried, gate_id(key, gate))
    before = await stage.gate(gate)
    assert [(vote.approver, vote.state) for vote in before.votes] == [("bo", "standing")]
    await stage.vote(gate, "ana", "go")
    handle = old.client.get_workflow_handle(gate_id(key, gate), result_type=GateReport)
    report = await handle.result()
    assert (report.outcome, report.round) == ("go", 1)


async def test_a_sunset_goes_on(old: Engine, written: Path) -> None:
    carried = state(written, "Retirement")
    key = carried["product"]["key"]
    stage = Stage(old, key)
    await start(old, "Sunset", carried, sunset_id(key))
    done = [task["task"]["id"] for task in carried["tasks"] if task["state"] == "done"]
    assert done, "it goes on where it was"
    await stage.gate_opens("down")
    await stage.vote("down", "bo", "go")
    handle = old.client.get_workflow_handle(sunset_id(key), result_type=SunsetReport)
    report = await handle.result()
    assert report.ended == "retired"


async def test_state_of_a_later_version_waits_for_its_release(old: Engine, written: Path) -> None:
    """The task fails, again and again; the product neither ends nor goes on wrongly."""
    later = {**state(written, "Lifecycle"), "schema_version": 99}
    key = "from-the-future"
    later["product"] = {**later["product"], "key": key}
    await start(old, "ProductLifecycle", later, product_id(key))
    handle = old.workflow(product_id(key))
    async for event in handle.fetch_history_events(wait_new_event=True):
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED:
            failed = event.workflow_task_failed_event_attributes.failure
            break
    assert "this state has version 99" in str(failed)
    assert (await handle.describe()).status is WorkflowExecutionStatus.RUNNING
    await handle.terminate()
