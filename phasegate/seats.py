"""Who may fill which seat: a gate's requirements as steps, and people matched to seats."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from phasegate.directory import Directory
from phasegate.gate import Requirement


@dataclass(frozen=True)
class Seat:
    """One yes-vote a requirement asks for, and the groups that may give it."""

    requirement: int
    groups: frozenset[str]


@dataclass(frozen=True)
class Step:
    """The seats of one step, its vetoes (the groups that may give each), and who may vote in it
    (person → their groups)."""

    number: int
    seats: tuple[Seat, ...]
    vetoes: tuple[frozenset[str], ...]
    people: Mapping[str, frozenset[str]]

    @property
    def veto_groups(self) -> frozenset[str]:
        return frozenset().union(*self.vetoes)

    def sitting(self, people: Mapping[str, frozenset[str]]) -> Step:
        """The same step with these people in it, sorted."""
        return replace(self, people={person: people[person] for person in sorted(people)})

    def silent_vetoes(self) -> tuple[str, ...]:
        """The vetoes that nobody is there to give, by their groups: silence must not be consent."""
        return tuple(
            ", ".join(sorted(groups))
            for groups in self.vetoes
            if not any(of & groups for of in self.people.values())
        )


def seated(
    groups: Iterable[str],
    directory: Directory,
    narrowed: Mapping[str, Iterable[str]],
    *,
    tier: int,
    barred: Collection[str] = (),
) -> dict[str, tuple[str, ...]]:
    """The members of each group who sit for a product of this tier.

    A group that may not approve the tier has nobody; the owner narrows a group, never widens it,
    and never to nobody but people who are `barred` from voting: a veto must not vanish.
    """
    found = {}
    for group in sorted(set(groups)):
        members = directory.voters(group, tier)
        allowed = set(narrowed.get(group, members))
        chosen = tuple(person for person in members if person in allowed)
        found[group] = chosen if any(p not in barred for p in chosen) else members
    return found


def steps_of(
    requirements: Sequence[Requirement],
    members: Mapping[str, Iterable[str]],
    *,
    tier: int,
    excluded: Iterable[str] = (),
    applying: Collection[int] | None = None,
) -> tuple[Step, ...]:
    """The steps a product of this tier votes through.

    `members` maps a group to its people; `excluded` (owner, submitters) have no say anywhere
    (segregation of duties: nobody approves their own work). `applying` names the requirements in
    force by index, where somebody has found that out already; else their tiers say it.
    """
    barred = set(excluded)
    if applying is None:
        applying = in_force(requirements, tier)
    asked = [(i, requirement) for i, requirement in enumerate(requirements) if i in applying]
    steps = []
    for number in sorted({requirement.step for _, requirement in asked}):
        here = [(i, requirement) for i, requirement in asked if requirement.step == number]
        groups = sorted({group for _, requirement in here for group in requirement.groups})
        people: dict[str, set[str]] = {}
        for group in groups:
            for person in members.get(group, ()):
                if person not in barred:
                    people.setdefault(person, set()).add(group)
        steps.append(
            Step(
                number=number,
                seats=tuple(seat for i, requirement in here for seat in _seats(i, requirement)),
                vetoes=tuple(
                    frozenset(requirement.groups) for _, requirement in here if requirement.veto
                ),
                people={person: frozenset(people[person]) for person in sorted(people)},
            )
        )
    return tuple(steps)


def in_force(requirements: Sequence[Requirement], tier: int) -> tuple[int, ...]:
    """The indexes of the requirements for products of this tier, whatever their `when` says."""
    return tuple(i for i, r in enumerate(requirements) if not r.tiers or tier in r.tiers)


def _seats(index: int, requirement: Requirement) -> list[Seat]:
    """Rule 4: '3 of 5, legal among them' is {legal}, {any of five}, {any of five}."""
    reserved = [Seat(index, frozenset({group})) for group in requirement.include]
    free = requirement.need - len(reserved)
    return reserved + [Seat(index, frozenset(requirement.groups))] * free


def assign(seats: Sequence[Seat], people: Mapping[str, frozenset[str]]) -> dict[int, str]:
    """A maximum matching of people to seats, as seat index → person; one seat per person.

    Kuhn's augmenting paths: two people in overlapping groups never block each other. People are
    tried in sorted order, so that the same votes always give the same picture.
    """
    holder: dict[int, str] = {}

    def place(person: str, seen: set[int]) -> bool:
        for index, seat in enumerate(seats):
            if index in seen or not (people[person] & seat.groups):
                continue
            seen.add(index)
            if index not in holder or place(holder[index], seen):
                holder[index] = person
                return True
        return False

    for person in sorted(people):
        if len(holder) == len(seats):
            break  # nobody else can be placed, and trying costs a search of every seat
        place(person, set())
    return holder


def can_pass(steps: Sequence[Step]) -> bool:
    """Whether there are enough people: everybody saying yes would fill every seat, and nobody with
    a veto is missing."""
    return bool(steps) and all(
        len(assign(s.seats, s.people)) == len(s.seats) and not s.silent_vetoes() for s in steps
    )
