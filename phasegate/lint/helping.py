"""Who may act for somebody at a gate who does not answer, and who cannot: nobody counts twice."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from phasegate.directory import Directory
from phasegate.gate import Gate
from phasegate.seats import Step, assign


def busy(gate: Gate, step: Step) -> set[str]:
    """Those whose own vote a step needs, with everybody there: it waits for them, or has a seat
    that nobody else fills. They act for nobody in it: who has voted for themselves votes for no
    one else in the same step (double-vote in phasegate.admission)."""
    seated = set(assign(step.seats, step.people).values())
    return {
        person
        for person, groups in step.people.items()
        if gate.wait_for == "all"
        or groups & step.veto_groups
        or (person in seated and is_short(without(step, person)))
    }


def is_short(step: Step) -> bool:
    return len(assign(step.seats, step.people)) < len(step.seats)


def without(step: Step, person: str) -> Step:
    return replace(step, people={name: of for name, of in step.people.items() if name != person})


def helpers(directory: Directory, person: str, unable: Collection[str | None] = ()) -> list[str]:
    """Who may act for somebody silent, sooner or later: their deputy, their managers from the
    nearest up; but those who are `unable`."""
    entry = directory.people.get(person)
    named = [entry.deputy] if entry and entry.deputy else []
    found = dict.fromkeys([*named, *directory.managers(person)])
    return [name for name in found if name != person and name not in unable]


def in_their_place(
    directory: Directory, person: str, needed: Collection[str], owner: str | None = None
) -> str:
    """Who may act for somebody who does not answer, in words; not those whose own vote is `needed`,
    and not the owner."""
    if able := helpers(directory, person, {*needed, owner}):
        entry = directory.people.get(person)
        role = "deputy" if entry and able[0] == entry.deputy else "manager"
        return f"if late, {able[0]} may act as {role}"
    others = [
        f"{name} owns the product" if name == owner else f"{name} has their own vote to give"
        for name in helpers(directory, person)
    ]
    return ": ".join(["nobody acts for them", *([", ".join(others)] if others else [])])
