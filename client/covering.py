"""Whom somebody stands in for now, by the absences of the published directories."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo

from ledger import Ledger
from phasegate.directory import Directory, Person
from phasegate.ports import Away
from phasegate.standing_in import Mandates


@dataclass(frozen=True)
class Desk:
    """One person by the published directories: directory → whom they cover now, and the groups
    of these and of themselves."""

    covered: Mapping[str, frozenset[str]]
    groups: frozenset[str]

    def covers(self, person: str, directory: str | None) -> bool:
        """Whether this person's delegate is the desk's; in any directory if it is not known."""
        if directory is not None:
            return person in self.covered.get(directory, ())
        return any(person in people for people in self.covered.values())

    @property
    def people(self) -> frozenset[str]:
        return frozenset(person for people in self.covered.values() for person in people)


def desk_of(ledger: Ledger, who: str, now: datetime) -> Desk:
    """What is on somebody's desk, by every directory as it is now."""
    documents = ledger.documents
    covered, groups = dict[str, frozenset[str]](), set[str]()
    for name in documents.names("directory"):
        current = documents.current("directory", name)
        if current is None:
            continue
        directory = documents.read_directory(current.digest)
        covered[name] = covered_by(directory, who, now)
        for person in (who, *covered[name]):
            groups.update(directory.groups_of(person))
    return Desk(covered, frozenset(groups))


def known(ledger: Ledger, who: str) -> bool:
    """Whether any directory knows this person, or none is published that could."""
    documents = ledger.documents
    current = [documents.current("directory", name) for name in documents.names("directory")]
    found = [documents.read_directory(entry.digest) for entry in current if entry]
    return not found or any(who in directory.people for directory in found)


def covered_by(directory: Directory, who: str, now: datetime) -> frozenset[str]:
    """Those who are away and for whom this person acts, also where the delegate is away, too."""
    mandates = Mandates(
        absences={
            person: away for person, about in directory.people.items() if (away := _away(about))
        }
    )
    return frozenset(
        person for person in mandates.absences if mandates.delegate_of(person, now) == who
    )


def _away(about: Person) -> tuple[Away, ...]:
    """Absences as instants, as activities count them. Their calendar is not asked: it knows the
    holidays of the world, takes half a second to load, and holidays move no absence."""
    zone = _zone(about.time_zone)
    found = []
    for absence in about.absences:
        start = datetime.combine(absence.start, time(), zone)
        end = datetime.combine(absence.end + timedelta(days=1), time(), zone)
        found.append(Away(start=start, end=end, delegate=absence.delegate))
    return tuple(sorted(found, key=lambda away: (away.start, away.end)))


def _zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name)
    except (ValueError, OSError):  # lint has said so; a gate of this directory cannot open
        return UTC
