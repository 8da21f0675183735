"""What waits on one person, from search attributes and memos.

No workflow is asked, but for what somebody has yet to attest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from temporalio.client import WorkflowExecution
from temporalio.common import TypedSearchAttributes

from client.asking import query
from client.attributes import KEYS, quoted, read
from client.covering import Desk, desk_of
from client.engine import Engine
from phasegate.errors import EngineError
from phasegate.rows import InboxRow
from phasegate.search import acting_key, attester_key, group_key, person_key
from phasegate.views import GateView

OWNER = "owner"
"""The group of a row that asks the owner for work, not an approver for a vote."""


ATTESTS = "attests "
"""What the group of a row begins with that asks for an attestation; its criteria follow."""


@dataclass(frozen=True)
class Waiting:
    """A row of the inbox, and what the listing knows of its product."""

    row: InboxRow
    asks: str
    """`vote`, `attest`, or `work` where the owner has to submit the gate again."""
    product: Mapping[str, Any]


async def inbox(engine: Engine, who: str, *, limit: int | None = 1000) -> list[InboxRow]:
    """The open gates that wait on `who`, the most urgent first: for their own vote, for that of
    somebody they act for, and as owners for work that an approver asked for."""
    return [found.row for found in await waiting(engine, who, limit=limit)]


async def waiting(engine: Engine, who: str, *, limit: int | None = None) -> list[Waiting]:
    """The same, with what is known of the products."""
    now = datetime.now(UTC)
    desk = desk_of(engine.ledger, who, now)
    people = [who, *sorted(desk.people)]
    keys = [*map(person_key, people), *map(acting_key, people), attester_key(who)]
    keys += map(group_key, sorted(desk.groups))
    names = ", ".join(quoted(key) for key in keys)
    text = (
        "WorkflowType = 'GateReview' AND ExecutionStatus = 'Running' "
        f"AND PhasegateStatus IN ('open', 'waiting-on-owner') AND PhasegateWaitingOn IN ({names})"
    )
    found: list[Waiting] = []
    async for execution in engine.client.list_workflows(text, limit=limit):
        memo = await execution.memo()
        if "round" in memo:  # it knows by now who votes
            found += _rows(engine, execution, memo, who, desk, now)
            named = execution.typed_search_attributes.get(KEYS["PhasegateWaitingOn"]) or []
            if attester_key(who) in named:
                found += await _attesting(engine, execution, memo, who, now)
    return sorted(found, key=lambda w: (w.row.respond_due, w.row.product, w.row.gate))


def _rows(
    engine: Engine,
    execution: WorkflowExecution,
    memo: Mapping[str, Any],
    who: str,
    desk: Desk,
    now: datetime,
) -> Iterator[Waiting]:
    found = execution.typed_search_attributes
    owner, key = read(found, "PhasegateOwner") or "", read(found, "PhasegateProduct") or ""
    work = read(found, "PhasegateStatus") == "waiting-on-owner"
    if work or who == owner:  # an owner has work, and no vote, not even in another's name
        mine = who == owner or who in memo.get("team", ())
        holders: Sequence[str] = [who] if work and mine else []
    else:
        holders = _holders(who, _pending(execution, memo), memo, desk)
    for holder in holders:
        since = memo.get("work_since") if work else memo["since"].get(holder)
        respond_due = _instant(memo["due"].get(holder) or memo["respond_due"])
        row = InboxRow(
            product=key,
            gate=read(found, "PhasegateGate") or "",
            round=memo["round"],
            revision=memo["revision"],
            step=memo["step"],
            group=OWNER if work else _groups(holder, memo),
            since=_instant(since or memo["opened_at"]),
            respond_due=respond_due,
            resolve_due=_instant(memo["resolve_due"]),
            overdue=not work and now > respond_due,  # clocks stand still while work is owed
            on_behalf_of=holder if holder != who else None,
            workflow_id=execution.id,
            ui_url=engine.page(execution.id),
        )
        about = _about(found, memo)
        yield Waiting(row, "work" if work else "vote", about)


async def _attesting(
    engine: Engine, execution: WorkflowExecution, memo: Mapping[str, Any], who: str, now: datetime
) -> list[Waiting]:
    """What this person may attest and nobody has. The attribute does not follow attestations."""
    try:
        view = await query(engine.workflow(execution.id), "show", GateView)
    except EngineError:  # it has closed meanwhile, or cannot answer now
        return []
    asked = [c.id for c in view.criteria if who in c.waits_for and c.state == "unmet"]
    if not asked or view.status != "open":
        return []
    respond_due = _instant(memo["respond_due"])
    row = InboxRow(
        product=view.product,
        gate=view.gate,
        round=view.round,
        revision=view.revision,
        step=view.step,
        group=ATTESTS + ", ".join(asked),
        since=_instant(memo["opened_at"]),
        respond_due=respond_due,
        resolve_due=_instant(memo["resolve_due"]),
        overdue=now > respond_due,
        workflow_id=execution.id,
        ui_url=engine.page(execution.id),
    )
    return [Waiting(row, "attest", _about(execution.typed_search_attributes, memo))]


def _about(found: TypedSearchAttributes, memo: Mapping[str, Any]) -> Mapping[str, Any]:
    return {
        "key": read(found, "PhasegateProduct") or "",
        "name": memo["name"],
        "owner": read(found, "PhasegateOwner") or "",
        "policy": read(found, "PhasegatePolicy") or "",
        "tier": memo["tier"],
    }


def _pending(execution: WorkflowExecution, memo: Mapping[str, Any]) -> list[str]:
    """Whom the round waits for. The attribute says it unless the memo does."""
    named: list[str] | None = memo.get("pending")
    if named is not None:
        return named
    keys = execution.typed_search_attributes.get(KEYS["PhasegateWaitingOn"]) or []
    prefix = person_key("")
    return [key.removeprefix(prefix) for key in keys if key.startswith(prefix)]


def _holders(
    who: str, pending: Sequence[str], memo: Mapping[str, Any], desk: Desk
) -> Sequence[str]:
    """Whose seats this person may fill: their own, those of people who named them or whose absence
    they cover, and those that these would have filled."""
    acting: Mapping[str, list[str]] = memo["acting"]
    covered = [person for person in desk.people if desk.covers(person, memo["directory"])]
    also = {holder for person in (who, *covered) for holder in acting.get(person, ())}
    return [person for person in pending if person == who or person in covered or person in also]


def _groups(person: str, memo: Mapping[str, Any]) -> str:
    seats: Mapping[str, list[str]] = memo["seats"]
    return ", ".join(seats.get(person, ()))


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)
