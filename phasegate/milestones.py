"""Milestones: dated goals, and where each stands."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta
from enum import StrEnum

from phasegate.base import Instant, Wire
from phasegate.check import Check, ReportedCheck
from phasegate.policy import Phase
from phasegate.ports import Finding
from phasegate.product import Product
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
