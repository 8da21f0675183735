"""Milestones as people see them: those at hand, and those that a definition dates ahead."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from phasegate.milestones import Milestone, dated_as, target_of
from phasegate.product import Product
from phasegate.views import AheadView, MilestoneView


def milestone_view(milestone: Milestone) -> MilestoneView:
    return MilestoneView(
        id=milestone.id,
        title=milestone.title,
        phase=milestone.phase,
        state=milestone.state.value,
        due=milestone.due,
        planned=milestone.planned or milestone.due,
        met_at=milestone.met_at,
        expected=None if milestone.state.settled else milestone.comes,
        waits_for=milestone.waits_for,
        why=milestone.why,
    )


def ahead_of(
    product: Product, milestones: Sequence[Milestone], first: Mapping[str, datetime]
) -> list[AheadView]:
    """What the definition dates of phases that the product has not been in. `first` are the first
    dates that its milestones had."""
    known = {milestone.id for milestone in milestones}
    return [
        AheadView(
            id=plan.id,
            title=plan.title or plan.id,
            phase=plan.phase,
            due=plan.due,
            planned=first.get(dated_as(plan), plan.due),
            waits_for=target_of(plan.check),
        )
        for plan in product.milestones
        if plan.id not in known
    ]
