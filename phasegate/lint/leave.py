"""Leave: days on which a gate cannot be passed, since who has to agree is away and nobody acts."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from phasegate import standing_in
from phasegate.directory import Directory
from phasegate.gate import Gate
from phasegate.lint.absences import away_on, way_of
from phasegate.lint.clocks import resolve_due
from phasegate.lint.findings import Finding
from phasegate.lint.helping import barred_by, busy
from phasegate.problems import DocPath
from phasegate.seats import Step, assign

_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Standstill:
    """Days from first to last, and who is away on them with nobody to act for them."""

    first: date
    last: date
    people: tuple[str, ...]

    def within(self, others: Iterable[Standstill]) -> bool:
        """Whether its days are all in one of these."""
        return any(o.first <= self.first and self.last <= o.last for o in others)


def leave_findings(
    path: DocPath, gate: Gate, found: Mapping[Standstill, date], owner: str | None = None
) -> Iterator[Finding]:
    """A warning for each of these; with an owner, they are because that person does not count."""
    for still, due in found.items():
        are = "is" if len(still.people) == 1 else "are"
        since = f" ({owner} owns the product and does not count)" if owner else ""
        yield Finding(
            "warning",
            path,
            f"gate {gate.id} cannot be passed from {still.first} to {still.last}: "
            f"{', '.join(still.people)} {are} away, and nobody acts in their place{since}; opened "
            f"on {still.first}, it comes to its resolve deadline on {due}; name a delegate for "
            "these days in the directory, one who is not needed there themselves",
        )


def lasting(
    gate: Gate,
    seatings: Iterable[tuple[Step, ...]],
    directory: Directory,
    today: date,
    owner: str | None = None,
) -> dict[Standstill, date]:
    """Where a gate that opens during absences comes to its resolve deadline before anybody is back,
    and when. Shorter absences delay it, and that is what its clocks are for."""
    found: dict[Standstill, date] = {}
    for steps in seatings:
        for still in standstills(gate, steps, directory, today, barred_by(owner)):
            opened = datetime.combine(still.first, time(), UTC)
            due = resolve_due(gate, [p for step in steps for p in step.people], directory, opened)
            if due is not None and due.date() <= still.last:
                found.setdefault(still, due.date())
    return found


def standstills(
    gate: Gate,
    steps: Collection[Step],
    directory: Directory,
    today: date,
    barred: Mapping[str, str],
) -> Iterator[Standstill]:
    """The days from `today` on which the people who are there cannot pass a gate. Who is `barred`
    acts for nobody."""
    seated = sorted({person for step in steps for person in step.people})
    first: date | None = None
    away: set[str] = set()
    needed = {step.number: busy(gate, step) for step in steps}
    for day in _turns(directory, seated, today):
        silent: set[str] = set()
        still = False
        for step in steps:
            unable = needed[step.number]
            here = {p for p in step.people if not _acting(directory, p, day, unable, barred)}
            still = still or stuck(gate, [step], here)
            silent |= here
        if still:
            first, away = first or day, away | silent
        elif first:
            yield Standstill(first, day - _DAY, tuple(sorted(away)))
            first, away = None, set()


def stuck(gate: Gate, steps: Iterable[Step], silent: Collection[str]) -> bool:
    """Whether a gate cannot be passed while these people say nothing: seats stay empty, or it waits
    for one of them by its rules for vetoes and `wait_for`."""
    for step in steps:
        there = {name: groups for name, groups in step.people.items() if name not in silent}
        awaited = gate.wait_for == "all" or any(
            step.people[person] & step.veto_groups for person in silent if person in step.people
        )
        if awaited and len(there) < len(step.people):
            return True
        if len(assign(step.seats, there)) < len(step.seats):
            return True
    return False


def _turns(directory: Directory, people: Iterable[str], today: date) -> list[date]:
    """The days from today on which absences of these, and of who might act for them, begin or are
    over, in order."""
    todo, known = list(people), set[str]()
    days = {today}
    while todo:
        if (name := todo.pop()) in known or (entry := directory.people.get(name)) is None:
            continue
        known.add(name)
        todo += [other for other in (entry.deputy, entry.manager) if other]
        for absence in entry.absences:
            todo += [absence.delegate] if absence.delegate else []
            days |= {day for day in (absence.start, _after(absence.end)) if day > today}
    return sorted(days)


def _after(day: date) -> date:
    return day if day == date.max else day + _DAY


def _acting(
    directory: Directory,
    person: str,
    day: date,
    needed: Collection[str],
    barred: Mapping[str, str],
) -> bool:
    """Whether somebody votes in this person's seat on that day, sooner or later: they themselves,
    their delegate, their deputy or that one's delegate, or a manager above them; nobody who is
    `barred`, or whose own vote is `needed`, too."""
    if away_on(directory, person, day) is None:
        return True
    entry = directory.people.get(person)
    deputies = [entry.deputy] if entry and entry.deputy else []
    acting = [way_of(directory, name, day)[-1] for name in (person, *deputies)]
    acting += directory.managers(person)
    return any(
        name != person and name not in needed and away_on(directory, name, day) is None
        for name in standing_in.without(acting, barred)
    )
