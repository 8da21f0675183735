"""Who was asked in a round and when, group by group, and when each group first answered."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from phasegate.pauses import NOTHING


def instant_in(value: object) -> datetime | None:
    """An instant out of an event's data; None where there is none (yet)."""
    try:
        return datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None


@dataclass
class Asking:
    """A group is asked, and answers with the first vote of anybody who sits for it.

    `due` is the respond deadline of the last of its people, as it was when this was over.
    """

    group: str
    at: datetime
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    due: datetime | None = None


@dataclass
class _Seat:
    groups: tuple[str, ...]
    due: datetime | None = None
    said_at: datetime | None = None


@dataclass
class Askings:
    """The askings of one round, as its events tell of them."""

    all: list[Asking] = field(default_factory=list)
    people: set[str] = field(default_factory=set)
    _open: dict[str, Asking] = field(default_factory=dict)
    _seats: dict[str, _Seat] = field(default_factory=dict)

    def ask(self, data: Mapping[str, Any], at: datetime) -> None:
        """These are asked from now on; a group that is asked already is asked anew."""
        self.people |= {*_names(data.get("waiting_for"))}
        before = {group: self.due(group) for group in self._open}
        for group in self._seated(data, at):
            self._close(group, at, before.get(group))
            self._begin(group, at)

    def join(self, data: Mapping[str, Any], at: datetime) -> None:
        """These sit there now, too. A group that nobody was asked of is asked now."""
        joined = self._seated(data, at)
        self.people |= {*_names(data.get("joined"))} & self._seats.keys()
        asked = {asking.group for asking in self.all}
        for group in joined:
            if group not in asked:
                self._begin(group, at)

    def ask_again(self, holders: object, at: datetime) -> None:
        """The votes of these are void: their groups are asked anew, by a day that is told next."""
        again = _names(holders)
        for seat in (self._seats[person] for person in again if person in self._seats):
            seat.due = seat.due if seat.due and seat.due > at else None
        for group in self._groups(again):
            if group not in self._open:
                self._begin(group, at)

    def date(self, data: Mapping[str, Any], at: datetime) -> None:
        """By when these have to answer now."""
        due = data.get("respond")
        for person, day in due.items() if isinstance(due, dict) else ():
            if (seat := self._seats.get(person)) and (instant := instant_in(day)):
                seat.due, seat.said_at = instant, at

    def move(self, by: timedelta, at: datetime) -> None:
        """The clocks stood still; days that were told since are right already."""
        for seat in self._seats.values():
            if seat.due and seat.said_at and seat.said_at < at and by > NOTHING:
                seat.due += by

    def give(self, giver: str, to: str) -> None:
        """A seat goes to somebody else."""
        self._seats[to] = self._seats.pop(giver, _Seat(()))
        self.people.add(to)

    def answer(self, holder: str, at: datetime) -> None:
        """A vote in this person's seat."""
        for group in self._groups([holder]):
            if asking := self._open.pop(group, None):
                asking.answered_at, asking.due = at, self.due(group)

    def end(self, at: datetime) -> None:
        """The round is over: nobody is waited for."""
        for group in list(self._open):
            self._close(group, at, self.due(group))

    def due(self, group: str) -> datetime | None:
        """The deadline of the last of a group's people, as it is now."""
        seats = [seat for seat in self._seats.values() if group in seat.groups]
        return max((seat.due for seat in seats if seat.due), default=None)

    def _close(self, group: str, at: datetime, due: datetime | None) -> None:
        if asking := self._open.pop(group, None):
            asking.ended_at, asking.due = at, due

    def _begin(self, group: str, at: datetime) -> None:
        self._open[group] = Asking(group, at)
        self.all.append(self._open[group])

    def _seated(self, data: Mapping[str, Any], at: datetime) -> list[str]:
        seats = data.get("seats")
        named = seats if isinstance(seats, dict) else {}
        for person, groups in named.items():
            self._seats.setdefault(person, _Seat(())).groups = (*_names(groups),)
        self.date(data, at)
        return self._groups(named)

    def _groups(self, people: Iterable[str]) -> list[str]:
        sat = [self._seats[person] for person in people if person in self._seats]
        return sorted({group for seat in sat for group in seat.groups})


def _names(value: object) -> list[str]:
    return [name for name in value if isinstance(name, str)] if isinstance(value, list) else []
