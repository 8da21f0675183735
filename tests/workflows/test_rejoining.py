"""A product that was reset, or was away, while its gate went on."""

import pytest
from replaying import replay
from stage import Stage
from temporalio.api.common.v1 import WorkflowExecution as Execution
from temporalio.api.enums.v1 import EventType
from temporalio.api.workflowservice.v1 import ResetWorkflowExecutionRequest
from temporalio.client import WorkflowExecution, WorkflowHandle

from client.asking import new_request_id
from phasegate.ids import gate_id, product_id


async def to_launch(stage: Stage) -> None:
    await stage.start()
    await stage.becomes(phase="build")
    await stage.report("done")
    await stage.gate_opens("launch")
    await stage.at_rest()  # the product knows that its gate has begun, and would not begin another


async def reset(stage: Stage, handle: WorkflowHandle[object, object], to: int = 0) -> None:
    """To the end of the last workflow task, as `temporal workflow reset` does by default, or to
    that which ended with event `to`."""
    description = await handle.describe()
    events = (await handle.fetch_history()).events
    last = to or max(
        event.event_id
        for event in events
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED
    )
    await stage.engine.client.workflow_service.reset_workflow_execution(
        ResetWorkflowExecutionRequest(
            namespace=stage.engine.client.namespace,
            workflow_execution=Execution(workflow_id=handle.id, run_id=description.run_id),
            reason="try",
            workflow_task_finish_event_id=last,
            request_id=new_request_id(),
        )
    )


async def test_a_reset_product_hears_of_the_gate_that_stayed_open(stage: Stage) -> None:
    await to_launch(stage)
    await stage.vote("launch", "ana", "go")
    await reset(stage, stage.engine.workflow(product_id(stage.key)))
    await stage.votes("launch", "go", "bo", "cy")
    await stage.becomes(phase="market")
    await stage.written()
    assert stage.story().count("gate.decided") == 1
    assert "gate.abandoned" not in stage.story()


async def test_a_product_hears_of_a_gate_that_decided_while_it_was_terminated(
    stage: Stage,
) -> None:
    await to_launch(stage)
    handle = stage.engine.workflow(product_id(stage.key))
    await handle.terminate(reason="by mistake")
    await stage.votes("launch", "go", "ana", "bo", "cy")

    async def decided() -> bool | None:
        return True if "gate.decided" in stage.story() else None

    await stage.until(decided, "the round decides, and waits for whom it reports to")
    await reset(stage, handle)
    view = await stage.becomes(phase="market")
    assert view.gates[-1].votes == {"ana": "go", "bo": "go", "cy": "go"}
    await stage.written()
    assert "gate.abandoned" not in stage.story()


@pytest.mark.parametrize("last", [True, False])
async def test_what_was_reset_replays(stage: Stage, last: bool) -> None:
    """To its first and to its last workflow task: a worker that comes later finds its way."""
    await to_launch(stage)
    handle = stage.engine.workflow(product_id(stage.key))
    if last:
        await reset(stage, handle)
    else:
        await stage.votes("launch", "recycle", "ana", "bo", "cy", "dan")
        await stage.becomes(gate=None)
        await reset(stage, handle, to=4)
        await stage.becomes(phase="build")
        await stage.submit()
        await stage.gate_is("launch", "open")  # the one before was round 1, too
    await stage.gate_opens("launch")
    await stage.votes("launch", "go", "ana", "bo", "cy")
    await stage.becomes(phase="market")
    client = stage.engine.client

    async def listed() -> list[WorkflowExecution] | None:
        found = [run async for run in client.list_workflows(f"WorkflowId = '{handle.id}'")]
        return found if len(found) == 3 else None

    runs = await stage.until(listed, "all of its runs")
    for run in runs:
        await replay(client.get_workflow_handle(run.id, run_id=run.run_id))


@pytest.mark.parametrize("times", [1, 2])
async def test_a_reset_gate_goes_on_and_its_product_hears_of_it(stage: Stage, times: int) -> None:
    await to_launch(stage)
    await stage.vote("launch", "ana", "go")
    for _ in range(times):
        await reset(stage, stage.engine.workflow(gate_id(stage.key, "launch")))
        await stage.gate_opens("launch")
    await stage.votes("launch", "go", "ana", "bo", "cy")
    view = await stage.becomes(phase="market")
    assert [gate.outcome for gate in view.gates] == ["go"]
