"""A concrete play of a script: what each draw comes to, by a seed.

Every draw has a place of its own (the run, the gate, the round, the person) and is made from the
seed and that place. So it is the same in whatever order plays go on, and a person who is left out
changes nobody else's luck.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import datetime, timedelta
from random import Random

from phasegate.calendars import Calendar, CalendarError
from phasegate.directory import Directory, Person
from phasegate.rehearsal import Script, Takes, Word
from phasegate.within import BusinessDays, Length

P90 = 1.2815515655446004
"""The 90th percentile of the standard normal distribution."""

MORNING, WORKING_DAY = timedelta(hours=9), timedelta(hours=8)
MINUTE = timedelta(minutes=1)


class Cast:
    """Draws for one run. The directory has the script's absences in it already."""

    def __init__(self, script: Script, directory: Directory, seed: int, run: int) -> None:
        self.script, self.directory = script, directory
        self._seed = f"{seed}/{run}"
        self._calendars: dict[str, Calendar] = {}
        self._away: dict[str, list[tuple[datetime, datetime]]] = {}

    def word(self, person: str, groups: Iterable[str], gate: str, place: str) -> Word:
        """What somebody says there, this once."""
        manners = self.script.manners(person, groups, gate)
        says = next((m.says for m in manners if m.says is not None), None)
        if says is None:
            return "go"
        return self._luck("says", person, place).choices(list(says), list(says.values()))[0]

    def answer_at(
        self,
        person: str,
        groups: Iterable[str],
        gate: str,
        place: str,
        asked: datetime,
        due: datetime | None,
    ) -> datetime:
        """When somebody answers who is asked then. Nobody answers while away: they begin when
        they are back. Raises OverflowError at the end of the calendar."""
        manners = self.script.manners(person, groups, gate)
        takes = next((m.answers for m in manners if m.answers is not None), None)
        begin, due = self.back(person, steady(asked)), steady(due) if due else None
        while True:
            if takes is not None:
                at = self.takes(takes, person, f"answers/{place}", begin)
            elif due is not None and due > begin:
                at = self._halfway(person, begin, due)
            else:
                at = self.takes(Takes(median=BusinessDays(1)), person, place, begin)
            if (back := self.back(person, at)) == at:
                return at
            begin = back

    def takes(self, takes: Takes, person: str, place: str, since: datetime) -> datetime:
        """When something is done that somebody begins then, on a whole minute."""
        luck, since = self._luck("takes", person, place), steady(since)
        length: Length = takes.median
        factor = 1.0
        if takes.p90 is not None:
            sigma = math.log(takes.p90.approximate / takes.median.approximate) / P90
            factor = luck.lognormvariate(0, sigma)
        if not isinstance(length, BusinessDays):
            at = length.after(since) if factor == 1 else since + length.approximate * factor
            return max(whole(at), whole(since) + MINUTE)
        days, part = divmod(length.count * factor, 1)
        return self._business(person, since, int(days), part if takes.p90 else 0.5)

    def back(self, person: str, at: datetime) -> datetime:
        """The instant itself, or the end of the absence that it lies in."""
        moved = True
        while moved:
            moved = False
            for start, end in self._absences(person):
                if start <= at < end:
                    at, moved = end, True
        return at

    def present(self, people: Iterable[str], at: datetime) -> list[str]:
        """Those of these who are not away then."""
        return [person for person in people if self.back(person, at) == at]

    def _business(self, person: str, since: datetime, days: int, part: float) -> datetime:
        """So many business days on, at some time of a working day; later today for none, or on the
        next one where today is none."""
        if days == 0 and self._works(person, since):
            return max(whole(since + WORKING_DAY * part), whole(since) + MINUTE)
        days = max(days, 1)
        end = self._calendar(person).due(since, BusinessDays(min(days, 1000)))
        midnight = end + timedelta(seconds=1) - timedelta(days=1)
        return whole(midnight + MORNING + WORKING_DAY * part)

    def _halfway(self, person: str, begin: datetime, due: datetime) -> datetime:
        """In the middle of half as many business days, where there are any to halve; on a working
        day, unless it is due before there is one."""
        days = self._calendar(person).left(begin, due - timedelta(seconds=1)) // 2
        if days:
            return self._business(person, begin, days, 0.5)
        middle = whole(begin + (due - begin) / 2)
        at = middle if self._works(person, middle) else self._business(person, middle, 0, 0.5)
        return at if at < due else middle

    def _works(self, person: str, at: datetime) -> bool:
        return self._calendar(person).left(at - timedelta(days=1), at) > 0

    def _luck(self, *place: str) -> Random:
        return Random(f"{self._seed}/{'/'.join(place)}")  # noqa: S311 - a play, and no secret

    def _calendar(self, person: str) -> Calendar:
        if person not in self._calendars:
            entry = self.directory.people.get(person, Person())
            try:
                self._calendars[person] = Calendar.of(entry)
            except CalendarError:  # lint says so; the gate counts by the default one, too
                self._calendars[person] = Calendar.of(Person())
        return self._calendars[person]

    def _absences(self, person: str) -> list[tuple[datetime, datetime]]:
        if person not in self._away:
            known = self.directory.people.get(person)
            calendar = self._calendar(person)
            absences = known.absences if known else ()
            self._away[person] = [calendar.instants(absence) for absence in absences]
        return self._away[person]


def whole(at: datetime) -> datetime:
    """The minute of an instant. The server's clock runs on a little while it works: acts on whole
    minutes keep a play from drifting with the speed of the machine."""
    return at.replace(second=0, microsecond=0)


def steady(at: datetime) -> datetime:
    """The minute that an instant of the server's clock stands for: up to 59 seconds late, and a
    deadline at 23:59:59 is the end of that day."""
    return whole(at + timedelta(seconds=1))
