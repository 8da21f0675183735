"""Whether the ledger and Temporal tell the same: not so where one was put back from a backup."""

from __future__ import annotations

import asyncio

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import EventType
from temporalio.api.workflowservice.v1 import GetWorkflowExecutionHistoryReverseRequest
from temporalio.client import Client, WorkflowExecutionStatus

from client.checkup import Check
from client.keyring import FILE
from client.settings import Settings
from ledger import Ledger, LedgerError
from phasegate.errors import EngineError
from phasegate.events import Announcement
from phasegate.ids import product_id
from phasegate.ports import ANNOUNCE, AnnounceRequest

NAME = "record"

SAMPLE = 20
"""Runs of products and rounds that are looked at, the latest begun first: a look in passing. Also
those that have ended: what a product did last may have ended its run."""

EVENTS = 60
"""Of each history, from its end: an announcement is not further away where anything happens."""


async def examine_record(client: Client, settings: Settings) -> Check | None:
    """Compare the latest announcements of some workflows with the ledger.

    None where the ledger cannot be read, which another check says. Raises RPCError.
    """
    query = "WorkflowType IN ('ProductLifecycle', 'GateReview')"
    ledger, seen = Ledger(settings.ledger_url), 0
    lost: set[str] = set()
    ahead: set[str] = set()
    try:
        async for run in client.list_workflows(query, limit=SAMPLE):
            product = run.id.removeprefix(product_id("")).partition("/")[0]
            record = await asyncio.to_thread(_end_of, ledger, product)  # before the history
            asked, answered = await _announced(client, run.id, run.run_id)
            seen += bool(asked)
            if await asyncio.to_thread(ledger.absent, answered[:1]):
                lost.add(product)
            runs = run.status is WorkflowExecutionStatus.RUNNING
            its_own = [said.id for said in record if said.run == run.run_id[-8:]]
            if runs and asked and its_own and its_own[-1] not in asked:
                ahead.add(product)
    except LedgerError:
        return None
    except (EngineError, ValueError, RuntimeError):
        what = "histories cannot be read here: they were encrypted with another key ring"
        mend = f"set {FILE} to the ring that the workers had; a new one opens nothing"
        return Check(check=NAME, state="fail", what=what, mend=mend)
    finally:
        ledger.close()
    if not (lost or ahead):
        what = f"the ledger has what the {seen} latest runs announced"
        return Check(check=NAME, state="ok", what=what)
    said = []
    if lost:
        said.append(f"the ledger misses what was written to it, of {', '.join(sorted(lost))}")
    if ahead:
        said.append(f"Temporal misses what the ledger has, of {', '.join(sorted(ahead))}")
    what = f"{'; '.join(said)}: one of them is another one, or was put back from a backup"
    mend = "stop the workers, then phasegate events recover --dry-run"
    return Check(check=NAME, state="fail", what=what, mend=mend)


def _end_of(ledger: Ledger, product: str) -> list[Announcement]:
    after = max(ledger.head(product).seq - EVENTS, 0)
    return [entry.announcement for entry in ledger.events(product, after)]


async def _announced(client: Client, workflow_id: str, run_id: str) -> tuple[set[str], list[str]]:
    """Ids of what a run announced of late; and those that the ledger answered, latest first."""
    answer = await client.workflow_service.get_workflow_execution_history_reverse(
        GetWorkflowExecutionHistoryReverseRequest(
            namespace=client.namespace,
            execution=WorkflowExecution(workflow_id=workflow_id, run_id=run_id),
            maximum_page_size=EVENTS,
        )
    )
    done: set[int] = set()
    asked: set[str] = set()
    answered: list[str] = []
    for event in answer.history.events:
        if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED:
            done.add(event.activity_task_completed_event_attributes.scheduled_event_id)
        order = event.activity_task_scheduled_event_attributes
        if order.activity_type.name == ANNOUNCE:
            (found,) = await client.data_converter.decode(order.input.payloads, [AnnounceRequest])
            assert isinstance(found, AnnounceRequest)
            asked |= {each.id for each in found.events}
            if event.event_id in done:
                answered += [each.id for each in reversed(found.events)]
    return asked, answered
