"""Names in a script that neither the policy nor the directory has, and delegates who cannot be."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from difflib import get_close_matches

from phasegate.directory import Directory
from phasegate.policy import Policy
from phasegate.problems import DocPath
from phasegate.product import Product
from phasegate.rehearsal import Script

Flaw = tuple[DocPath, str]
"""Where in the script it is, and what is wrong."""


def unknown(script: Script, policy: Policy, product: Product, directory: Directory) -> list[Flaw]:
    """Every name that means nobody and nothing here, in the order of the document."""
    gates = {gate.id for gate in policy.gates()}
    phases = {phase.id for phase in policy.phases}
    goals = {goal.id for phase in policy.phases for goal in phase.milestones}
    goals |= {plan.id for plan in product.milestones}
    found = [*_names((), script.groups, script.people, directory), *_delegates(script, directory)]
    found += _missing(("gates",), script.gates, "gate", "the policy", gates)
    for gate, manner in script.gates.items():
        found += _names(("gates", gate), manner.groups, manner.people, directory)
    found += _missing(("milestones",), script.milestones, "milestone", "the policy", goals)
    for index, name in enumerate(script.unmet):
        found += _missing(("unmet", index), (name,), "milestone", "the policy", goals, named=False)
    for index, piece in enumerate(script.owner.evidence):
        place = ("owner", "evidence", index, "phase")
        found += _missing(place, (piece.phase,), "phase", "the policy", phases, named=False)
    return found


def _names(
    place: DocPath,
    groups: Mapping[str, object],
    people: Mapping[str, object],
    directory: Directory,
) -> Iterator[Flaw]:
    yield from _missing((*place, "groups"), groups, "group", "the directory", directory.groups)
    yield from _missing((*place, "people"), people, "person", "the directory", directory.people)


def _delegates(script: Script, directory: Directory) -> Iterator[Flaw]:
    """As lint has it for the absences of a directory."""
    for person, manner in script.people.items():
        for index, absence in enumerate(manner.away):
            place = ("people", person, "away", index, "delegate")
            if absence.delegate == person:
                yield place, f"{person} acts for themselves while away; name somebody else"
            elif absence.delegate:
                named, among = (absence.delegate,), directory.people
                yield from _missing(place, named, "person", "the directory", among, named=False)


def _missing(
    place: DocPath,
    names: Collection[str],
    kind: str,
    where: str,
    known: Collection[str],
    *,
    named: bool = True,
) -> Iterator[Flaw]:
    for name in names:
        if name not in known:
            close = get_close_matches(name, sorted(known), n=1)
            meant = f"; did you mean {close[0]}?" if close else ""
            yield (*place, name) if named else place, f"{where} has no {kind} {name!r}{meant}"
