"""Who sat in a round when somebody spoke there, by what had been announced until then."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from phasegate.assembly import Reassignment
from phasegate.audit import rights, voting
from phasegate.audit.context import Context, Place
from phasegate.audit.past import Past
from phasegate.audit.seating import Asking, Mandates, assembly
from phasegate.audit.telling import Telling, Told
from phasegate.casting import ADVICE
from phasegate.directory import Directory
from phasegate.gate import Gate
from phasegate.grounds import Grounds
from phasegate.policy import Policy
from phasegate.seats import Step, in_force
from phasegate.views import GateView


@dataclass
class Sitting:
    """A round, and what is found out of it on the way."""

    place: Place
    telling: Telling
    past: Past
    gate: Gate | None = None
    policy: Policy | None = None
    view: GateView | None = None
    grounds: Grounds | None = None
    given: list[Reassignment] = field(default_factory=list)
    mandates: Mandates = field(default_factory=Mandates)
    groups: dict[int, tuple[str, ...]] = field(default_factory=dict)
    """By the number of the entry: the groups that gave a vote its seat."""

    @property
    def context(self) -> Context:
        return self.place.context

    @property
    def opened(self) -> Told | None:
        return next(iter(reversed(self.telling.of("gate.opened"))), None)


def delegate(sitting: Sitting, said: Told) -> None:
    to = said.data.get("to")
    if isinstance(to, str):
        start = said.instant("start") or said.at
        sitting.mandates.given[said.actor] = (to, start, said.instant("end"))
    else:
        sitting.mandates.given.pop(said.actor, None)


def reassign(sitting: Sitting, said: Told) -> None:
    rights.check_reassigner(sitting.place, said, sitting.past)
    approver, to = said.text("approver"), said.text("to")
    gate, directory = sitting.gate, directory_at(sitting, said)
    if gate is None or directory is None:
        return
    members = _seats(sitting, said, directory)[1]
    voting_groups = {group for requirement in gate.requires for group in requirement.groups}
    groups = tuple(g for g, of in members.items() if g in voting_groups and approver in of)
    if not groups:
        text = f"{approver}'s seat is given to {to}, and {approver} sits in none of its groups"
        sitting.place.differ(said, text, approver)
    sitting.given.append(
        Reassignment(approver=approver, to=to, groups=groups, by=said.actor, reason="", at=said.at)
    )


def directory_at(sitting: Sitting, said: Told, *, exact: bool = False) -> Directory | None:
    """The directory by which the round seated people then. With `exact`, the one that the entry
    names: it may differ in who stands in for whom, and never in who sits."""
    digest = said.text("directory") if exact else ""
    if not digest:
        named = sitting.telling.before(said.seq, "gate.opened", "gate.seats")
        digest = next((one.text("directory_digest") for one in reversed(named)), "")
    found = sitting.context.directory(digest)
    if found is None:
        sitting.place.unchecked(said.seq, f"the directory {digest or '?'} is not in the record")
    elif found.directory != sitting.past.directory:
        text = f"the directory {digest} is {found.directory}, and not {sitting.past.directory}"
        sitting.place.fault(said, text)
    return found


def _seats(
    sitting: Sitting, said: Told, directory: Directory
) -> tuple[tuple[Step, ...], dict[str, tuple[str, ...]]]:
    """The steps and the members of groups at that moment, whoever was barred."""
    gate, place = sitting.gate, sitting.place
    assert gate is not None
    tier = sitting.past.tier_at(said.at)
    applying = sitting.grounds.applying if sitting.grounds else in_force(gate.requires, tier)
    people = assembly(
        Asking(gate, tier, tuple(i for i in applying if i < len(gate.requires)),
               sitting.past.narrowed(place.gate, _opened_at(sitting, said))),
        directory, {}, sitting.given, acting=[to for to, _, _ in sitting.mandates.given.values()],
    )  # fmt: skip
    return people.seats(), people.members()


def _opened_at(sitting: Sitting, said: Told) -> datetime:
    return sitting.opened.at if sitting.opened else said.at


def check_voter(sitting: Sitting, said: Told) -> None:
    """Whoever votes sits there, or acts for somebody who does."""
    place, directory = sitting.place, directory_at(sitting, said)
    cast = voting.cast_of(said)
    if directory is None or cast is None or sitting.gate is None:
        return
    steps, members = _seats(sitting, said, directory)
    if cast.step == ADVICE:
        if not any(cast.holder in members.get(group, ()) for group in sitting.gate.reviewers):
            place.differ(
                said, f"{cast.holder} advises, and is in none of its reviewers", cast.holder
            )
        return
    step = next((step for step in steps if step.number == cast.step), None)
    if step is None or cast.holder not in step.people:
        text = f"{cast.holder} has a vote in step {cast.step}, and the directory gives them no seat"
        place.differ(said, text, cast.holder)
        return
    sitting.groups[said.seq] = tuple(sorted(step.people[cast.holder]))
    exact = directory_at(sitting, said, exact=True)
    if cast.approver != cast.holder and exact is not None:
        due = rights.first_due(sitting.telling, cast.holder, said.seq)
        if not sitting.mandates.may_act(cast.approver, cast.holder, said.at, exact, due):
            text = f"{cast.approver} votes for {cast.holder}, and nothing shows a mandate"
            place.differ(said, text, cast.approver)


def check_attester(sitting: Sitting, said: Told) -> None:
    """Whoever attests a criterion is of the group that the policy asks."""
    place, gate, name = sitting.place, sitting.gate, said.text("criterion")
    group = next((c.attested_by for c in gate.criteria if c.id == name), None) if gate else None
    if group is None:
        place.fault(said, f"the gate has no criterion {name} for people to attest")
        return
    directory = directory_at(sitting, said)
    if directory is not None and said.actor not in _seats(sitting, said, directory)[1][group]:
        place.differ(said, f"{said.actor} attests {name}, and is not of {group}", said.actor)
