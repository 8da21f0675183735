"""Absences: that they are told apart, and that somebody is there for whoever is away."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from phasegate.directory import Absence, Directory
from phasegate.lint.findings import Finding
from phasegate.problems import DocPath

YEARS = range(1970, 2201)
"""In which somebody may be away."""


def absence_findings(directory: Directory) -> Iterator[Finding]:
    """Absences that overlap, delegates who are away themselves, people away to each other.

    Days are compared as they are written: who is away where is a matter of time zones, and of
    hours, which a plan made in days cannot mean.
    """
    circles: set[frozenset[str]] = set()
    starts = sorted({a.start for person in directory.people.values() for a in person.absences})
    for name, person in directory.people.items():
        for i, absence in enumerate(person.absences):
            path: DocPath = ("people", name, "absences", i)
            yield from _years(path, absence)
            yield from _overlaps(path, absence, person.absences[:i])
            # Who is there changes only where an absence starts; where one ends, more people are.
            for day in [day for day in starts if absence.start <= day <= absence.end]:
                way = way_of(directory, name, day)
                if way[-1] == name and len(way) > 1:
                    if frozenset(way) not in circles:
                        circles.add(frozenset(way))
                        yield _circle(path, way, day)
                    break
                if problem := _nobody(directory, way, day):
                    yield Finding("warning", path, problem)
                    break


def _years(path: DocPath, absence: Absence) -> Iterator[Finding]:
    """A slip of the pen, or a way to say for ever: whoever is gone leaves the directory."""
    for field, day in (("start", absence.start), ("end", absence.end)):
        if day.year not in YEARS:
            yield Finding(
                "error",
                (*path, field),
                f"{day} is not between {YEARS[0]} and {YEARS[-1]}; correct the year, or take "
                "whoever has left for good out of their groups",
            )


def _overlaps(path: DocPath, absence: Absence, earlier: tuple[Absence, ...]) -> Iterator[Finding]:
    for j, other in enumerate(earlier):
        if absence.start <= other.end and other.start <= absence.end:
            same = absence.delegate == other.delegate
            why = "" if same else ", and another person stands in: it is not clear who acts"
            yield Finding(
                "warning" if same else "error",
                path,
                f"overlaps absence {j} ({other.start} to {other.end}){why}; end one before the "
                "other starts",
            )


def away_on(directory: Directory, person: str, day: date) -> Absence | None:
    """The absence of somebody on that day, None if they are there."""
    entry = directory.people.get(person)
    found = [a for a in entry.absences if a.start <= day <= a.end] if entry else []
    return found[0] if found else None


def way_of(directory: Directory, start: str, day: date) -> list[str]:
    """From somebody who is away to their delegate, and on while that one is away, too. It ends
    with the one who acts, with one who names nobody, or where it comes back to a person."""
    way = [start]
    while (absence := away_on(directory, way[-1], day)) and absence.delegate:
        way.append(absence.delegate)
        if absence.delegate in way[:-1]:
            break
    return way


def _circle(path: DocPath, way: list[str], day: date) -> Finding:
    round_trip = " → ".join(way)
    return Finding(
        "error",
        (*path, "delegate"),
        f"on {day} they are away to each other: {round_trip}, so that nobody acts; name somebody "
        "who is there",
    )


def _nobody(directory: Directory, way: list[str], day: date) -> str:
    """Why nobody acts on that day for whoever starts the way; empty if somebody does."""
    last = way[-1]
    absence = away_on(directory, last, day)
    if absence is None or last in way[:-1]:  # a circle further on is told where it begins
        return ""
    if len(way) > 1:
        return (
            f"on {day} {last}, who acts for {way[-2]}, is away as well and names nobody; name "
            f"somebody else, or a delegate for {last}"
        )
    deputy = directory.people[last].deputy
    theirs = away_on(directory, deputy, day) if deputy else None
    if theirs and not theirs.delegate:
        return (
            f"on {day} the deputy {deputy} is away as well, so that only a manager acts for "
            f"{last}; name a delegate for this absence"
        )
    return ""
