"""Who sits at a gate: the people of its groups, those who act for them, and those who may not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from phasegate.base import Instant, Wire
from phasegate.casting import Ballots
from phasegate.clockwork import Clockwork
from phasegate.facts import ProductFacts
from phasegate.gate import Gate
from phasegate.hands import OWNS
from phasegate.ports import Convened
from phasegate.seats import Step, steps_of
from phasegate.standing_in import Mandates, without


class Reassignment(Wire):
    """A seat was given to somebody else. `groups` are those the seat sits in."""

    approver: str
    to: str
    groups: tuple[str, ...]
    by: str
    reason: str
    at: Instant


class Assembly(Wire):
    """The part of a round that knows its people."""

    product: ProductFacts
    gate: Gate
    submitter: str
    convened: Convened | None = None
    ballots: Ballots = Ballots()
    clocks: Clockwork = Clockwork()
    mandates: Mandates = Mandates()
    reassigned: list[Reassignment] = []
    had_a_hand: dict[str, str] = {}

    @property
    def barred(self) -> dict[str, str]:
        """Who has no say here, and why: nobody approves their own work."""
        found = {e["by"]: "submitted evidence for it" for e in self.product.evidence if e.get("by")}
        found |= self.had_a_hand
        found[self.submitter] = "submitted the gate"
        found[self.product.owner] = OWNS
        return found

    @property
    def gone(self) -> tuple[str, ...]:
        """Who was given a seat or a mandate here and has left the directory since: leaving ends
        both, and takes no vote that was cast."""
        return self.convened.gone if self.convened else ()

    def members(self) -> dict[str, tuple[str, ...]]:
        """The people of each group, with the seats that were given to others.

        Who was given one and has left gives it back. A group that may not vote at the product's
        tier has no seat that could have been given.
        """
        listed = self.convened.members if self.convened else {}
        if not self.reassigned:
            return dict(listed)
        silent = self.convened.silent if self.convened else ()
        found = {group: list(people) for group, people in listed.items()}
        moved = [
            (group, given.approver, given.to)
            for given in self.reassigned
            for group in given.groups
            if group not in silent
        ]
        for group, giver, to in moved:
            found[group] = _moved(found.get(group, []), giver, to)
        for group, giver, to in reversed(moved):
            if to in self.gone and to in found[group]:
                found[group] = _moved(found[group], to, giver)
        sits = {(group, to) for group, _, to in moved if to not in self.gone}
        sits |= {(group, person) for group, people in listed.items() for person in people}
        return {
            group: tuple(person for person in people if (group, person) in sits)
            for group, people in found.items()
        }

    def seats(self) -> tuple[Step, ...]:
        """The steps, and who sits in them now."""
        return steps_of(
            self.gate.requires,
            self.members(),
            tier=self.product.tier,
            excluded=self.barred,
            applying=self.convened.applying if self.convened else (),
        )

    def steps(self) -> tuple[Step, ...]:
        """The steps as they are counted: also with those who voted and have left a group since.
        Leaving takes a seat that is empty, not a vote that was cast."""
        return tuple(self._with_voters(step) for step in self.seats())

    def _with_voters(self, step: Step) -> Step:
        asked = {group for seat in step.seats for group in seat.groups} | step.veto_groups
        people = dict(step.people)
        for vote in self.ballots.counted():
            groups = frozenset(vote.groups) & asked
            if vote.step == step.number and groups:
                people[vote.holder] = people.get(vote.holder, frozenset()) | groups
        return step.sitting(people)

    def heir_of(self, person: str) -> str:
        """Who has this person's seat now, if it was given away and they have no other."""
        steps = self.seats()
        for given in self.reassigned:
            if given.approver == person and not any(person in step.people for step in steps):
                person = given.to
        return person

    def stand_ins(self, person: str, now: datetime) -> tuple[str, ...]:
        """Who may act for this person now: their delegate; once they are late their deputy; later
        their managers, one more level with every escalation."""
        assert self.convened is not None
        found = [d] if (d := self.mandates.delegate_of(person, now)) else []
        if self.clocks.counting_anew:  # by when they are to answer is being found out: not late
            return self._fit(found, person)
        at = self.clocks.at(now)
        if self.clocks.is_late(person, at) and (deputy := self.convened.deputies.get(person)):
            found.append(self.mandates.delegate_of(deputy, now) or deputy)
        managers = without(self.convened.managers.get(person, ()), self.barred)
        found += managers[: self.clocks.manager_levels(person, at)]
        return self._fit(found, person)

    def signed_mandates(self, person: str, holder: str, now: datetime) -> dict[str, str]:
        """Who signed what lets this person act for the holder now, and with which key: where one of
        these keys is lost, nobody knows whether they were let."""
        deputy = self.convened.deputies.get(holder) if self.convened else None
        ways = (self.mandates.signed_way(start, person, now) for start in (holder, deputy) if start)
        return next((way for way in ways if way is not None), {})

    def _fit(self, others: Sequence[str], person: str) -> tuple[str, ...]:
        """Those of these who may act for somebody: neither barred nor gone, nor that person."""
        fit = without(others, self.barred)
        return tuple(other for other in fit if other != person and other not in self.gone)

    def acts_for(self, person: str, now: datetime) -> tuple[str, ...]:
        """Those who sit here and for whom this person may act now."""
        seated = dict.fromkeys(holder for step in self.seats() for holder in step.people)
        return tuple(holder for holder in seated if person in self.stand_ins(holder, now))

    def reviewers(self) -> Mapping[str, tuple[str, ...]]:
        """The groups that are asked for advice, and their people."""
        members = self.members()
        return {group: members.get(group, ()) for group in self.gate.reviewers}


def _moved(people: Sequence[str], giver: str, to: str) -> list[str]:
    """These people with one seat moved, sorted; nobody twice."""
    return sorted([*(person for person in people if person not in (giver, to)), to])
