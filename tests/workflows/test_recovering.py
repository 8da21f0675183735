"""A ledger that was put back from a backup, older than what Temporal knows."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest
from parting import Leaving, no_return
from stage import Stage
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import ResetWorkflowExecutionRequest
from temporalio.service import RPCError
from tracker import Tracker

from client import changing
from client.asking import new_request_id
from client.audit_checks import verify_ledger
from client.audit_histories import runs
from client.dev_server import DevServer, dev_server, free_port
from client.engine import Engine
from client.health import examine
from client.recovering import Recovered, missing, write
from client.told_histories import Lost, products_in
from commands.events_recover import recover
from ledger import Ledger
from phasegate.errors import EngineError
from phasegate.events import Announcement
from phasegate.ids import gate_id, product_id, sunset_id
from phasegate.requests import UpdateProductRequest
from tests.workflows.conftest import settings
from tests.workflows.test_sunset_acts import DESTROY
from worker import build_worker


def copied(ledger: Path, to: Path) -> Path:
    source, target = sqlite3.connect(ledger), sqlite3.connect(to)
    source.backup(target)
    source.close()
    target.close()
    return to


async def listed(stage: Stage) -> None:
    """Wait until Temporal lists the latest run of each workflow: histories are found by its lists,
    which follow a moment later."""
    engine, key = stage.engine, stage.key
    gates = (gate_id(key, gate) for gate in ("launch", "retire", "off"))

    async def all_of_them() -> bool | None:
        there = {found async for found in runs(engine.client, key)}
        for workflow_id in (product_id(key), sunset_id(key), *gates):
            with suppress(RPCError):  # there is none
                run_id = (await engine.workflow(workflow_id).describe()).run_id
                if (workflow_id, run_id) not in there:
                    return None
        return True

    await stage.until(all_of_them, "its runs are listed")


@pytest.fixture
async def own_server() -> AsyncIterator[DevServer]:
    """Doctor samples the runs of a namespace: here are those of one ledger only."""
    async with dev_server(database=None, port=free_port(), ui_port=None) as running:
        yield running


async def test_what_a_restored_ledger_misses_comes_back_from_the_histories(
    own_server: DevServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", own_server.address)
    monkeypatch.setenv("PHASEGATE_DATA_DIR", str(tmp_path))
    engine = await Engine.connect(settings(tmp_path, "recovering"))
    stage, begun_later = Stage(engine, "restored"), Stage(engine, "begun-later")
    async with build_worker(engine.client, engine.settings):
        await stage.start()
        await stage.becomes(phase="build")
        await stage.report("done")
        await stage.gate_opens("launch", 1)
        await stage.vote("launch", "ana", "go")
        await stage.written()
        backup = copied(tmp_path / "ledger.db", tmp_path / "backup.db")
        await begun_later.start()
        await stage.votes("launch", "go", "bo", "cy")
        await stage.becomes(phase="market")
        await stage.at_rest()  # what was written was answered, too
        await begun_later.becomes(phase="build")
        await begun_later.written()
        for each in (stage, begun_later):
            await listed(each)
    whole = [entry.announcement for entry in engine.ledger.events(stage.key)]
    engine.ledger.close()
    restored = Ledger(f"sqlite:///{backup}")
    assert len(restored.events(stage.key)) < len(whole)

    put_back = replace(engine.settings, ledger_url=f"sqlite:///{backup}")
    checks = [check async for check in examine(put_back)]
    (record,) = [check for check in checks if check.check == "record"]
    gone = replace(engine.settings, ledger_url="sqlite:////proc/nowhere/ledger.db")
    assert {c.check: c.state for c in [c async for c in examine(gone)]}["ledger"] == "fail"
    assert (record.state, stage.key in record.what) == ("fail", True)
    assert "phasegate events recover" in record.mend

    assert {stage.key, begun_later.key} <= {*await products_in(engine.client)}
    for key in (stage.key, begun_later.key):
        write(restored, await missing(engine.client, restored, key))
        assert (await missing(engine.client, restored, key)).nothing
        assert verify_ledger(restored, key, []).fault is None
    # Every word, in the order in which it was written.
    assert [entry.announcement for entry in restored.events(stage.key)] == whole


async def test_a_record_that_has_gone_on_is_not_mended_out_of_order_unasked(
    stage: Stage, tmp_path: Path
) -> None:
    await stage.start()
    await stage.becomes(phase="build")
    await stage.written()
    await listed(stage)
    empty = Ledger(f"sqlite:///{tmp_path / 'empty.db'}")
    found = await missing(stage.engine.client, empty, stage.key)
    assert found.wanted[0].startswith("policy two-phases")
    assert [product.key for product in found.definitions] == [stage.key]
    found.head = 1  # as if a worker had written there since
    with pytest.raises(EngineError, match="has gone on without entry 1"):
        write(empty, found)
    write(empty, found, late=True)
    assert [entry.announcement for entry in empty.events(stage.key)] == [
        entry.announcement for entry in stage.engine.ledger.events(stage.key)
    ]


async def test_a_start_repeated_brings_back_what_a_product_rests_on(
    stage: Stage, tmp_path: Path
) -> None:
    await stage.start()
    await stage.becomes(phase="build")
    await listed(stage)
    client = stage.engine.client
    empty = Ledger(f"sqlite:///{tmp_path / 'empty.db'}")
    lost = await missing(client, empty, stage.key)
    assert [each.split()[0] for each in lost.wanted] == ["policy", "directory"]
    await Stage(replace(stage.engine, ledger=empty), stage.key).start()
    found = await missing(client, empty, stage.key)
    assert (found.definitions, found.wanted) == ([], ["directory default"])


async def test_a_record_that_has_gone_on_keeps_no_other_from_being_mended(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ledger = Ledger(f"sqlite:///{tmp_path / 'ledger.db'}")

    async def connected() -> SimpleNamespace:
        return SimpleNamespace(client=None, ledger=ledger)

    async def lost(_client: object, _ledger: Ledger, key: str) -> Recovered:
        at = datetime.now(UTC)
        event = Announcement(
            id=f"{key}/1", source=product_id(key), product=key, type="t", at=at, text="it was so"
        )
        return Recovered(key, 1 if key == "a" else 0, [Lost(1, at, event)])

    monkeypatch.setattr("client.engine.Engine.connect", connected)
    monkeypatch.setattr("client.recovering.missing", lost)
    await recover(["b"], dry_run=True)
    told = capsys.readouterr().err
    assert "would write 1 events, 0 definitions and 0 acts of 1 products" in told
    assert "nothing was written" in told
    with pytest.raises(EngineError, match="the record of a has gone on"):
        await recover(["a", "b"])
    assert "wrote 1 events" in capsys.readouterr().err
    assert [ledger.head(key).seq for key in ("a", "b")] == [0, 1]


async def test_nothing_can_be_recovered_of_a_product_that_there_is_not(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def connected() -> Engine:
        return stage.engine

    monkeypatch.setattr("client.engine.Engine.connect", connected)
    with pytest.raises(EngineError, match="there is no product nosuch"):
        await recover(["nosuch"])


async def test_the_definition_that_came_last_is_the_one_in_force_again(
    stage: Stage, tmp_path: Path
) -> None:
    await stage.start()
    await stage.becomes(phase="build")
    definition = await changing.definition(stage.engine, stage.key)
    newer = definition.model_copy(update={"summary": "another"})
    request = UpdateProductRequest(actor="olga", product=newer, request_id="newer")
    await changing.update(stage.engine, stage.key, request)
    await stage.report("done")
    await stage.gate_opens("launch")
    await stage.votes("launch", "go", "ana", "bo", "cy")
    await stage.becomes(phase="market")
    await stage.at_rest()
    await listed(stage)
    empty = Ledger(f"sqlite:///{tmp_path / 'empty.db'}")
    found = await missing(stage.engine.client, empty, stage.key)
    assert [product.summary for product in found.definitions] == [definition.summary, "another"]
    write(empty, found)
    current = empty.documents.current("product", stage.key)
    assert current
    assert empty.documents.read_product(current.digest) == newer


async def test_an_act_whose_intent_was_lost_is_not_done_again(
    hasty: Engine, tracker: Tracker, tmp_path: Path
) -> None:
    tracker.status = 500
    leaving = Leaving(hasty, "an-act-whose-intent-was-lost")
    await leaving.leave(no_return(), DESTROY.replace("URL", tracker.url))
    await leaving.passes("off")
    await leaving.task_is("destroy", "unknown")
    await listed(leaving)
    older = Ledger(f"sqlite:///{tmp_path / 'older.db'}")
    write(older, await missing(hasty.client, older, leaving.key))
    key = f"{sunset_id(leaving.key)}/1/destroy"
    _, mine = older.intents.begin(key, leaving.key, 1, "destroy", datetime.now(UTC))
    assert not mine, "whoever is asked to do it finds that it may have happened"
    await leaving.confirmed("destroy", "cy", note="the bucket is empty")
    await leaving.becomes(status="retired")


async def test_a_temporal_that_was_put_back_is_named_until_its_workflows_are_reset(
    stage: Stage,
) -> None:
    await stage.start()
    await stage.becomes(phase="build")
    await stage.written()
    await listed(stage)
    engine, workflow = stage.engine, product_id(stage.key)
    handle = engine.workflow(workflow)
    run = (await handle.describe()).run_id or ""
    assert (await missing(engine.client, engine.ledger, stage.key)).ahead == []
    last = engine.ledger.events(stage.key)[-1].announcement
    engine.ledger.append(stage.key, [last.model_copy(update={"id": f"{last.id}.more"})])
    assert last.run == run[-8:]
    assert (await missing(engine.client, engine.ledger, stage.key)).ahead == [workflow]
    checks = [check async for check in examine(engine.settings)]
    assert [c for c in checks if c.check == "record" and f"of {stage.key}" in c.what]
    await engine.client.workflow_service.reset_workflow_execution(
        ResetWorkflowExecutionRequest(
            namespace=engine.client.namespace,
            workflow_execution=WorkflowExecution(workflow_id=workflow, run_id=run),
            reason="restored",
            workflow_task_finish_event_id=4,
            request_id=new_request_id(),
        )
    )
    assert (await missing(engine.client, engine.ledger, stage.key)).ahead == []
