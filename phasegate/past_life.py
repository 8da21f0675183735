"""What a retrospective tells beside gates and sunsets: definition, owners, goals, conditions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from phasegate.askings import instant_in
from phasegate.events import Announcement
from phasegate.forecast_past import days_late
from phasegate.milestones import Milestone
from phasegate.past_product import PastProduct
from phasegate.retrospective_view import (
    ChangeStory,
    ConditionStory,
    MilestoneStory,
    OwnerStory,
    Said,
)

DEFINES = ("product.started", "product.updated", "product.migrated")


def changes_of(events: Iterable[Announcement]) -> tuple[list[ChangeStory], dict[str, Any]]:
    """Every definition there was, and the last one in full."""
    changes: list[ChangeStory] = []
    definition: dict[str, Any] = {}
    for event in events:
        if event.type not in DEFINES:
            continue
        data = event.data
        changed = data.get("changed")
        changes.append(
            ChangeStory(
                at=event.at,
                by=event.actor,
                text=event.text,
                fields=[str(name) for name in changed] if isinstance(changed, list) else [],
                digest=str(data.get("digest") or ""),
            )
        )
        if isinstance(data.get("product"), dict):
            definition = data["product"]
    return changes, definition


def owners_of(events: Iterable[Announcement]) -> list[OwnerStory]:
    """Who answered for it, one after the other."""
    owners: list[OwnerStory] = []
    for event in events:
        data = event.data
        defined = data.get("product")
        if event.type == "product.handed-over":
            owner = str(data.get("to") or "")
        elif event.type in DEFINES and isinstance(defined, dict):
            owner = str(defined.get("owner") or "")
        else:
            continue
        if owner and (not owners or owners[-1].owner != owner):
            if owners:
                owners[-1].until = event.at
            owners.append(OwnerStory(owner=owner, since=event.at))
    return owners


def milestones_of(
    milestones: Sequence[Milestone], events: Sequence[Announcement]
) -> list[MilestoneStory]:
    """How each milestone went: its first date, its last, and every time that somebody moved it."""
    found = []
    for milestone in milestones:
        last = milestone.met_at or milestone.due
        found.append(
            MilestoneStory(
                id=milestone.id,
                title=milestone.title,
                phase=milestone.phase,
                state=milestone.state.value,
                planned=milestone.planned,
                due=milestone.due,
                met_at=milestone.met_at,
                slip=days_late(last, milestone.planned, done=milestone.met_at is not None),
                moves=[
                    Said(at=event.at, by=event.actor, text=event.text)
                    for event in events
                    if event.type == "milestone.planned"
                    and event.data.get("milestone") == milestone.id
                ],
            )
        )
    return found


def conditions_of(past: PastProduct, events: Sequence[Announcement]) -> list[ConditionStory]:
    """Every condition of a Conditional Go, and what became of it."""
    texts = {
        (held.gate, str(condition.get("id"))): condition
        for held in past.rounds.values()
        for condition in held.conditions
    }
    settled = {
        str(event.data.get("condition")): event
        for event in events
        if event.type in ("condition.closed", "condition.waived")
    }
    found = []
    for promise in past.promises.values():
        made = texts.get((promise.gate, promise.id), {})
        event = settled.get(promise.id) if promise.state != "open" else None
        found.append(
            ConditionStory(
                id=promise.id,
                gate=promise.gate,
                round=promise.round,
                text=str(made.get("text") or ""),
                owner=str(made.get("owner") or ""),
                due=promise.due or instant_in(made.get("due")),
                state=promise.state,
                settled_at=promise.settled_at,
                settled_by=event.actor if event else "",
                note=event.text if event else "",
                link=str(event.data.get("link") or "") if event else "",
                digest=str(event.data.get("digest") or "") if event else "",
            )
        )
    return found
