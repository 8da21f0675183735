"""Single people on whom a gate hangs: without whose yes it cannot pass, for whose answer it waits.

What is told by name is a cut of the seating: with that person taken out, the engine's own matching
fills no longer every seat. So it is also with a product that they own or submit, since nobody votes
on their own work.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace

from phasegate.directory import Directory
from phasegate.gate import Gate
from phasegate.lint.findings import Finding
from phasegate.lint.helping import (
    barred_by,
    busy,
    helpers,
    in_their_place,
    is_short,
    no_override,
    without,
)
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
    left = without(step, person)
    return bool(left.silent_vetoes()) or is_short(left)


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
    members: Mapping[str, Collection[str]],
    known: Collection[str] = (),
    owner: str | None = None,
) -> Iterator[Finding]:
    """A warning where single people can block a gate, in one of the ways in which it is seated;
    of those who are `known` it is told elsewhere. `members` are those whom each group has for this,
    also the `owner` of a product, who does not count. A path below `approvers` is of a product that
    chose some."""
    groups: dict[str, set[str]] = {}
    blocked: dict[str, list[tuple[Step, ...]]] = {}
    for steps in seatings:
        for person in set(blockers(steps)).difference(known):
            groups.setdefault(person, set()).update(mends(steps, person))
            blocked.setdefault(person, []).append(steps)
    if not groups:
        return
    each = "this person" if len(groups) == 1 else "each of these"
    names = ", ".join(
        f"{name} ({in_their_place(gate, blocked[name], directory, name, owner)})"
        for name in sorted(groups)
    )
    wanted = sorted(set().union(*groups.values()))
    noun = "approver" if path[0] == "approvers" else "member"
    mend = _one_more(wanted, noun, members) if wanted else "more people"
    owned = owner if any(owner in members.get(group, ()) for group in wanted) else None
    since = f": {owned} owns the product and does not count" if owned else ""
    of = "if one of them submits it" if owner else "for a product that one of them owns or submits"
    yield Finding(
        "warning",
        path,
        f"{each} alone can block gate {gate.id}: {names}; it cannot pass {of}; {mend} lets it "
        f"go on{since}{no_override(directory, groups, tiers, owner)}",
    )


_MORE = ("a first", "a second", "a third", "a fourth", "a fifth", "a sixth", "a seventh")


def _one_more(groups: Iterable[str], noun: str, members: Mapping[str, Collection[str]]) -> str:
    """Whom groups want besides those they have: `a second member of a, b, a third member of c`."""
    wanted: dict[int, list[str]] = {}
    for group in groups:
        wanted.setdefault(len(set(members.get(group, ()))), []).append(group)
    return ", ".join(
        f"{_MORE[has] if has < len(_MORE) else 'one more'} {noun} of {', '.join(names)}"
        for has, names in sorted(wanted.items())
    )


def awaited(
    gate: Gate,
    seatings: Collection[tuple[Step, ...]],
    directory: Directory,
    owner: str | None = None,
) -> set[str]:
    """People for whom a gate waits, and for whom nobody may act: neither its owner, nor whose own
    vote it needs; without those who block it alone."""
    alone = {person for steps in seatings for person in blockers(steps)}
    barred = barred_by(owner)
    return {
        person
        for steps in seatings
        for step in steps
        for needed in [busy(gate, step)]
        for person, groups in step.people.items()
        if gate.wait_for == "all" or groups & step.veto_groups
        if person not in alone and not helpers(directory, person, barred, needed)
    }


def unanswered(
    path: DocPath,
    gate: Gate,
    waits: Iterable[str],
    owner: str | None = None,
) -> Iterator[Finding]:
    """A warning where a gate waits for every one of these, and nobody may act for one; with an
    owner, of those of whom it is true only because of that."""
    if names := sorted(waits):
        why = "wait_for: all" if gate.wait_for == "all" else "their groups have a veto"
        since = f", since {owner} owns the product" if owner else ""
        yield Finding(
            "warning",
            path,
            f"gate {gate.id} waits for every one of these ({why}), and while one says nothing, "
            f"nobody may act in their place{since}: {', '.join(names)}; give them "
            f"{'another' if owner else 'a'} deputy or manager in the directory, one who is not "
            "waited for there",
        )


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
