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
from client.spelling import spellings
from ledger.naming import Register
from phasegate.errors import EngineError
from phasegate.pseudonyms import PLAIN, in_use
from phasegate.rows import InboxRow
from phasegate.search import EVERYBODY, attester_key, inbox_keys, person_key
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
    keys = [
        key
        for names in await spellings(engine.client)
        for key in inbox_keys(who, desk.people, desk.groups, names)
    ]
    asked, register = ", ".join(map(quoted, dict.fromkeys(keys))), Register(engine.ledger)
    text = (
        "WorkflowType = 'GateReview' AND ExecutionStatus = 'Running' "
        f"AND PhasegateStatus IN ('open', 'waiting-on-owner') AND PhasegateWaitingOn IN ({asked})"
    )
    found: list[Waiting] = []
    gates = 0  # counted here: some that are listed turn out to wait for others
    async for execution in engine.client.list_workflows(text):
        if gates == limit:
            break
        memo = await execution.memo()
        if "round" in memo:  # it knows by now who votes
            about = _about(execution.typed_search_attributes, memo, register)
            rows = list(_rows(engine, execution, memo, about, who, desk, now))
            if attests(who, _named(execution), memo):
                rows += await _attesting(engine, execution, memo, about, who, now)
            gates += bool(rows)
            found += rows
    return sorted(found, key=lambda w: (w.row.respond_due, w.row.product, w.row.gate))


def _rows(
    engine: Engine,
    execution: WorkflowExecution,
    memo: Mapping[str, Any],
    about: Mapping[str, Any],
    who: str,
    desk: Desk,
    now: datetime,
) -> Iterator[Waiting]:
    found, owner = execution.typed_search_attributes, about["owner"]
    work = read(found, "PhasegateStatus") == "waiting-on-owner"
    if work or who == owner:  # an owner has work, and no vote, not even in another's name
        mine = who == owner or who in memo.get("team", ())
        holders: Sequence[str] = [who] if work and mine else []
    else:
        holders = holders_for(who, _pending(_named(execution), memo), memo, desk)
    for holder in holders:
        since = memo.get("work_since") if work else memo["since"].get(holder)
        respond_due = _instant(memo["due"].get(holder) or memo["respond_due"])
        row = InboxRow(
            product=about["key"],
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
            assurance=memo.get("assurance", "claimed"),
            workflow_id=execution.id,
            ui_url=engine.page(execution.id),
        )
        yield Waiting(row, "work" if work else "vote", about)


async def _attesting(
    engine: Engine,
    execution: WorkflowExecution,
    memo: Mapping[str, Any],
    about: Mapping[str, Any],
    who: str,
    now: datetime,
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
        assurance=view.assurance,
        workflow_id=execution.id,
        ui_url=engine.page(execution.id),
    )
    return [Waiting(row, "attest", about)]


def _about(
    found: TypedSearchAttributes, memo: Mapping[str, Any], register: Register
) -> Mapping[str, Any]:
    key = read(found, "PhasegateProduct") or ""
    return {
        "key": key,
        "name": memo["name"],
        "owner": register.person(read(found, "PhasegateOwner") or "", key),
        "policy": read(found, "PhasegatePolicy") or "",
        "tier": memo["tier"],
    }


def _named(execution: WorkflowExecution) -> Sequence[str]:
    return execution.typed_search_attributes.get(KEYS["PhasegateWaitingOn"]) or []


def attests(who: str, named: Sequence[str], memo: Mapping[str, Any]) -> bool:
    """Whether this person may attest something. The attribute says it unless the memo does."""
    if attester_key(who) in named or attester_key(who, in_use()) in named:
        return True
    return EVERYBODY in named and who in (memo.get("attesters") or ())


def _pending(named: Sequence[str], memo: Mapping[str, Any]) -> Sequence[str]:
    """Whom the round waits for. The attribute says it unless the memo does."""
    told: list[str] | None = memo.get("pending")
    if told is not None:
        return told
    # Whoever the attribute names is in the open step, and the memo has all of these by name.
    people = {person_key(p, names): p for p in memo["seats"] for names in (PLAIN, in_use())}
    return [people[key] for key in named if key in people]


def holders_for(
    who: str, pending: Sequence[str], memo: Mapping[str, Any], desk: Desk
) -> Sequence[str]:
    """Whose seats this person may fill: their own, those of people who named them or whose absence
    they cover, and those that these would have filled. None for who had a hand in the product: the
    gate would refuse their vote in anybody's name."""
    if who in memo.get("barred", ()):
        return []
    acting: Mapping[str, list[str]] = memo["acting"]
    covered = [person for person in desk.people if desk.covers(person, memo["directory"])]
    also = {holder for person in (who, *covered) for holder in acting.get(person, ())}
    return [person for person in pending if person == who or person in covered or person in also]


def _groups(person: str, memo: Mapping[str, Any]) -> str:
    seats: Mapping[str, list[str]] = memo["seats"]
    return ", ".join(seats.get(person, ()))


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)
