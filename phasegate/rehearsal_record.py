"""One rehearsed life, out of the record that its product left in the ledger."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from phasegate.events import Announcement
from phasegate.figures import days
from phasegate.past_product import PastProduct
from phasegate.past_round import PastRound
from phasegate.policy import Policy
from phasegate.rehearsal_cast import steady
from phasegate.rehearsal_stuck import TIMEOUT
from phasegate.rehearsal_view import (
    ClockFired,
    ClockName,
    PhaseRehearsed,
    RoundRehearsed,
    RunRehearsed,
    StuckAt,
    Waited,
)
from phasegate.sunset import GateTask

GateKind = Literal["phase", "review", "sunset"]
NOTHING = timedelta(0)


def kinds(policy: Policy) -> dict[str, tuple[str, GateKind]]:
    """Every gate's title and kind, in the order a product meets them."""
    found: dict[str, tuple[str, GateKind]] = {}
    for phase in policy.phases:
        if phase.review:
            found[phase.review.gate.id] = phase.review.gate.title, "review"
        if phase.gate:
            found[phase.gate.id] = phase.gate.title, "phase"
    for task in policy.sunset.tasks if policy.sunset else ():
        if isinstance(task, GateTask):
            found[task.gate.id] = task.gate.title, "sunset"
    return found


def life(
    policy: Policy,
    key: str,
    events: Sequence[Announcement],
    *,
    number: int,
    seed: int,
    until: datetime,
    absent: str = "",
    stuck: StuckAt | None = None,
) -> RunRehearsed:
    """The time line of a run. Instants are whole minutes; what is open waits until `until`, or
    until it is seen to be stuck for good."""
    past = PastProduct.of(key, events)
    titles = {phase.id: phase for phase in policy.phases}
    phases = [
        PhaseRehearsed(
            phase=stay.phase,
            title=titles[stay.phase].title if stay.phase in titles else "Sunset",
            start=steady(stay.since),
            end=steady(stay.until) if stay.until else None,
            in_market=stay.phase in titles and titles[stay.phase].in_market,
        )
        for stay in past.stays
    ]
    waits = _waits(events)
    known = kinds(policy)
    end = steady(max([until if stuck is None else events[-1].at, events[-1].at]))
    return RunRehearsed(
        number=number,
        seed=seed,
        absent=absent,
        status=past.status,
        started_at=steady(past.started_at or events[0].at),
        launched_at=next((stay.start for stay in phases if stay.in_market), None),
        ended_at=steady(past.ended_at) if past.ended_at else None,
        phases=phases,
        rounds=[
            _round(held, known.get(held.gate, (held.gate, "phase")), waits, end, stuck)
            for held in past.rounds.values()
        ],
        clocks=[*_clocks(events)],
        stuck=stuck,
    )


def _round(
    held: PastRound,
    known: tuple[str, GateKind],
    waits: Mapping[tuple[str, int], dict[str, _Asked]],
    end: datetime,
    stuck: StuckAt | None,
) -> RoundRehearsed:
    title, kind = known
    decided = steady(held.ended_at) if held.ended_at and held.outcome else None
    asked = waits.get((held.gate, held.round), {})
    by_timeout = TIMEOUT in held.why
    return RoundRehearsed(
        gate=held.gate,
        title=title,
        kind=kind,
        round=held.round,
        opened_at=steady(held.opened_at),
        decided_at=decided,
        outcome=held.outcome,
        why=held.why,
        by_timeout=by_timeout,
        waited=_waited(
            asked,
            decided or end,
            is_open=decided is None or by_timeout,
            in_vain=by_timeout or (decided is None and stuck is not None),
        ),
    )


@dataclass
class _Asked:
    groups: tuple[str, ...]
    since: datetime
    answered_at: datetime | None = None
    late: bool = False
    before: timedelta = field(default=NOTHING)
    """How long they were waited for when they were asked before."""


def _waits(events: Sequence[Announcement]) -> dict[tuple[str, int], dict[str, _Asked]]:
    """Round → person → since when they were asked, and when they answered."""
    rounds: dict[tuple[str, int], dict[str, _Asked]] = {}
    for event in events:
        gate, number = event.data.get("gate"), event.data.get("round")
        if not isinstance(gate, str) or not isinstance(number, int):
            continue
        asked, at = rounds.setdefault((gate, number), {}), steady(event.at)
        match event.type:
            case "gate.opened" | "gate.step" | "gate.seats":
                seats: dict[str, Any] = event.data.get("seats") or {}
                for person, groups in seats.items():
                    asked.setdefault(person, _Asked(tuple(groups), at))
            case "gate.changed":
                for person in event.data.get("voided") or ():
                    if (seat := asked.get(person)) and seat.answered_at:
                        seat.before += seat.answered_at - seat.since
                        seat.since, seat.answered_at = at, None
            case "gate.overdue":
                for person in event.data.get("pending") or ():
                    if seat := asked.get(person):
                        seat.late = True
            case "gate.vote":
                holder = event.data.get("on_behalf_of") or event.actor
                if seat := asked.get(holder):
                    seat.answered_at = at
            case _:
                pass
    return rounds


def _waited(
    asked: Mapping[str, _Asked], end: datetime, *, is_open: bool, in_vain: bool
) -> list[Waited]:
    """How long each was waited for. Critical is the last wait before the end: of those who never
    answered where the round is open or its deadline ended it, else of the last to answer."""
    answers = sorted(seat.answered_at for seat in asked.values() if seat.answered_at)
    silent = [person for person, seat in asked.items() if seat.answered_at is None]
    critical: dict[str, timedelta] = {}
    if is_open and silent:
        for person in silent:  # each alone would not have moved it, so they share it
            since = max([asked[person].since, *answers[-1:]])
            critical[person] = max(end - since, NOTHING) / len(silent)
    elif answers:
        last = [person for person, seat in asked.items() if seat.answered_at == answers[-1]]
        earlier = [at for at in answers if at < answers[-1]]
        for person in last:
            since = max([asked[person].since, *earlier[-1:]])
            critical[person] = (answers[-1] - since) / len(last)
    return [
        Waited(
            who=person,
            groups=list(seat.groups),
            days=days(seat.before + max((seat.answered_at or end) - seat.since, NOTHING)),
            critical=days(critical.get(person, NOTHING)),
            answered=seat.answered_at is not None,
            silent=seat.answered_at is None and (seat.late or in_vain),
        )
        for person, seat in sorted(asked.items())
    ]


def _clocks(events: Sequence[Announcement]) -> Iterator[ClockFired]:
    for event in events:
        if not event.type.startswith("gate."):
            continue
        data, clock = event.data, _clock(event)
        if clock:
            whole = clock in ("escalation", "hold", "kill")
            yield ClockFired(
                at=steady(event.at),
                clock=clock,
                gate=str(data.get("gate")),
                round=int(data.get("round") or 0),
                people=[] if whole else list(data.get("pending") or ()),
            )


def _clock(event: Announcement) -> ClockName | None:
    match event.type.removeprefix("gate."):
        case "reminder":
            return "reminder"
        case "overdue":
            return "overdue"
        case "escalated":
            return "escalation" if "escalations" in event.data else "manager"
        case "decided":
            view = event.data.get("view") or {}
            if TIMEOUT in str(view.get("why")):
                return "kill" if view.get("outcome") == "kill" else "hold"
        case _:
            pass
    return None
