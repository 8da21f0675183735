"""Who sat in a round by the directory that the record names, and who might act for whom."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from phasegate.assembly import Assembly, Reassignment
from phasegate.casting import Ballots, CastVote
from phasegate.directory import Directory
from phasegate.facts import ProductFacts
from phasegate.gate import Gate
from phasegate.ports import Convened, Timetable
from phasegate.seats import seated

_NEVER = datetime(1970, 1, 1, tzinfo=UTC)
_A_DAY = timedelta(days=1)
"""Absences are days of somebody's own time zone, which is up to a day away from ours."""


@dataclass(frozen=True)
class Asking:
    """What a gate asks of a product: the tier, which requirements, and its own approvers."""

    gate: Gate
    tier: int
    applying: tuple[int, ...]
    narrowed: Mapping[str, Collection[str]] = field(default_factory=dict)


def assembly(
    asking: Asking,
    directory: Directory,
    barred: Mapping[str, str],
    given: Sequence[Reassignment] = (),
    votes: Iterable[CastVote] = (),
    acting: Iterable[str] = (),
) -> Assembly:
    """The people of a round as the engine seats them."""
    gate = asking.gate
    voting = {group for i in asking.applying for group in gate.requires[i].groups}
    narrowed = {group: tuple(people) for group, people in asking.narrowed.items()}
    members = seated(voting, directory, narrowed, tier=asking.tier, barred=tuple(barred))
    others = {*gate.reviewers, *(c.attested_by for c in gate.criteria if c.attested_by)}
    members |= {group: directory.members(group) for group in sorted(others - voting)}
    named = {*(moved.to for moved in given), *acting}
    someone = next(iter(barred), "")
    return Assembly(
        product=ProductFacts(
            key="", name="", owner=someone, tier=asking.tier, policy="", policy_digest="",
            directory="",
        ),
        gate=gate,
        submitter=someone,
        had_a_hand=dict(barred),
        reassigned=list(given),
        ballots=Ballots(votes=list(votes)),
        convened=Convened(
            directory_digest="",
            members=members,
            applying=asking.applying,
            timetable=Timetable(resolve=_NEVER),
            gone=tuple(sorted(named.difference(directory.people))),
            silent=tuple(g for g in sorted(members) if directory.silent(g, asking.tier)),
        ),
    )  # fmt: skip


@dataclass
class Mandates:
    """Who let whom act for them in a round, as it was announced."""

    given: dict[str, tuple[str, datetime, datetime | None]] = field(default_factory=dict)

    def may_act(
        self, person: str, holder: str, at: datetime, directory: Directory, due: datetime | None
    ) -> bool:
        """Whether the person might act for the holder then: by delegation, by an absence, or,
        from the day on which the holder had to answer, as deputy or manager."""
        starts = [holder]
        if due is None or at >= due:
            known = directory.people.get(holder)
            if person in directory.managers(holder):
                return True
            if known and known.deputy:
                starts.append(known.deputy)
        return any(self._reaches(start, person, at, directory) for start in starts)

    def _reaches(self, start: str, person: str, at: datetime, directory: Directory) -> bool:
        seen, ahead = {start}, [start]
        while ahead:
            here = ahead.pop()
            if here == person:
                return True
            for onward in self._next(here, at, directory):
                if onward not in seen:
                    seen.add(onward)
                    ahead.append(onward)
        return False

    def _next(self, person: str, at: datetime, directory: Directory) -> list[str]:
        found = []
        if person in self.given:
            to, start, end = self.given[person]
            if start <= at and (end is None or at < end):
                found.append(to)
        known = directory.people.get(person)
        for away in known.absences if known else ():
            near = (at - _A_DAY).date() <= away.end and (at + _A_DAY).date() >= away.start
            if away.delegate and near:
                found.append(away.delegate)
        return found
