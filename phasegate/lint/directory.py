"""A directory by itself: groups, managers, calendars."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from phasegate.calendars import country_problem, subdivision_problem, zone_problem
from phasegate.directory import Directory, Group, Person, address_problem
from phasegate.lint.absences import absence_findings
from phasegate.lint.findings import Finding, or_meant
from phasegate.lint.gates import TIERS
from phasegate.lint.keys import key_findings
from phasegate.problems import DocPath


def directory_findings(directory: Directory, today: date | None = None) -> Iterator[Finding]:
    """Names that are nobody's, empty groups, circles, addresses and calendars that cannot be used,
    absences for which nobody stands in."""
    for name, group in directory.groups.items():
        yield from _members(directory, name, group)
        yield from _tiers(name, group)
    circles: set[frozenset[str]] = set()
    for name, person in directory.people.items():
        yield from _named(directory, name, person)
        email = person.email.strip()  # as it is used
        if email and (problem := address_problem(email)):
            yield Finding("error", ("people", name, "email"), problem)
        yield from _calendar(name, person)
        circle = _circle(directory, name)
        if circle and frozenset(circle) not in circles:
            circles.add(frozenset(circle))
            yield Finding(
                "error",
                ("people", name, "manager"),
                f"managers go round in a circle: {' → '.join(circle)}; escalation finds no top",
            )
    yield from absence_findings(directory)
    yield from key_findings(directory, today)


def _members(directory: Directory, name: str, group: Group) -> Iterator[Finding]:
    if not group.members:
        yield Finding("warning", ("groups", name), f"group {name} has no members")
    seen: set[str] = set()
    for i, person in enumerate(group.members):
        path = ("groups", name, "members", i)
        if person not in directory.people:
            hint = or_meant(person, directory.people)
            yield Finding("error", path, f"{person} is not listed in people{hint}")
        if person in seen:
            yield Finding("warning", path, f"{person} is listed twice; keep one")
        seen.add(person)


def _tiers(name: str, group: Group) -> Iterator[Finding]:
    given: list[tuple[DocPath, tuple[int, ...]]] = [(("groups", name, "approve"), group.approve)]
    for permission, tiers in group.permissions.items():
        path: DocPath = ("groups", name, "permissions", permission.value)
        given.append((path, tiers))
        if not tiers:
            message = f"{permission} is given at no tier; list tiers, or remove the line"
            yield Finding("warning", path, message)
    for path, tiers in given:
        if stray := sorted(set(tiers) - set(TIERS)):
            message = f"there is no tier {', '.join(map(str, stray))}; tiers are 1, 2 and 3"
            yield Finding("error", path, message)


def _named(directory: Directory, name: str, person: Person) -> Iterator[Finding]:
    """The people whom an entry names, who must be there and be somebody else."""
    named: list[tuple[DocPath, str | None, str]] = [
        (("people", name, "manager"), person.manager, ""),
        (("people", name, "deputy"), person.deputy, "acts for themselves"),
    ]
    for i, absence in enumerate(person.absences):
        path: DocPath = ("people", name, "absences", i, "delegate")
        named.append((path, absence.delegate, "acts for themselves while away"))
    for path, other, alone in named:
        if other and other not in directory.people:
            hint = or_meant(other, directory.people)
            yield Finding("error", path, f"{other} is not listed in people{hint}")
        elif other == name and alone:
            yield Finding("error", path, f"{name} {alone}; name somebody else")


def _calendar(name: str, person: Person) -> Iterator[Finding]:
    here: DocPath = ("people", name)
    problems = {
        "country": country_problem(person.country),
        "subdivision": subdivision_problem(person.country, person.subdivision),
        "time_zone": zone_problem(person.time_zone),
    }
    for field, problem in problems.items():
        if problem:
            yield Finding("error", (*here, field), problem)
    for i, day in enumerate(person.working_days):
        if day in person.working_days[:i]:
            message = f"{day} is listed twice; keep one"
            yield Finding("warning", (*here, "working_days", i), message)


def _circle(directory: Directory, start: str) -> list[str]:
    """The circle of managers that `start` is part of, if any."""
    way = [start]
    while (entry := directory.people.get(way[-1])) and entry.manager:
        if entry.manager == start:
            return [*way, start]
        if entry.manager in way:
            return []
        way.append(entry.manager)
    return []
