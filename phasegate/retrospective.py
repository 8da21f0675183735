"""A product's whole life, inception to removal, put together from its record alone."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime

from pydantic import ValidationError

from phasegate.adjusting import Adjustments
from phasegate.events import Anchor, Announcement
from phasegate.figures import days
from phasegate.forecast_past import days_late
from phasegate.forecast_sunset import SUNSET
from phasegate.past_goals import PastGoals
from phasegate.past_life import changes_of, conditions_of, milestones_of, owners_of
from phasegate.past_product import PastProduct, Stay
from phasegate.past_sitting import refusals_of, round_of
from phasegate.past_sunset import Known, PastSunsets
from phasegate.pauses import net
from phasegate.policy import Policy
from phasegate.retrospective_view import (
    LifeCounts,
    MilestoneStory,
    PhaseStory,
    Retrospective,
    RoundStory,
    Stretch,
    SunsetStory,
)
from phasegate.sunset_expand import FlatTask, expand

SUNSET_TITLE = "Sunset"


def retrospective_of(
    key: str,
    events: Sequence[Announcement],
    policy: Policy | None,
    head: Anchor,
    now: datetime,
    *,
    chain_fault: str = "",
) -> Retrospective:
    """The life up to `now`, from all of a product's events in the order of the record.

    What cannot be told, because an event was shortened or its policy is gone, is named in
    `missing`. Raises ValueError where the record does not say how the product began.
    """
    past = PastProduct.of(key, events)
    if past.started_at is None:
        raise ValueError("its record does not say how it began")
    missing: list[str] = []
    milestones = _milestones(past, policy, events, missing)
    rounds = _rounds(past, policy, events, missing)
    sunsets = PastSunsets(events, known_tasks(policy, events)).sunsets
    changes, definition = changes_of(events)
    end = past.ended_at or now
    return Retrospective(
        key=key,
        name=past.name or key,
        owner=past.owner,
        tier=past.tier if isinstance(past.tier, int) else None,
        status=past.status,
        policy=f"{policy.policy} {policy.version}" if policy else "",
        policy_digest=past.policy_digest,
        started_at=past.started_at,
        ended_at=past.ended_at,
        days=days(net(past.started_at, end, past.holds)),
        as_of=now,
        definition=definition,
        changes=changes,
        owners=owners_of(events),
        holds=[Stretch(since=since, until=until) for since, until in past.holds.over]
        + ([Stretch(since=past.holds.since)] if past.holds.since else []),
        phases=[_phase(past, stay, policy, milestones, end) for stay in past.stays],
        rounds=rounds,
        milestones=milestones,
        conditions=conditions_of(past, events),
        sunsets=sunsets,
        counts=_counts(events, rounds, sunsets),
        head=head,
        chain_fault=chain_fault,
        missing=missing,
    )


def known_tasks(policy: Policy | None, events: Sequence[Announcement]) -> dict[str, Known]:
    """Titles and kinds of the tasks of sunsets: the policy's, and those that the product added."""
    tasks: list[FlatTask] = []
    if policy and policy.sunset:
        tasks += [leaf.task for leaf in expand(policy.sunset).leaves]
    for event in events:
        if isinstance(adjusted := event.data.get("adjustments"), dict):
            with suppress(ValidationError):
                tasks += Adjustments.model_validate(adjusted).add
    return {
        task.id: Known(
            title=task.title,
            kind=task.kind,
            effect=getattr(task, "effect", ""),
            marks=getattr(task, "marks", None) or "",
        )
        for task in tasks
    }


def _milestones(
    past: PastProduct, policy: Policy | None, events: Sequence[Announcement], missing: list[str]
) -> list[MilestoneStory]:
    if policy is None:
        missing.append(f"milestones: policy {past.policy_digest} is not in this ledger")
        return []
    try:
        return milestones_of(PastGoals(past, policy, events).milestones, events)
    except ValueError as error:
        missing.append("milestones: " + " ".join(str(error).split()))
        return []


def _rounds(
    past: PastProduct, policy: Policy | None, events: Sequence[Announcement], missing: list[str]
) -> list[RoundStory]:
    titles = {gate.id: gate.title for gate in policy.gates()} if policy else {}
    told = sorted(past.rounds.values(), key=lambda held: (held.opened_at, held.gate, held.round))
    found = [round_of(held, titles.get(held.gate, held.gate), events, past.holds) for held in told]
    for story in found:
        if story.view is None and story.ended_at is not None:
            missing.append(f"votes of {story.gate}, round {story.round}: no details were kept")
    return found


def _phase(
    past: PastProduct,
    stay: Stay,
    policy: Policy | None,
    milestones: Sequence[MilestoneStory],
    end: datetime,
) -> PhaseStory:
    titles = {phase.id: phase.title for phase in policy.phases} if policy else {}
    first = [m.planned for m in milestones if m.phase == stay.phase and m.planned]
    planned = max(first, default=None)
    return PhaseStory(
        id=stay.phase,
        title=titles.get(stay.phase, SUNSET_TITLE if stay.phase == SUNSET else stay.phase),
        since=stay.since,
        until=stay.until,
        days=days(net(stay.since, stay.until or end, past.holds)),
        planned_end=planned,
        slip=days_late(stay.until, planned, done=True),
        broken_off=stay.broken_off,
    )


def _counts(
    events: Sequence[Announcement], rounds: Sequence[RoundStory], sunsets: Sequence[SunsetStory]
) -> LifeCounts:
    done = [task for sunset in sunsets for task in sunset.tasks if task.done_at]
    return LifeCounts(
        events=len(events),
        rounds=len(rounds),
        votes=sum(event.type == "gate.vote" for event in events),
        overrides=sum(bool(held.overridden_by) + len(held.overruled) for held in rounds),
        refusals=refusals_of(events),
        people=len({event.actor for event in events if event.actor and ":" not in event.actor}),
        tasks_done=len(done),
        tasks_confirmed=sum(bool(task.confirmed_by) for task in done),
    )
