"""Single people on whom a gate hangs: without whose yes it cannot pass, for whose answer it waits.

What is told by name is a cut of the seating: with that person taken out, the engine's own matching
fills no longer every seat. So it is also with a product that they own or submit, since nobody votes
on their own work.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace

from phasegate.directory import Directory, Permission
from phasegate.gate import Gate
from phasegate.lint.findings import Finding
from phasegate.problems import DocPath
from phasegate.seats import Step, assign

NOBODY = "nobody in particular"
"""Sits nowhere: who is added, to see whether that mends it."""


def blockers(steps: Iterable[Step]) -> Iterator[str]:
    """People without whose yes a gate cannot pass, or whose veto no one else could give."""
    for step in steps:
        # Without whoever has no seat in one matching, that matching still stands.
        needed = set(assign(step.seats, step.people).values())
        for veto in step.vetoes:
            able = [person for person, groups in step.people.items() if groups & veto]
            needed.update(able if len(able) == 1 else ())
        yield from (person for person in sorted(needed) if _blocks(step, person))


def _blocks(step: Step, person: str) -> bool:
    left = replace(step, people={name: of for name, of in step.people.items() if name != person})
    return bool(left.silent_vetoes()) or len(assign(left.seats, left.people)) < len(left.seats)


def mends(steps: Iterable[Step], person: str) -> set[str]:
    """The groups in which one more member would do, so that this person does not block alone."""
    return {
        group
        for step in steps
        if person in step.people and _blocks(step, person)
        for group in frozenset().union(step.veto_groups, *(seat.groups for seat in step.seats))
        if not _blocks(replace(step, people={**step.people, NOBODY: frozenset({group})}), person)
    }


def blocked_by(
    path: DocPath,
    gate: Gate,
    seatings: Collection[tuple[Step, ...]],
    directory: Directory,
    tiers: Collection[int],
    known: Collection[str] = (),
) -> Iterator[Finding]:
    """A warning where single people can block a gate, in one of the ways in which it is seated;
    of those who are `known` it is told elsewhere."""
    groups: dict[str, set[str]] = {}
    for steps in seatings:
        for person in set(blockers(steps)).difference(known):
            groups.setdefault(person, set()).update(mends(steps, person))
    if not groups:
        return
    each = "this person" if len(groups) == 1 else "each of these"
    names = ", ".join(f"{name} ({in_their_place(directory, name)})" for name in sorted(groups))
    wanted = sorted(set().union(*groups.values()))
    mend = f"a second member of {', '.join(wanted)}" if wanted else "more people"
    yield Finding(
        "warning",
        path,
        f"{each} alone can block gate {gate.id}: {names}; it cannot pass for a product that one of "
        f"them owns or submits; {mend} lets it go on{_no_override(directory, groups, tiers)}",
    )


def in_their_place(directory: Directory, person: str) -> str:
    """Who may act for somebody who does not answer, in words."""
    entry = directory.people.get(person)
    if entry and entry.deputy:
        return f"if late, {entry.deputy} may act as deputy"
    if entry and entry.manager:
        return f"if late, {entry.manager} may act as manager"
    return "nobody acts for them"


def _no_override(directory: Directory, people: Iterable[str], tiers: Collection[int]) -> str:
    """Whether an override is a way round these people."""
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
    alone = sorted(person for person in people if {person} in holders.values())
    return f"; nobody but {', '.join(alone)} may override it" if alone else ""


def unanswered(
    path: DocPath,
    gate: Gate,
    seatings: Collection[tuple[Step, ...]],
    directory: Directory,
    owner: str | None = None,
) -> Iterator[Finding]:
    """A warning where a gate waits for every one of some people, and nobody may act for one. With
    an owner, who acts for nobody, of those of whom it is true only because of that."""
    alone = {person for steps in seatings for person in blockers(steps)}
    waits = sorted(
        {
            person
            for steps in seatings
            for step in steps
            for person, groups in step.people.items()
            if gate.wait_for == "all" or groups & step.veto_groups
            if person not in alone and not _helpers(directory, person) - {owner}
            if owner is None or _helpers(directory, person)
        }
    )
    if waits:
        why = "wait_for: all" if gate.wait_for == "all" else "their groups have a veto"
        since = f", since {owner} owns the product" if owner else ""
        yield Finding(
            "warning",
            path,
            f"gate {gate.id} waits for every one of these ({why}), and while one says nothing, "
            f"nobody may act in their place{since}: {', '.join(waits)}; give them "
            f"{'another' if owner else 'a'} deputy or manager in the directory",
        )


def _helpers(directory: Directory, person: str) -> set[str | None]:
    """Who may act for somebody silent, sooner or later."""
    entry = directory.people.get(person)
    return {*directory.managers(person), *([entry.deputy] if entry and entry.deputy else ())}


Attesters = dict[int, tuple[str, ...]]
"""Who can attest each must-criterion that is attested, by the criterion's index."""


def attesters(
    gate: Gate,
    steps: Iterable[Step],
    members: Mapping[str, Collection[str]],
    directory: Directory,
    barred: Collection[str] = (),
) -> Attesters:
    """Who can attest what a gate must have attested. A group that votes here attests with those who
    sit for it, any other with all its members; nobody acts for them."""
    voting: set[str] = set()
    for step in steps:
        voting.update(step.veto_groups, *(seat.groups for seat in step.seats))
    found: Attesters = {}
    for i, criterion in enumerate(gate.criteria):
        if criterion.attested_by and criterion.kind == "must":
            group = criterion.attested_by
            people = members.get(group, ()) if group in voting else directory.members(group)
            found[i] = tuple(person for person in people if person not in barred)
    return found


def attester_findings(
    path: DocPath, gate: Gate, found: Iterable[tuple[int, Attesters]]
) -> Iterator[Finding]:
    """Where what a gate must have attested hangs on one person, or on nobody; `found` by tier."""
    alone: dict[int, set[str]] = {}
    nobody: dict[int, set[int]] = {}
    for tier, each in found:
        for i, people in each.items():
            if len(people) == 1:
                alone.setdefault(i, set()).update(people)
            elif not people:
                nobody.setdefault(i, set()).add(tier)
    for i, tiers in sorted(nobody.items()):
        criterion = gate.criteria[i]
        yield Finding(
            "error",
            (*path, "criteria", i, "attested_by"),
            f"gate {gate.id} can never pass for a product of tier "
            f"{', '.join(map(str, sorted(tiers)))}: nobody may attest {criterion.id}; let "
            f"{criterion.attested_by} approve it, or name another group",
        )
    for i, names in sorted(alone.items()):
        criterion = gate.criteria[i]
        yield Finding(
            "warning",
            (*path, "criteria", i, "attested_by"),
            f"{', '.join(sorted(names))} alone can attest {criterion.id}, and nobody acts for who "
            f"attests: gate {gate.id} waits while they are away, and cannot pass for a product "
            f"that they own or submit; a second member of {criterion.attested_by} lets it go on",
        )
