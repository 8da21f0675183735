"""A committee to test rounds with: plain days for a calendar, and what workflows do around it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from phasegate.admission import admit, check_vote, vote_of
from phasegate.casting import CastVote
from phasegate.directory import Permission
from phasegate.errors import Forbidden, Refusal
from phasegate.facts import ProductFacts
from phasegate.gate import Gate, Requirement
from phasegate.ports import Authority, Away, ClockOrder, Convened, Timetable
from phasegate.requests import VoteRequest
from phasegate.review import Round
from phasegate.seats import in_force

START = datetime(2026, 11, 23, 9, tzinfo=UTC)
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
WORKFLOW = "product/kettle/gate/g1"

RESPOND, RESOLVE, ESCALATE, REMIND = 5 * DAY, 10 * DAY, 2 * DAY, DAY

ONE = [Requirement(group="eng")]
TWO = [Requirement(group="eng", need=2)]
TWO_STEPS = [Requirement(group="eng"), Requirement(group="legal", step=2)]


def facts(**more: object) -> ProductFacts:
    return ProductFacts.model_validate(
        {
            "key": "kettle",
            "name": "Kettle",
            "owner": "owner",
            "tier": 1,
            "policy": "standard",
            "policy_digest": "sha256:0",
            "directory": "default",
            **more,
        }
    )


def timetable(
    order: ClockOrder, people: Iterable[str], lag: Mapping[str, timedelta] | None = None
) -> Timetable:
    """What the activity answers, in days of 24 hours; `lag` makes somebody's days longer."""
    since, before, people = order.since, order.before, sorted(people)
    respond = {p: since + RESPOND + (lag or {}).get(p, 0 * DAY) for p in people}
    resolve = max([since + RESOLVE, *respond.values()])
    if before and order.kind == "respond":
        resolve = before.resolve
    if before and order.kind == "keep":
        respond, resolve = {**respond, **before.respond}, before.resolve
    if before and order.kind == "resume":
        assert order.stopped
        gone, stopped = since - order.stopped, order.stopped

        def moved(due: datetime) -> datetime:
            return due + gone if due > stopped else due

        respond |= {p: moved(due) for p, due in before.respond.items() if p in respond}
        resolve = moved(before.resolve)
    escalate = {p: due + ESCALATE for p, due in respond.items()}
    if before and order.kind == "resume":
        escalate |= {p: moved(due) for p, due in before.escalate.items() if p in respond}
    remind = {p: [due - REMIND] for p, due in respond.items() if due - REMIND > since}
    if before and order.kind == "keep":
        escalate |= before.escalate
        remind |= before.remind
    return Timetable(respond=respond, escalate=escalate, remind=remind, resolve=resolve)


def convened(
    state: Round,
    members: Mapping[str, Iterable[str]],
    *,
    seated: Iterable[str] = (),
    lag: Mapping[str, timedelta] | None = None,
    order: ClockOrder | None = None,
    **more: object,
) -> Convened:
    """The answer to the order that waits first."""
    order = order or state.clocks.again[0].order
    order = order.model_copy(update={"before": order.before or state.clocks.timetable})
    people = {person for group in members.values() for person in group} | {*seated}
    return Convened.model_validate(
        {
            "directory_digest": "sha256:1",
            "members": {group: tuple(people) for group, people in members.items()},
            "applying": in_force(state.gate.requires, state.product.tier),
            "timetable": timetable(order, people, lag),
            **more,
        }
    )


def opened(requires: Iterable[Requirement], **gate: object) -> Round:
    """A round that waits to be convened."""
    more = gate.pop("facts", {})
    assert isinstance(more, dict)
    state = Round(
        product=facts(**more),
        gate=Gate.model_validate({"id": "g1", "title": "Idea", "requires": [*requires], **gate}),
        round=1,
        submitter="sue",
        opened_at=START,
    )
    state.clocks.ask_again("opened", "start", START)
    return state


def sitting(
    requires: Iterable[Requirement],
    members: Mapping[str, Iterable[str]],
    *,
    found: Mapping[str, Any] | None = None,
    **gate: object,
) -> Round:
    """A convened round: respond in five days, resolve in ten, a reminder on day four, managers on
    day seven."""
    state = opened(requires, **gate)
    state.convene(convened(state, members, **(found or {})))
    return state


def again(state: Round, members: Mapping[str, Iterable[str]] | None = None, **more: Any) -> None:
    """Carry out what waits, with these members from now on, or the same as before."""
    assert state.convened
    kept = state.convened
    more = {
        "criteria": kept.criteria,
        "deputies": kept.deputies,
        "managers": kept.managers,
        "absences": kept.absences,
        "seated": [given.to for given in state.reassigned],
        **more,
    }
    while state.clocks.again:
        state.convene(convened(state, members or kept.members, **more))


def says(approver: str, vote: str, **more: object) -> VoteRequest:
    conditions = [{"text": "docs"}] if vote == "conditional-go" else []
    return VoteRequest.model_validate(
        {"approver": approver, "vote": vote, "request_id": "r", "conditions": conditions, **more}
    )


def take(state: Round, request: VoteRequest, now: datetime = START) -> CastVote:
    """Take a vote as the workflow does, and leave the gate unjudged."""
    check_vote(state, request)
    vote = vote_of(state, request, admit(state, request, now), now, "update")
    state.ballots.cast(vote)
    return vote


def cast(state: Round, who: str, vote: str, now: datetime = START, **more: object) -> CastVote:
    """Take a vote as the workflow does."""
    found = take(state, says(who, vote, **more), now)
    state.settle(now)
    return found


def turn_clocks(state: Round, now: datetime) -> dict[str, list[str]]:
    """Let the clocks act as the workflow does; who is told what."""
    pending = list(state.verdict(now).pending)
    reminded = state.clocks.due_reminder(pending, now)
    told = {"late": state.clocks.newly_late(pending, now)}
    told["reminded"] = [person for person in reminded if person not in state.clocks.late]
    told["escalated"] = state.clocks.newly_escalated(pending, now)
    if state.settle(now).escalate and not state.closed:
        state.escalate(now)
        told["undecided"] = pending
    return {what: people for what, people in told.items() if people}


def hear(
    state: Round,
    now: datetime = START,
    *,
    by: str = "olga",
    title: str = "plan",
    **more: object,
) -> list[CastVote]:
    """A piece of evidence is attached; what becomes void by that."""
    evidence = [*state.product.evidence, {"title": title, "link": "", "digest": "", "by": by}]
    changed = {"evidence": evidence, **more}
    return state.hear(state.product.model_copy(update=changed, deep=True), now)


def away(start: datetime, end: datetime, delegate: str | None = None) -> Away:
    return Away(start=start, end=end, delegate=delegate)


def may(*permissions: str, **more: object) -> Authority:
    """What the directory says of somebody."""
    known = {"known": True, "about_known": True, **more}
    return Authority.model_validate({"permissions": [Permission(p) for p in permissions], **known})


def refused(code: str, do: Callable[[], object], *said: str, forbidden: bool = False) -> Refusal:
    """This must be refused so, in words that say what, why and what to do, among them these."""
    with pytest.raises(Refusal) as caught:
        do()
    refusal = caught.value
    assert refusal.code == code, f"{refusal.code}: {refusal}"
    assert isinstance(refusal, Forbidden) is forbidden
    assert refusal.what
    assert refusal.why
    assert refusal.hint.startswith("phasegate ")
    text = f"{refusal.what}; {refusal.why}; {refusal.hint}"
    assert [part for part in said if part not in text] == [], text
    return refusal


def forbidden(code: str, do: Callable[[], object], *said: str) -> Refusal:
    """The same for what is not this person's to do: it is recorded."""
    return refused(code, do, *said, forbidden=True)
