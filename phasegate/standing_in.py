"""Who acts for whom: delegation by command or by absence, deputies, and managers at last.

Whoever acts for somebody votes with that person's seat and in their name; the record has both.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from phasegate.base import Instant, Wire
from phasegate.ports import Away


class Delegation(Wire):
    """Somebody lets another person act for them in one round. `end` is not part of it."""

    approver: str
    to: str
    start: Instant
    end: Instant | None = None
    reason: str = ""
    key: str = ""
    """The fingerprint of the key that signed it."""

    def holds(self, now: datetime) -> bool:
        return self.start <= now and (self.end is None or now < self.end)


class Mandates(Wire):
    """The delegations of one round, and the absences that the directory knew when it convened."""

    given: list[Delegation] = []
    absences: dict[str, tuple[Away, ...]] = {}

    def give(self, delegation: Delegation) -> None:
        """The newest delegation of a person replaces the earlier ones."""
        self.take_back(delegation.approver)
        self.given.append(delegation)

    def take_back(self, approver: str) -> Delegation | None:
        """End what this person delegated; what it was, None where it was nothing."""
        taken = next((d for d in self.given if d.approver == approver), None)
        self.given = [d for d in self.given if d.approver != approver]
        return taken

    def delegate_of(self, person: str, now: datetime) -> str | None:
        """Who acts for this person now; None for nobody.

        A delegate who is away hands on to their own; where that leads back, nobody acts.
        """
        way = [person]
        while (onward := self._next(way[-1], now)) is not None:
            if onward in way:
                return None
            way.append(onward)
        return way[-1] if len(way) > 1 else None

    def signed_way(self, person: str, to: str, now: datetime) -> dict[str, str] | None:
        """Who signed the delegations that lead from one to the other now, and with which key; None
        where none do."""
        keys: dict[str, str] = {}
        seen = [person]
        while seen[-1] != to:
            onward = self._next(seen[-1], now)
            if onward is None or onward in seen:
                return None
            given = (d for d in self.given if d.approver == seen[-1] and d.holds(now) and d.key)
            keys |= {d.approver: d.key for d in given}
            seen.append(onward)
        return keys

    def knowing(self, absences: Mapping[str, tuple[Away, ...]]) -> Mandates:
        """The same, with what the directory says of more people."""
        return Mandates(given=list(self.given), absences={**self.absences, **absences})

    def circles(self, given: Delegation, now: datetime) -> bool:
        """Whether it would come round to who gives it: when it begins, or when another delegation
        or an absence does."""
        starts = [given.start, *(d.start for d in self.given)]
        starts += [away.start for known in self.absences.values() for away in known]
        ahead = [max(start, given.start, now) for start in starts]
        return any(given.holds(at) and self._leads_back(given, at) for at in ahead)

    def _leads_back(self, given: Delegation, now: datetime) -> bool:
        way = [given.to]
        while (onward := self._next(way[-1], now)) is not None and onward not in way:
            if onward == given.approver:
                return True
            way.append(onward)
        return False

    def turns(self, now: datetime) -> list[datetime]:
        """The instants ahead at which a delegation or an absence begins or ends, in order."""
        found = [instant for d in self.given for instant in (d.start, d.end) if instant]
        absences = [away for known in self.absences.values() for away in known]
        found += [instant for away in absences for instant in (away.start, away.end)]
        return sorted(instant for instant in found if instant > now)

    def _next(self, person: str, now: datetime) -> str | None:
        for delegation in self.given:
            if delegation.approver == person and delegation.holds(now):
                return delegation.to
        for away in self.absences.get(person, ()):
            if away.start <= now < away.end:
                return away.delegate
        return None


def without(people: Sequence[str], barred: Mapping[str, str]) -> tuple[str, ...]:
    """These people in their order, nobody twice and nobody barred."""
    return tuple(person for person in dict.fromkeys(people) if person not in barred)
