"""Milestones: dated goals, and where each stands."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta
from enum import StrEnum

from phasegate.base import Instant, Wire
from phasegate.check import Check, ReportedCheck
from phasegate.policy import Phase
from phasegate.ports import Finding
from phasegate.product import Product, RoadmapMilestone
from phasegate.requests import MilestoneRequest
from phasegate.span import Span


class MilestoneStatus(StrEnum):
    planned = "planned"
    at_risk = "at-risk"
    met = "met"
    missed = "missed"
    waived = "waived"

    @property
    def settled(self) -> bool:
        """Nothing more is expected of it."""
        return self in (MilestoneStatus.met, MilestoneStatus.waived)


class Milestone(Wire):
    """One milestone of one product."""

    id: str
    title: str
    phase: str
    check: Check = ReportedCheck()
    due: Instant | None = None
    at_risk: Span = Span()
    state: MilestoneStatus = MilestoneStatus.planned
    finding: Finding = Finding.not_met
    met_at: Instant | None = None
    why: str = ""

    def next_turn(self) -> datetime | None:
        """When the clock will change its state."""
        if self.due is None or self.state.settled or self.state is MilestoneStatus.missed:
            return None
        if self.state is MilestoneStatus.planned:
            try:
                return min(self.at_risk.before(self.due), self.due)
            except (OverflowError, ValueError):  # before the first day that Python knows
                return self.due
        return self.due

    def turn(self, now: datetime) -> bool:
        """Let the clock act; True if the state changed."""
        due = self.next_turn()
        if due is None or now < due:
            return False
        assert self.due is not None
        self.state = MilestoneStatus.missed if now >= self.due else MilestoneStatus.at_risk
        return True

    def shift(self, by: timedelta) -> None:
        """Move an unmet date; one at the end of time (`9999-12-31`, never) stays where it is."""
        if self.due and not self.state.settled:
            with suppress(OverflowError):
                self.due += by

    def meet(self, now: datetime, why: str) -> None:
        self.state, self.met_at, self.why = MilestoneStatus.met, now, why

    def act(self, request: MilestoneRequest, now: datetime) -> str:
        """Do what the request asks, and say so."""
        match request.action:
            case "report":
                self.meet(now, request.note or f"reported by {request.actor}")
                return f"{self.title} is met"
            case "waive":
                self.state, self.why = MilestoneStatus.waived, request.note
                return f"{self.title} is waived"
            case _:
                assert request.due is not None
                self.state, self.due, self.why = MilestoneStatus.planned, request.due, request.note
                return f"{self.title} is now due {request.due:%Y-%m-%d %H:%M} UTC"


def roadmap_of(phase: Phase, product: Product) -> list[Milestone]:
    """The milestones of a phase: the policy's goals with the product's dates, then its own."""
    dated = {goal.id: goal for goal in product.milestones if goal.phase == phase.id}
    found = []
    for goal in phase.milestones:
        plan = dated.pop(goal.id, None)
        found.append(
            Milestone(
                id=goal.id,
                title=(plan.title if plan and plan.title else goal.title),
                phase=phase.id,
                check=goal.check,
                due=plan.due if plan else None,
                at_risk=phase.at_risk,
            )
        )
    found += [
        Milestone(
            id=plan.id,
            title=plan.title or plan.id,
            phase=phase.id,
            check=plan.check or ReportedCheck(),
            due=plan.due,
            at_risk=phase.at_risk,
        )
        for plan in dated.values()
    ]
    return found


def replan(
    milestones: list[Milestone], phase: Phase | None, before: Product, after: Product
) -> list[str]:
    """Follow a new definition, and say how: what is new in this phase joins, dates move.

    Nothing leaves: a criterion may name it. No check changes: an owner could settle it by that.
    """
    told: list[str] = []
    old, new = _plans(before), _plans(after)
    for milestone in milestones:
        was, now = (
            old.get((milestone.phase, milestone.id)),
            new.get((milestone.phase, milestone.id)),
        )
        if was == now or milestone.state.settled:
            continue
        if now is None:
            told.append(f"milestone {milestone.id} stays, since a gate may ask for it")
            continue
        milestone.title = now.title or milestone.title
        if now.due != (was.due if was else None):
            milestone.due, milestone.state = now.due, MilestoneStatus.planned
            due = f"due {now.due:%Y-%m-%d %H:%M} UTC" if now.due else "without a date"
            told.append(f"milestone {milestone.id} is now {due}")
        if was and was.check != now.check:
            told.append(f"milestone {milestone.id} keeps the check it has")
    known = {milestone.id for milestone in milestones}
    joining = [m for m in roadmap_of(phase, after) if m.id not in known] if phase else []
    milestones += joining
    return told + [f"milestone {milestone.id} joins" for milestone in joining]


def start_again(milestones: list[Milestone], phase: Phase, product: Product) -> dict[str, str]:
    """A phase is entered again: its milestones are planned anew, without dates. What they were."""
    before = {m.id: m.state.value for m in milestones if m.phase == phase.id}
    others = [m for m in milestones if m.phase != phase.id]
    known = {milestone.id for milestone in others}
    anew = [m for m in roadmap_of(phase, product) if m.id not in known]
    for milestone in anew:
        milestone.due = None
    milestones[:] = [*others, *anew]
    return before


def _plans(product: Product) -> dict[tuple[str, str], RoadmapMilestone]:
    return {(plan.phase, plan.id): plan for plan in product.milestones}
