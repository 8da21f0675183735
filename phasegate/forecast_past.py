"""What a forecast starts from: the dates as they were first planned, and what has been."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from phasegate.base import Instant, Wire
from phasegate.forecast_view import GateForecast, MilestoneForecast, PhaseForecast
from phasegate.policy import Phase, Policy
from phasegate.views import MilestoneView, ProductView

NOTHING = timedelta(0)
SETTLED = ("met", "waived")


class PhaseEntry(Wire):
    """A product entered a phase; `sunset` stands for its sunset."""

    phase: str
    at: Instant


@dataclass(frozen=True)
class Planned:
    """A phase as it was first planned."""

    start: datetime | None = None
    end: datetime | None = None


def days_late(at: datetime | None, planned: datetime | None, *, done: bool = False) -> int | None:
    """Calendar days (UTC) from planned to `at`; negative only of what is done."""
    if at is None or planned is None:
        return None
    days = (at.date() - planned.date()).days
    return days if done else max(days, 0)


def later(at: datetime, by: timedelta) -> datetime:
    """`at` moved on; what would leave the calendar (`9999-12-31`, never) stays where it is."""
    try:
        return at + by
    except OverflowError:
        return at


def latest(instants: Iterable[datetime | None]) -> datetime | None:
    return max((at for at in instants if at), default=None)


def baseline(policy: Policy, view: ProductView) -> dict[str, Planned]:
    """Every phase by the first dates of its milestones and the time that the policy gives its gate
    (business days as calendar days, seven for five)."""
    dates: dict[str, list[datetime]] = {}
    planned = [(m.phase, m.planned or m.due) for m in view.milestones]
    planned += [(m.phase, m.planned or m.due) for m in view.ahead]
    for name, first in planned:
        if first:
            dates.setdefault(name, []).append(first)
    found: dict[str, Planned] = {}
    start: datetime | None = view.started_at
    at: str | None = policy.phases[0].id
    while at is not None and at not in found:
        phase = policy.phase(at)
        end = latest(dates.get(at, ()))
        if end and phase.gate:
            end = later(end, phase.gate.clocks.resolve.approximate)
        found[at] = Planned(start, end)
        start, at = end, policy.following(at)
    return found


def goals_of(phase: Phase, view: ProductView, *, ahead: bool) -> list[MilestoneForecast]:
    """The milestones of a phase, with `expected` as what they wait for has it.

    A phase that the product comes back to starts again: its milestones have no dates then.
    """
    if not ahead:
        return [_goal(m) for m in view.milestones if m.phase == phase.id]
    again = any(m.phase == phase.id for m in view.milestones)
    dated = {} if again else {m.id: m for m in view.ahead if m.phase == phase.id}
    found = []
    for goal in phase.milestones:
        plan = dated.pop(goal.id, None)
        found.append(
            MilestoneForecast(
                id=goal.id,
                title=plan.title if plan and plan.title != goal.id else goal.title,
                phase=phase.id,
                state="planned",
                due=plan.due if plan else None,
                planned=plan.planned if plan else None,
                waits_for=plan.waits_for if plan else "",
                ahead=True,
            )
        )
    for plan in dated.values():
        found.append(
            MilestoneForecast(state="planned", ahead=True, **plan.model_dump(exclude={"state"}))
        )
    return found


def _goal(milestone: MilestoneView) -> MilestoneForecast:
    return MilestoneForecast(
        id=milestone.id,
        title=milestone.title,
        phase=milestone.phase,
        state=milestone.state,
        planned=milestone.planned or milestone.due,
        due=milestone.due,
        expected=milestone.expected,
        actual=milestone.met_at,
        waits_for=milestone.waits_for,
    )


def past_milestone(milestone: MilestoneView) -> MilestoneForecast:
    """One of which nothing is expected: it is settled, or its phase is over."""
    found = _goal(milestone)
    found.expected = None
    found.slip = days_late(found.actual, found.planned, done=True)
    return found


def past_phases(
    policy: Policy,
    view: ProductView,
    entries: Sequence[PhaseEntry],
    plan: Mapping[str, Planned],
) -> list[PhaseForecast]:
    """Every stay in a phase up to now. Only a first stay was planned."""
    if not entries and view.phase and view.entered_at and view.status != "sunsetting":
        entries = [PhaseEntry(phase=view.phase, at=view.entered_at)]
    phases = {phase.id: phase for phase in policy.phases}
    found: list[PhaseForecast] = []
    for number, entry in enumerate(entries):
        following = entries[number + 1 : number + 2]
        end = following[0].at if following else view.ended_at
        first = all(entry.phase != before.phase for before in entries[:number])
        planned = plan.get(entry.phase, Planned()) if first else Planned()
        phase = phases.get(entry.phase)
        found.append(
            PhaseForecast(
                phase=entry.phase,
                title=phase.title if phase else entry.phase.capitalize(),
                state="done" if end else "current",
                in_market=phase is not None and phase.in_market,
                start=entry.at,
                end=end,
                planned_start=planned.start,
                planned_end=planned.end,
                slip=days_late(end, planned.end, done=True),
            )
        )
    return found


def past_gates(
    policy: Policy, view: ProductView, plan: Mapping[str, Planned]
) -> list[GateForecast]:
    """Every round that was held. The plan is that of the last one of its gate."""
    ends = {phase.gate.id: phase for phase in policy.phases if phase.gate}
    reviews = {phase.review.gate.id: phase for phase in policy.phases if phase.review}
    titles = {gate.id: gate.title for gate in policy.gates()}
    last = {held.gate: held for held in view.gates}
    found = []
    for held in view.gates:
        phase = ends.get(held.gate) or reviews.get(held.gate)
        decisive = held.gate in ends and held is last[held.gate]
        planned = plan.get(ends[held.gate].id, Planned()).end if decisive else None
        found.append(
            GateForecast(
                gate=held.gate,
                title=titles.get(held.gate, held.gate),
                phase=phase.id if phase else "",
                kind="review" if held.gate in reviews else "phase",
                state="decided",
                round=held.round,
                outcome=held.outcome,
                opened=held.opened_at,
                planned=planned,
                actual=held.decided_at,
                slip=days_late(held.decided_at, planned, done=True),
            )
        )
    return found
