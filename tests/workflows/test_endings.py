"""Lifecycles that end from outside: cancelled by their owner, or by somebody in the Temporal UI."""

import asyncio
import shlex

import pytest
from stage import Stage
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import ResetWorkflowExecutionRequest
from temporalio.client import WorkflowExecutionStatus

from client.asking import new_request_id
from client.dev_server import find_temporal
from phasegate.errors import EngineError
from phasegate.ids import gate_id, product_id, sunset_id


async def to_launch(stage: Stage) -> None:
    await stage.start()
    await stage.becomes(phase="build")
    await stage.report("done")
    await stage.gate_opens("launch")


async def closes(stage: Stage, workflow_id: str) -> WorkflowExecutionStatus:
    async def closed() -> WorkflowExecutionStatus | None:
        status = (await stage.engine.workflow(workflow_id).describe()).status
        return None if status is WorkflowExecutionStatus.RUNNING else status

    return await stage.until(closed, f"{workflow_id} closes")


async def test_cancelling_a_product_ends_its_gate_and_keeps_the_record(stage: Stage) -> None:
    await to_launch(stage)
    await stage.vote("launch", "bo", "go")
    await stage.owner("cancel", reason="merged into another product")
    assert await closes(stage, gate_id(stage.key, "launch")) is not None
    assert await closes(stage, product_id(stage.key)) is WorkflowExecutionStatus.COMPLETED
    view = await stage.product()
    assert view.status == "cancelled"
    await stage.written()
    assert "merged into another product" in stage.texts("product.cancelled")[0]
    closed = await stage.gate("launch")
    assert (closed.status, closed.outcome) == ("decided", None)
    assert [v.approver for v in closed.votes] == ["bo"]


async def test_a_cancel_from_the_temporal_ui_is_the_same(stage: Stage) -> None:
    await to_launch(stage)
    await stage.engine.workflow(product_id(stage.key)).cancel()
    assert await closes(stage, gate_id(stage.key, "launch")) is not None
    await stage.becomes(status="cancelled")


@pytest.mark.parametrize("how", ["cancel", "terminate"])
async def test_a_gate_ended_from_the_temporal_ui_comes_back_by_submit(
    stage: Stage, how: str
) -> None:
    await to_launch(stage)
    handle = stage.engine.workflow(gate_id(stage.key, "launch"))
    await (handle.cancel() if how == "cancel" else handle.terminate(reason="by mistake"))
    await stage.becomes(gate=None, status="active")
    await stage.submit()
    await stage.gate_opens("launch", 2)
    await stage.votes("launch", "go", "ana", "bo", "cy")
    view = await stage.becomes(phase="market")
    assert [g.outcome for g in view.gates] == ["abandoned", "go"]
    first = await stage.gate("launch", 1)
    assert (first.status, first.outcome, first.round) == ("decided", None, 1)


async def test_a_stopped_sunset_ends_the_product_as_cancelled(stage: Stage) -> None:
    await to_launch(stage)
    await stage.votes("launch", "go", "ana", "bo", "cy")
    await stage.becomes(phase="market")
    await stage.submit()
    await stage.gate_opens("retire")
    await stage.vote("retire", "ana", "go")
    await stage.task_waits("keys")
    assert await stage.refused(stage.owner("hold")) == "not-active"
    await stage.owner("cancel")
    assert await closes(stage, sunset_id(stage.key)) is WorkflowExecutionStatus.COMPLETED
    await stage.becomes(status="cancelled")


async def test_a_second_start_is_no_second_product(stage: Stage) -> None:
    await to_launch(stage)
    await stage.start()
    assert (await stage.product()).gate == "launch"
    other = f"key: {stage.key}\nname: Something else\nowner: ana\n"
    with pytest.raises(EngineError, match="started already"):
        await stage.start(product=other)


async def test_a_terminated_product_says_so_and_a_reset_brings_it_back(stage: Stage) -> None:
    await to_launch(stage)
    await stage.vote("launch", "bo", "go")
    handle = stage.engine.workflow(product_id(stage.key))
    await handle.terminate(reason="by mistake")
    view = await stage.product()
    assert view.status == "terminated"
    with pytest.raises(EngineError, match="was terminated") as told:
        await stage.start()
    words = shlex.split(told.value.hint)
    assert words[:3] == ["temporal", "workflow", "reset"]
    run = await asyncio.create_subprocess_exec(
        find_temporal(),
        *words[1:],
        *("--address", stage.engine.client.service_client.config.target_host),
        stdout=asyncio.subprocess.DEVNULL,
    )
    assert await run.wait() == 0
    assert (await stage.product()).status == "active"
    await stage.votes("launch", "go", "ana", "cy")
    await stage.becomes(phase="market")
    ids = [entry.announcement.id for entry in stage.engine.ledger.events(stage.key)]
    assert len(ids) == len(set(ids))


async def test_what_happens_after_a_reset_is_in_the_ledger_too(stage: Stage) -> None:
    """Back to the first task: the counters start again, and yet no event is taken for another."""
    await to_launch(stage)
    await stage.votes("launch", "recycle", "ana", "bo", "cy", "dan")
    await stage.becomes(gate=None)
    before = len(stage.story())
    handle = stage.engine.workflow(product_id(stage.key))
    run_id = (await handle.describe()).run_id
    await stage.engine.client.workflow_service.reset_workflow_execution(
        ResetWorkflowExecutionRequest(
            namespace=stage.engine.client.namespace,
            workflow_execution=WorkflowExecution(workflow_id=handle.id, run_id=run_id),
            reason="try",
            workflow_task_finish_event_id=4,
            request_id=new_request_id(),
        )
    )
    await stage.becomes(phase="build")
    await stage.submit()
    await stage.gate_is("launch", "open")  # there was a round 1 before, which is decided
    await stage.votes("launch", "go", "ana", "bo", "cy")
    await stage.becomes(phase="market")

    async def told() -> bool | None:
        return True if stage.texts("gate.decided")[1:] else None

    await stage.until(told, "the second decision is in the ledger")
    assert len(stage.story()) > before
    assert [text.split()[1] for text in stage.texts("gate.decided")] == ["recycle", "go"]
