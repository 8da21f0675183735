"""A product as its record alone has it, and what is to be expected of it by that."""

from __future__ import annotations

from datetime import datetime

from phasegate.forecast import forecast
from phasegate.forecast_past import PhaseEntry
from phasegate.forecast_sunset import with_sunset
from phasegate.forecast_view import Forecast
from phasegate.ids import product_id, sunset_id
from phasegate.milestone_view import ahead_of, milestone_view
from phasegate.past_goals import PastGoals
from phasegate.past_product import PastProduct
from phasegate.policy import Policy
from phasegate.sunset_expand import expand
from phasegate.sunset_views import SunsetView, TaskView
from phasegate.views import GateSummaryView, ProductView


def foresee(past: PastProduct, goals: PastGoals, policy: Policy, now: datetime) -> Forecast:
    """Its past and expected course at `now`. Raises ValueError where nothing defines it."""
    sitting = past.sitting
    found = forecast(
        policy,
        recall(past, goals, policy),
        now,
        entries=[PhaseEntry(phase=stay.phase, at=stay.since) for stay in past.stays],
        resolve_due=sitting.resolve_due if sitting else None,
    )
    sunset = _sunset(past, goals, policy)
    return with_sunset(found, sunset, now) if sunset else found


def recall(past: PastProduct, goals: PastGoals, policy: Policy) -> ProductView:
    """What `product show` would say of it, but for conditions and dates that nothing needs here.

    Raises ValueError where nothing defines it.
    """
    sitting, here, defined = past.sitting, past.here, goals.defined
    return ProductView(
        key=past.key,
        name=defined.name,
        owner=past.owner,
        tier=defined.tier,
        status=past.status,
        phase=here.phase if here and past.status != "retired" else None,
        gate=sitting.gate if sitting else None,
        round=sitting.round if sitting else None,
        policy=f"{policy.policy} {policy.version}",
        policy_digest=past.policy_digest,
        milestones=[milestone_view(milestone) for milestone in goals.milestones],
        conditions=[],
        gates=_closed_rounds(past),
        next_due=None,
        ahead=ahead_of(goals.defined, goals.milestones, goals.first),
        gate_since=sitting.opened_at if sitting else None,
        review_due=goals.review_due,
        held_since=past.holds.since if past.status == "on-hold" else None,
        entered_at=here.since if here else None,
        started_at=past.started_at,
        ended_at=past.ended_at,
        workflow_id=product_id(past.key),
    )


def _closed_rounds(past: PastProduct) -> list[GateSummaryView]:
    found = [
        GateSummaryView(
            gate=held.gate,
            round=held.round,
            outcome=held.outcome or "abandoned",
            decided_at=held.ended_at,
            votes={},
            opened_at=held.opened_at,
        )
        for held in past.rounds.values()
        if held.ended_at is not None
    ]
    return sorted(found, key=lambda held: held.decided_at)


def _sunset(past: PastProduct, goals: PastGoals, policy: Policy) -> SunsetView | None:
    """Its calendar, as the record has it. What is left out of it is nothing to wait for."""
    if not goals.tasks or policy.sunset is None:
        return None
    found = [leaf.task for leaf in expand(policy.sunset, goals.adjustments).leaves]
    tasks = [
        TaskView(
            id=task.id,
            title=task.title,
            kind=task.kind,
            state="done" if task.id in goals.done else "planned",
            at=goals.tasks[task.id],
            done_at=goals.done.get(task.id),
        )
        for task in found
        if task.id in goals.tasks and task.id not in goals.adjustments.skip
    ]
    return SunsetView(
        product=past.key,
        status=past.status,
        notice_at=min(goals.tasks.values()),
        workflow_id=sunset_id(past.key),
        tasks=sorted(tasks, key=lambda task: task.at),
    )
