"""Who may act for somebody at a gate who does not answer, or override it, and who cannot: nobody
counts twice, and nobody decides on their own work."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from phasegate import standing_in
from phasegate.directory import Directory, Permission
from phasegate.gate import Gate
from phasegate.hands import OWNS
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


def barred_by(owner: str | None) -> dict[str, str]:
    """Who votes and acts for nobody at the gates of a product with this owner, and why. Of a policy
    nobody is: it is not known who will own what."""
    return {owner: OWNS} if owner else {}


def helpers(
    directory: Directory,
    person: str,
    barred: Mapping[str, str],
    needed: Collection[str] = (),
) -> list[str]:
    """Who may act for somebody silent, sooner or later: their deputy, their managers from the
    nearest up; but those who are `barred`, or whose own vote is `needed`."""
    entry = directory.people.get(person)
    named = [entry.deputy] if entry and entry.deputy else []
    able = standing_in.without([*named, *directory.managers(person)], barred)
    return [name for name in able if name != person and name not in needed]


def way_round(
    gate: Gate,
    steps: tuple[Step, ...],
    directory: Directory,
    tier: int,
    person: str,
    owner: str | None,
) -> str:
    """How a gate goes on without somebody who blocks it alone: who may act for them, and whether
    others may override it."""
    override = no_override(directory, [person], [tier], owner)
    return in_their_place(gate, [steps], directory, person, owner) + override


def in_their_place(
    gate: Gate,
    seatings: Iterable[tuple[Step, ...]],
    directory: Directory,
    person: str,
    owner: str | None,
) -> str:
    """Who may act for somebody who does not answer, in words; not those whose own vote is needed
    where they sit, and not the owner."""
    here = [step for steps in seatings for step in steps if person in step.people]
    needed = {name for step in here for name in busy(gate, step)}
    barred = barred_by(owner)
    if able := helpers(directory, person, barred, needed):
        entry = directory.people.get(person)
        role = "deputy" if entry and able[0] == entry.deputy else "manager"
        return f"if late, {able[0]} may act as {role}"
    others = [
        f"{name} {barred.get(name, 'has their own vote to give')}"
        for name in helpers(directory, person, {})
    ]
    return ": ".join(["nobody acts for them", *([", ".join(others)] if others else [])])


def no_override(
    directory: Directory, people: Iterable[str], tiers: Collection[int], owner: str | None
) -> str:
    """Whether an override is no way round these people; the owner of a product overrides none of
    its gates."""
    holders = {
        tier: {
            person
            for group in directory.groups.values()
            if tier in group.permissions.get(Permission.override, ())
            for person in group.members
        }
        for tier in tiers
    }
    if not any(holders.values()):
        return ""  # a directory without overrides has chosen so
    able = [set(standing_in.without(sorted(held), barred_by(owner))) for held in holders.values()]
    if not any(able):
        return f"; nobody may override it, since {owner} owns the product"
    alone = sorted(person for person in people if {person} in able)
    return f"; nobody but {', '.join(alone)} may override it" if alone else ""
