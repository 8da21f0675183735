"""Who acts for whom: what a round needs of the directory about people who are away or silent."""

from __future__ import annotations

from collections.abc import Iterable

from phasegate import ports
from phasegate.calendars import Calendar, CalendarError
from phasegate.directory import Directory, Person


class Calendars:
    """The calendars of a directory's people; somebody it does not list has the default one."""

    def __init__(self, directory: Directory) -> None:
        self._people = directory.people

    def of(self, person: str) -> Calendar:
        """Raises CalendarError that names the person whose calendar cannot be used."""
        try:
            return Calendar.of(self._people.get(person, Person()))
        except CalendarError as error:
            raise CalendarError(f"{person}: {error}") from None

    def absences(self, person: str) -> tuple[ports.Away, ...]:
        """When somebody is away, as instants of their own time zone, the earliest first."""
        known = self._people.get(person)
        if known is None or not known.absences:
            return ()
        calendar, found = self.of(person), []
        for absence in known.absences:
            start, end = calendar.instants(absence)
            found.append(ports.Away(start=start, end=end, delegate=absence.delegate))
        return tuple(sorted(found, key=lambda away: (away.start, away.end)))


def deputies(directory: Directory, people: Iterable[str]) -> dict[str, str]:
    """Person → their deputy, where they have one."""
    known = {person: directory.people.get(person) for person in people}
    return {person: entry.deputy for person, entry in known.items() if entry and entry.deputy}


def managers(directory: Directory, people: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Person → the chain of managers above them, where there is one."""
    chains = {person: directory.managers(person) for person in people}
    return {person: chain for person, chain in chains.items() if chain}


def absences(
    directory: Directory, calendars: Calendars, people: Iterable[str], *, delegates: bool = False
) -> dict[str, tuple[ports.Away, ...]]:
    """When these people are away, and whoever might act for them: delegates, deputies, managers,
    and those who act for these in turn. Or their `delegates` alone, and the delegates of these."""
    todo, found = list(people), dict[str, tuple[ports.Away, ...]]()
    while todo:
        person = todo.pop()
        if person in found:
            continue
        found[person] = calendars.absences(person)
        todo += [away.delegate for away in found[person] if away.delegate]
        entry = None if delegates else directory.people.get(person)
        todo += [name for name in (entry.deputy, entry.manager) if name] if entry else []
    return {person: found[person] for person in sorted(found) if found[person]}
