"""Whether the ledger has what Temporal knows to have been written: not so after a backup of it."""

from __future__ import annotations

import asyncio

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import EventType
from temporalio.api.workflowservice.v1 import GetWorkflowExecutionHistoryReverseRequest
from temporalio.client import Client

from client.checkup import Check
from client.settings import Settings
from ledger import Ledger, LedgerError
from phasegate.errors import EngineError
from phasegate.ports import ANNOUNCE, AnnounceRequest

NAME = "record"

SAMPLE = 20
"""Runs of products and rounds that are looked at, the latest begun first: a look in passing. Also
those that have ended: what a product did last may have ended its run."""

EVENTS = 60
"""Of each history, from its end: an announcement is not further away where anything happens."""


async def examine_record(client: Client, settings: Settings) -> Check | None:
    """Compare the latest announcements of some workflows with the ledger.

    None where the ledger or the histories cannot be read, which other checks say. Raises RPCError.
    """
    query = "WorkflowType IN ('ProductLifecycle', 'GateReview')"
    latest: dict[str, str] = {}
    try:
        async for run in client.list_workflows(query, limit=SAMPLE):
            if found := await _latest(client, run.id, run.run_id):
                latest[found.events[-1].id] = found.product
    except (EngineError, ValueError, RuntimeError):
        return None  # encrypted by a key that is not here: see the check of confidential mode
    ledger = Ledger(settings.ledger_url)
    try:
        absent = await asyncio.to_thread(ledger.absent, list(latest))
    except LedgerError:
        return None
    finally:
        ledger.close()
    if lost := sorted({latest[event] for event in absent}):
        return Check(
            check=NAME,
            state="fail",
            what=f"the ledger misses what was written to it, of {', '.join(lost)}: "
            "it is another one, or was put back from a backup",
            mend="stop the workers, then phasegate events recover --dry-run",
        )
    what = f"the ledger has what the {len(latest)} latest runs announced"
    return Check(check=NAME, state="ok", what=what)


async def _latest(client: Client, workflow_id: str, run_id: str) -> AnnounceRequest | None:
    """The latest announcements of a run that the ledger has answered."""
    answer = await client.workflow_service.get_workflow_execution_history_reverse(
        GetWorkflowExecutionHistoryReverseRequest(
            namespace=client.namespace,
            execution=WorkflowExecution(workflow_id=workflow_id, run_id=run_id),
            maximum_page_size=EVENTS,
        )
    )
    answered: set[int] = set()
    for event in answer.history.events:
        if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED:
            answered.add(event.activity_task_completed_event_attributes.scheduled_event_id)
        asked = event.activity_task_scheduled_event_attributes
        if event.event_id in answered and asked.activity_type.name == ANNOUNCE:
            (found,) = await client.data_converter.decode(asked.input.payloads, [AnnounceRequest])
            assert isinstance(found, AnnounceRequest)
            return found
    return None
