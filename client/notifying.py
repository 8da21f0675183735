"""Telling every open gate that its directory has a new publication."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from temporalio.client import (
    WorkflowExecution,
    WorkflowUpdateRPCTimeoutOrCancelledError,
    WorkflowUpdateStage,
)
from temporalio.service import RPCError, RPCStatusCode

from client.asking import PATIENCE, new_request_id
from client.attributes import read
from client.engine import Engine
from phasegate.base import Wire
from phasegate.errors import EngineError
from phasegate.gate_requests import LookAgainRequest

AT_ONCE = 20
"""Gates told at the same time."""


class Notified(Wire):
    """How many open gates have heard of it, and which (KEY/GATE) gave no answer."""

    heard: int = 0
    silent: list[str] = []


async def notify(engine: Engine, directory: str, digest: str, by: str) -> Notified:
    """Have every open gate of this directory read it again. Raises EngineError.

    A gate that does not say which directory it has is being convened, perhaps by the last
    publication, and is told as well. Where nobody answers any more, the rest is not asked.
    """
    told = Notified()
    places = asyncio.Semaphore(AT_ONCE)
    in_a_row = 0

    async def tell(execution: WorkflowExecution) -> None:
        nonlocal in_a_row
        async with places:
            answer = await _told(engine, execution.id, digest, by) if in_a_row < AT_ONCE else False
        if answer:
            told.heard += 1
        if answer is False:
            told.silent.append(_place(execution))
        in_a_row = in_a_row + 1 if answer is False else 0

    text = "WorkflowType = 'GateReview' AND ExecutionStatus = 'Running'"
    try:
        async with asyncio.TaskGroup() as group:
            async for execution in engine.client.list_workflows(text):
                if (await execution.memo()).get("directory", directory) == directory:
                    group.create_task(tell(execution))
    except* RPCError as errors:
        why = str(errors.exceptions[0])
        raise EngineError("open gates cannot be listed", why, "phasegate doctor") from errors
    told.silent.sort()
    return told


async def _told(engine: Engine, workflow_id: str, digest: str, by: str) -> bool | None:
    """Whether the gate heard it; None for one that has ended meanwhile."""
    request = LookAgainRequest(
        actor=by or "unknown", directory_digest=digest, request_id=new_request_id()
    )
    try:
        async with asyncio.timeout(PATIENCE.total_seconds()):
            await engine.workflow(workflow_id).start_update(
                "look_again",
                request,
                id=request.request_id,
                wait_for_stage=WorkflowUpdateStage.ACCEPTED,
                rpc_timeout=timedelta(seconds=PATIENCE.total_seconds()),
            )
    except (TimeoutError, WorkflowUpdateRPCTimeoutOrCancelledError):
        return False
    except RPCError as error:
        return None if error.status is RPCStatusCode.NOT_FOUND else False
    return True


def _place(execution: WorkflowExecution) -> str:
    found = execution.typed_search_attributes
    return f"{read(found, 'PhasegateProduct')}/{read(found, 'PhasegateGate')}"
