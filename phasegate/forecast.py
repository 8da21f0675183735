"""When a product's milestones, gates and phases are to be expected.

What is expected follows from what is known: the dates of milestones, what they wait for, how long
gates take, and the day. Nothing is expected in the past. What is lost on the way to a gate is lost
for the phases behind it, too; a date that was planned anew is taken at its word.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from statistics import median

from phasegate.forecast_past import (
    NOTHING,
    SETTLED,
    PhaseEntry,
    Planned,
    baseline,
    days_late,
    goals_of,
    later,
    latest,
    past_gates,
    past_milestone,
    past_phases,
)
from phasegate.forecast_view import Forecast, GateForecast, MilestoneForecast, PhaseForecast
from phasegate.gate import Gate
from phasegate.policy import Phase, Policy
from phasegate.span import Span
from phasegate.views import GateSummaryView, ProductView

WAITING = ("active", "on-hold")
"""Products of which something is expected by this reckoning; a sunset has a timetable."""


def forecast(
    policy: Policy,
    view: ProductView,
    now: datetime,
    *,
    entries: Sequence[PhaseEntry] = (),
    resolve_due: datetime | None = None,
) -> Forecast:
    """The past and the expected course of a product at `now`.

    `entries` are the phases it entered, oldest first (from its record); without them its past shows
    no phases but the one it is in. `resolve_due` is the deadline of the round that is open.
    """
    plan = baseline(policy, view)
    here = None
    if view.status in WAITING:
        here = next((phase for phase in policy.phases if phase.id == view.phase), None)
    course = _Course(policy, view, now, plan, resolve_due)
    course.phases = past_phases(policy, view, entries, plan)
    course.gates = past_gates(policy, view, plan)
    course.milestones = [
        past_milestone(m)
        for m in view.milestones
        if here is None or m.phase != here.id or m.state in SETTLED
    ]
    if here is not None:
        course.run(here)
    return course.summed_up()


def duration_of(gate: Gate, rounds: Iterable[GateSummaryView]) -> tuple[timedelta, str]:
    """How long a gate takes, and how that is known: the median of its rounds, or its clock."""
    took = [
        held.decided_at - held.opened_at
        for held in rounds
        if held.gate == gate.id and held.opened_at and held.outcome != "abandoned"
    ]
    if not took:
        return gate.clocks.resolve.approximate, f"{gate.clocks.resolve.words} to resolve it"
    usual = timedelta(seconds=median(length.total_seconds() for length in took))
    what = "as long as its round took" if len(took) == 1 else f"the median of {len(took)} rounds"
    days = round(usual / timedelta(days=1))
    words = "less than a day" if days < 1 else "1 day" if days == 1 else f"{days} days"
    return usual, f"{words}, {what}"


@dataclass
class _Course:
    """The way from now on. `start` is when the next phase is expected to begin, `by_plan` when the
    dates as they are now would have it begin."""

    policy: Policy
    view: ProductView
    now: datetime
    plan: dict[str, Planned]
    resolve_due: datetime | None
    phases: list[PhaseForecast] = field(default_factory=list)
    gates: list[GateForecast] = field(default_factory=list)
    milestones: list[MilestoneForecast] = field(default_factory=list)
    by_plan: datetime | None = None
    at_earliest: bool = False

    def run(self, here: Phase) -> None:
        """Through the phases to come, as far as an end of them is known."""
        held = self.view.held_since
        self.at_earliest = held is not None
        end = self._phase(here, self.now, max(self.now - held, NOTHING) if held else NOTHING)
        if self.phases and self.phases[-1].phase == here.id:
            current = self.phases[-1]
            current.expected_end, current.at_earliest = end, self.at_earliest
            if current.planned_end:
                current.slip = days_late(end, current.planned_end)
        seen, at = [here.id], self.policy.following(here.id)
        while end and at and at not in seen:
            seen.append(at)
            phase, start = self.policy.phase(at), end
            lost = max(start - self.by_plan, NOTHING) if self.by_plan else NOTHING
            end = self._phase(phase, start, lost, ahead=True)
            plan = self.plan.get(at, Planned())
            self.phases.append(
                PhaseForecast(
                    phase=at,
                    title=phase.title,
                    state="ahead",
                    in_market=phase.in_market,
                    planned_start=plan.start,
                    planned_end=plan.end,
                    expected_start=start,
                    expected_end=end,
                    slip=days_late(end, plan.end),
                    at_earliest=self.at_earliest,
                )
            )
            at = self.policy.following(at)

    def _phase(
        self, phase: Phase, start: datetime, lost: timedelta, *, ahead: bool = False
    ) -> datetime | None:
        """Foresee a phase; when it is expected to end, or None if nobody can know."""
        goals = goals_of(phase, self.view, ahead=ahead)
        unmet = [goal for goal in goals if goal.state not in SETTLED]
        for goal in unmet:
            self._expect(goal, phase.at_risk, start, lost)
        self.milestones += unmet
        self.at_earliest |= any(goal.expected is None for goal in unmet)
        ready = latest([start, *(goal.expected for goal in unmet)]) or start
        planned_ready = latest([self.by_plan, *(goal.due for goal in goals)])
        if phase.review:
            self._review(phase, start, ahead=ahead)
        gate = phase.gate
        if gate is None:
            self.by_plan = planned_ready
            return None if phase.review else ready
        takes, why = duration_of(gate, self.view.gates)
        self.by_plan = later(planned_ready, takes) if planned_ready else None
        # Nobody knows when a product will leave the market, or what has no goals will be submitted.
        known = gate.opens == "milestones" or (bool(goals) and not phase.in_market)
        end = later(ready, takes) if known else None
        submits = known and not ahead and self._waits_for_owner(gate)
        self.at_earliest |= submits
        found = GateForecast(
            gate=gate.id,
            title=gate.title,
            phase=phase.id,
            state="expected" if known else "unplanned",
            planned=self.plan.get(phase.id, Planned()).end,
            basis=f"once it is submitted, {why}" if submits or not known else why,
        )
        if not ahead and self.view.gate == gate.id:
            end = self._open(found, takes)
        found.expected, found.slip = end, days_late(end, found.planned)
        found.at_earliest = self.at_earliest and end is not None
        self.gates.append(found)
        return end

    def _waits_for_owner(self, gate: Gate) -> bool:
        """Whether somebody has to submit it, and nobody knows when they will."""
        rounds = [held.outcome for held in self.view.gates if held.gate == gate.id]
        again = bool(rounds) and rounds[-1] in ("recycle", "abandoned")
        return (gate.opens == "submit" or again) and self.view.gate != gate.id

    def _expect(
        self, goal: MilestoneForecast, at_risk: Span, start: datetime, lost: timedelta
    ) -> None:
        """When a milestone is to be expected: on its day and what was lost on the way, not before
        what it waits for, not before its phase, and not in the past."""
        if goal.due is not None:
            moved = later(goal.due, lost)
            goal.expected = latest([moved, goal.expected, start])
        elif goal.expected is not None:
            goal.expected = max(goal.expected, start)
        goal.slip = days_late(goal.expected, goal.planned)
        goal.at_risk = goal.state in ("at-risk", "missed") or self._endangered(goal, at_risk)

    def _endangered(self, goal: MilestoneForecast, at_risk: Span) -> bool:
        """By the policy's threshold; or it is expected late, and its phase is the one at hand."""
        if goal.due is None or goal.expected is None:
            return False
        try:
            near = at_risk.before(goal.due)
        except (OverflowError, ValueError):  # before the first day that Python knows
            near = goal.due
        return self.now >= near or (goal.expected > goal.due and not goal.ahead)

    def _open(self, gate: GateForecast, takes: timedelta) -> datetime:
        """A round that sits is expected to decide by its deadline; an overdue one any moment."""
        since = self.view.gate_since or self.now
        gate.state, gate.round, gate.opened = "open", self.view.round, self.view.gate_since
        gate.basis = "its deadline" if self.resolve_due else gate.basis
        return max(self.resolve_due or later(since, takes), self.now)

    def _review(self, phase: Phase, start: datetime, *, ahead: bool) -> None:
        """The next review of a product in the market."""
        assert phase.review is not None
        gate = phase.review.gate
        takes, why = duration_of(gate, self.view.gates)
        found = GateForecast(
            gate=gate.id, title=gate.title, phase=phase.id, kind="review", state="expected"
        )
        found.basis, found.at_earliest = why, self.at_earliest
        if not ahead and self.view.gate == gate.id:
            found.expected = self._open(found, takes)
        else:
            after = later(start, phase.review.first.approximate)
            due = after if ahead else self.view.review_due or start
            found.expected = later(max(due, start), takes)
        self.gates.append(found)

    def summed_up(self) -> Forecast:
        coming = [g for g in self.gates if g.state in ("open", "expected") and g.expected]
        first = min(coming, key=lambda g: (g.expected or self.now, g.gate), default=None)
        current = next((p for p in self.phases if p.state == "current"), None)
        late = [m.slip for m in self.milestones if m.slip and m.expected and not m.ahead]
        return Forecast(
            product=self.view.key,
            as_of=self.now,
            slip=max([current.slip or 0, *late]) if current else None,
            next_gate=first.gate if first else None,
            next_gate_expected=first.expected if first else None,
            phases=self.phases,
            gates=self.gates,
            milestones=self.milestones,
        )
