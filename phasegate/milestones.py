"""Milestones: dated goals, and where each stands."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType

from pydantic import Field

from phasegate.base import Instant, Wire
from phasegate.check import Check, EventCheck, ProductCheck, ReportedCheck
from phasegate.filling import fill
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
    planned: Instant | None = Field(None, description="the first date it had, however it moves")
    at_risk: Span = Span()
    state: MilestoneStatus = MilestoneStatus.planned
    finding: Finding = Finding.not_met
    met_at: Instant | None = None
    expected: Instant | None = Field(
        None, description="when what it waits for in another product is expected there"
    )
    why: str = ""
    problem: str = Field("", description="why its check cannot be asked: the product lacks a value")

    @property
    def waits_for(self) -> str:
        """The milestone or gate of another product, as `KEY/ID`; empty if it waits for none."""
        return target_of(self.check)

    @property
    def comes(self) -> datetime | None:
        """When it is to be met: its own date, or that of what it waits for if that is later."""
        known = [at for at in (self.due, self.expected) if at]
        return max(known, default=None)

    def fill(self, product: Product) -> None:
        """Put the product's values into its check, or say why that cannot be."""
        filled, before = fill(self.check, product), self.problem
        self.check, self.problem = filled.check, filled.problem
        if before or filled.problem:
            self.why = f"cannot tell: {filled.problem}" if filled.problem else ""

    def next_turn(self) -> datetime | None:
        """When the clock will change its state."""
        if self.due is None or self.state.settled or self.state is MilestoneStatus.missed:
            return None
        return self._soon(self.due) if self.state is MilestoneStatus.planned else self.due

    def _soon(self, due: datetime) -> datetime:
        """From when on it is at risk because its date is near."""
        try:
            return min(self.at_risk.before(due), due)
        except (OverflowError, ValueError):  # before the first day that Python knows
            return due

    def turn(self, now: datetime) -> bool:
        """Let the clock act; True if the state changed."""
        due = self.next_turn()
        if due is None or now < due:
            return False
        assert self.due is not None
        self.state = MilestoneStatus.missed if now >= self.due else MilestoneStatus.at_risk
        return True

    def expect(self, expected: datetime | None, now: datetime) -> bool:
        """What it waits for is expected at another time; True if its own state changed by that.

        It is never missed by that: only the clock says so, which stands still on hold.
        """
        self.expected = expected
        if self.due is None or self.state not in (MilestoneStatus.planned, MilestoneStatus.at_risk):
            return False
        before, risk = self.state, self._waits_too_long() or now >= self._soon(self.due)
        self.state = MilestoneStatus.at_risk if risk else MilestoneStatus.planned
        return self.state is not before

    def _waits_too_long(self) -> bool:
        return self.due is not None and self.expected is not None and self.expected > self.due

    def plan(self, due: datetime | None) -> None:
        """Give it another date. The first one it had is kept: a slip is measured against it."""
        self.planned = self.planned or self.due or due
        self.state, self.due = MilestoneStatus.planned, due
        if self._waits_too_long():
            self.state = MilestoneStatus.at_risk

    def shift(self, by: timedelta) -> None:
        """Move an unmet date; one at the end of time (`9999-12-31`, never) stays where it is."""
        if self.due and not self.state.settled:
            self.planned = self.planned or self.due
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
                self.plan(request.due)
                self.why = request.note
                return f"{self.title} is now due {request.due:%Y-%m-%d %H:%M} UTC"


def target_of(check: Check | None) -> str:
    """What of another product a check asks for, as `KEY/ID`; empty if it asks no product."""
    if not isinstance(check, ProductCheck):
        return ""
    return f"{check.product}/{check.milestone or check.gate}"


def _awaited(check: Check | None) -> str:
    """What an event must be, for people to see: nobody asks for it, so no answer says so."""
    if not isinstance(check, EventCheck):
        return ""
    about = f" about {check.subject}" if check.subject else ""
    when = f" with {check.when}" if check.when else ""
    return f"waits for an event {check.type} of {check.source}{about}{when}"


def roadmap_of(
    phase: Phase, product: Product, first: Mapping[str, datetime] = MappingProxyType({})
) -> list[Milestone]:
    """The milestones of a phase: the policy's goals with the product's dates, then its own.

    `first` has the first dates of those that were planned anew before (see `first_dates`).
    """
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
                planned=first.get(dated_as(plan), plan.due) if plan else None,
                at_risk=phase.at_risk,
                why=_awaited(goal.check),
            )
        )
    found += [
        Milestone(
            id=plan.id,
            title=plan.title or plan.id,
            phase=phase.id,
            check=plan.check or ReportedCheck(),
            due=plan.due,
            planned=first.get(dated_as(plan), plan.due),
            at_risk=phase.at_risk,
            why=_awaited(plan.check),
        )
        for plan in dated.values()
    ]
    for milestone in found:
        milestone.fill(product)
    return found


def dated_as(plan: RoadmapMilestone) -> str:
    """The name of a milestone among the first dates."""
    return f"{plan.phase}/{plan.id}"


def first_dates(known: Mapping[str, datetime], before: Product) -> dict[str, datetime]:
    """The first date of every milestone that a definition dates, before another replaces it.

    A phase that is not entered yet has no milestones that could remember theirs.
    """
    dates = {dated_as(plan): plan.due for plan in before.milestones if plan.due}
    return {**dates, **known}


def replan(
    milestones: list[Milestone],
    phase: Phase | None,
    before: Product,
    after: Product,
    first: Mapping[str, datetime] = MappingProxyType({}),
) -> list[str]:
    """Follow a new definition, and say how: what is new in this phase joins, dates move.

    Nothing leaves: a criterion may name it. No check changes: an owner could settle it by that.
    Only one that could not be asked yet, for want of a value, gets the value.
    """
    told: list[str] = []
    for milestone in milestones:
        if milestone.problem and not milestone.state.settled:
            milestone.fill(after)
            told += [] if milestone.problem else [f"milestone {milestone.id} can be asked now"]
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
            milestone.plan(now.due)
            due = f"due {now.due:%Y-%m-%d %H:%M} UTC" if now.due else "without a date"
            told.append(f"milestone {milestone.id} is now {due}")
        if was and was.check != now.check:
            told.append(f"milestone {milestone.id} keeps the check it has")
    known = {milestone.id for milestone in milestones}
    joining = [m for m in roadmap_of(phase, after, first) if m.id not in known] if phase else []
    milestones += joining
    return told + [f"milestone {milestone.id} joins" for milestone in joining]


def start_again(milestones: list[Milestone], phase: Phase, product: Product) -> dict[str, str]:
    """A phase is entered again: its milestones are planned anew, without dates. What they were."""
    before = {m.id: m.state.value for m in milestones if m.phase == phase.id}
    others = [m for m in milestones if m.phase != phase.id]
    known = {milestone.id for milestone in others}
    anew = [m for m in roadmap_of(phase, product) if m.id not in known]
    for milestone in anew:
        milestone.due = milestone.planned = None
    milestones[:] = [*others, *anew]
    return before


def _plans(product: Product) -> dict[tuple[str, str], RoadmapMilestone]:
    return {(plan.phase, plan.id): plan for plan in product.milestones}
