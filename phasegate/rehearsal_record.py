"""One rehearsed life, out of the record that its product left in the ledger."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from typing import Literal

from phasegate.events import Announcement
from phasegate.past_product import PastProduct
from phasegate.past_round import PastRound
from phasegate.policy import Policy
from phasegate.rehearsal_cast import steady
from phasegate.rehearsal_stuck import TIMEOUT, named, waiting_for_all
from phasegate.rehearsal_view import (
    ClockFired,
    ClockName,
    PhaseRehearsed,
    RoundRehearsed,
    RunRehearsed,
    StuckAt,
)
from phasegate.rehearsal_waits import Step, missing_of, steps_of, waited
from phasegate.sunset import GateTask

GateKind = Literal["phase", "review", "sunset"]


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
    waits = steps_of(events)
    missing = _missing(policy, events)
    known = kinds(policy)
    end = steady(max([until if stuck is None else events[-1].at, events[-1].at]))
    if stuck:
        places = {phase.id: phase.title for phase in policy.phases}
        places |= {id: title for id, (title, _) in known.items()}
        last = (stuck.where, stuck.round or 0)
        seats = waits[last][-1].asked if waits.get(last) else {}
        silent = missing_of(seats, missing.get(last))
        stuck = named(stuck, {person: seats[person].groups for person in sorted(silent)}, places)
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
            _round(
                held,
                known.get(held.gate, (held.gate, "phase")),
                waits.get((held.gate, held.round), []),
                missing.get((held.gate, held.round)),
                end,
                stuck,
            )
            for held in past.rounds.values()
        ],
        clocks=[*_clocks(events)],
        stuck=stuck,
    )


def _round(
    held: PastRound,
    known: tuple[str, GateKind],
    steps: Sequence[Step],
    needed: Collection[str] | None,
    end: datetime,
    stuck: StuckAt | None,
) -> RoundRehearsed:
    title, kind = known
    decided = steady(held.ended_at) if held.ended_at and held.outcome else None
    by_timeout = TIMEOUT in held.why
    if decided is None and stuck and (stuck.where, stuck.round) == (held.gate, held.round):
        needed = stuck.waits_for
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
        waited=waited(
            steps,
            decided or end,
            is_open=decided is None or by_timeout,
            in_vain=by_timeout or (decided is None and stuck is not None),
            needed=needed,
        ),
    )


def _missing(
    policy: Policy, events: Sequence[Announcement]
) -> dict[tuple[str, int], list[str] | None]:
    """Round → whose answers its requirements still waited for when it was decided; None where it
    waited for everybody, or does not say."""
    found: dict[tuple[str, int], list[str] | None] = {}
    everybody = waiting_for_all(policy)
    for event in events:
        view, gate = event.data.get("view"), str(event.data.get("gate"))
        if event.type == "gate.decided" and isinstance(view, dict):
            unmet = view.get("requirements")
            if gate in everybody or view.get("cannot_pass"):
                unmet = None
            people = {person for one in unmet or () for person in one.get("candidates") or ()}
            about = gate, int(event.data.get("round") or 0)
            found[about] = None if unmet is None else sorted(people)
    return found


def _clocks(events: Sequence[Announcement]) -> Iterator[ClockFired]:
    for event in events:
        if not event.type.startswith("gate."):
            continue
        data, clock = event.data, _clock(event)
        if clock:
            whole = clock in ("escalation", "hold", "kill")
            told: dict[str, list[str]] = {} if whole else data.get("acting") or {}
            acting = {holder: sorted(others) for holder, others in told.items() if others}
            yield ClockFired(
                at=steady(event.at),
                clock=clock,
                gate=str(data.get("gate")),
                round=int(data.get("round") or 0),
                people=[] if whole else list(data.get("pending") or ()),
                acting=sorted({other for others in acting.values() for other in others}),
                acting_for=acting,
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
