"""What waits on one approver, from search attributes: no workflow is asked."""

from __future__ import annotations

from datetime import UTC, datetime

from temporalio.client import WorkflowExecution

from client.asking import query
from client.attributes import KEYS, quoted, read
from client.engine import Engine
from phasegate.search import group_key, person_key
from phasegate.views import GateView, InboxRow


async def inbox(engine: Engine, who: str, *, limit: int = 1000) -> list[InboxRow]:
    """The open gates that wait on `who`, the most urgent first.

    A committee too large for a search attribute is found by its groups; only those gates are
    asked, whether this person has voted already.
    """
    groups = _groups_of(engine, who)
    keys = [person_key(who), *(group_key(group) for group in groups)]
    names = ", ".join(quoted(key) for key in keys)
    text = (
        "WorkflowType = 'GateReview' AND ExecutionStatus = 'Running' "
        f"AND PhasegateStatus = 'open' AND PhasegateWaitingOn IN ({names})"
    )
    rows = []
    async for execution in engine.client.list_workflows(text, limit=limit):
        waiting = execution.typed_search_attributes.get(KEYS["PhasegateWaitingOn"]) or []
        if person_key(who) not in waiting and not await _still_asked(engine, execution.id, who):
            continue
        rows.append(await _row(engine, execution, who))
    return sorted(rows, key=lambda row: (row.respond_due, row.product, row.gate))


def _groups_of(engine: Engine, who: str) -> list[str]:
    """The person's groups in every published directory."""
    documents = engine.ledger.documents
    groups: set[str] = set()
    for name in documents.names("directory"):
        if current := documents.current("directory", name):
            groups.update(documents.read_directory(current.digest).groups_of(who))
    return sorted(groups)


async def _still_asked(engine: Engine, workflow_id: str, who: str) -> bool:
    view = await query(engine.workflow(workflow_id), "show", GateView)
    return any(pending.approver == who for pending in view.pending)


async def _row(engine: Engine, execution: WorkflowExecution, who: str) -> InboxRow:
    found, memo = execution.typed_search_attributes, await execution.memo()
    members: dict[str, list[str]] = memo["members"]
    respond_due = found.get(KEYS["PhasegateDue"]) or datetime.fromisoformat(memo["respond_due"])
    return InboxRow(
        product=read(found, "PhasegateProduct") or "",
        gate=read(found, "PhasegateGate") or "",
        round=memo["round"],
        revision=memo["revision"],
        step=memo.get("step", 1),
        group=", ".join(sorted(group for group, people in members.items() if who in people)),
        since=memo["opened_at"],
        respond_due=respond_due,
        resolve_due=memo["resolve_due"],
        overdue=datetime.now(UTC) > respond_due,
        workflow_id=execution.id,
        ui_url=engine.page(execution.id),
    )
