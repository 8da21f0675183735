"""When a round's clocks act: business days counted by each person's own calendar."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime

from phasegate import ports
from phasegate.calendars import Calendar, TooFar
from phasegate.directory import Person
from phasegate.gate import Clocks
from phasegate.within import Length


class Timetables:
    """The timetables of one gate, counted from one instant.

    `calendars` are of everybody who is asked; `seated` are those of them whom the gate waits for.
    The others advise: they have a day to answer by, and nobody is reminded or acts for them.
    """

    def __init__(
        self,
        clocks: Clocks,
        since: datetime,
        calendars: Mapping[str, Calendar],
        seated: Collection[str],
    ) -> None:
        self._clocks = clocks
        self._since = since
        self._calendars = calendars
        self._seated = {person: calendars[person] for person in sorted(seated)}
        # Where nobody sits, the gate still has to end: by a plain working week.
        self._deciding = tuple(self._seated.values()) or (Calendar.of(Person()),)

    def answer(self, order: ports.ClockOrder) -> ports.Timetable:
        """The timetable that is wanted, as `ports.ClockOrder` describes its kinds.

        Raises CalendarError where a calendar has no day that fits.
        """
        before = order.before
        if order.stopped is not None and order.kind != "resume":
            # Carried out while the clocks stand still: no time has passed since they stopped, and
            # going on later moves what is counted now by the whole pause.
            self._since = min(self._since, order.stopped)
        if before is None or order.kind == "start":
            return self._anew()
        if order.kind == "respond":
            return self._anew().model_copy(update={"resolve": before.resolve})
        if order.kind == "resume" and order.stopped is not None:
            return self._resumed(before, order.stopped)
        return self._kept(before)

    def _anew(self) -> ports.Timetable:
        """Everything from `since`. The gate never resolves before the last answer is due."""
        respond = {person: self._respond(person) for person in self._calendars}
        resolve = [c.due(self._since, self._clocks.resolve) for c in self._deciding]
        return ports.Timetable(
            respond=respond,
            escalate=self._escalations(self._seated, respond),
            remind=self._reminders(self._seated, respond),
            resolve=max(resolve + [respond[person] for person in self._seated]),
        )

    def _kept(self, before: ports.Timetable) -> ports.Timetable:
        """What is there stays; people who are new have their days from `since`."""
        fresh = [person for person in self._calendars if person not in before.respond]
        respond = before.respond | {person: self._respond(person) for person in fresh}
        joined = [person for person in self._seated if person not in before.escalate]
        return ports.Timetable(
            respond=respond,
            escalate=before.escalate | self._escalations(joined, respond),
            remind=before.remind | self._reminders(joined, respond),
            resolve=before.resolve,
        )

    def _resumed(self, before: ports.Timetable, stopped: datetime) -> ports.Timetable:
        """What was left at `stopped` is left at `since`; people who are new have all of it."""

        def moved(calendar: Calendar, due: datetime, within: Length) -> datetime:
            return calendar.moved_on(due, within, stopped=stopped, since=self._since)

        clocks, was = self._clocks, before.respond
        respond = {
            person: moved(calendar, was[person], clocks.respond)
            if person in was
            else self._respond(person)
            for person, calendar in self._calendars.items()
        }
        escalate = self._escalations(self._seated, respond)
        # Who was late already keeps what was left until somebody may act for them.
        escalate |= {
            person: moved(self._seated[person], due, clocks.escalate)
            for person, due in before.escalate.items()
            if person in self._seated and was[person] <= stopped
        }
        return ports.Timetable(
            respond=respond,
            escalate=escalate,
            remind=self._reminders(self._seated, respond),
            resolve=max(moved(c, before.resolve, clocks.resolve) for c in self._deciding),
        )

    def _respond(self, person: str) -> datetime:
        return self._calendars[person].due(self._since, self._clocks.respond)

    def _escalations(
        self, people: Collection[str], respond: Mapping[str, datetime]
    ) -> dict[str, datetime]:
        return {person: self._escalate(person, respond[person]) for person in people}

    def _escalate(self, person: str, due: datetime) -> datetime:
        try:
            return self._calendars[person].due(due, self._clocks.escalate)
        except TooFar:  # somebody was given time to the end of all years
            return due

    def _reminders(
        self, people: Collection[str], respond: Mapping[str, datetime]
    ) -> dict[str, list[datetime]]:
        """Person → the instants after `since` at which they are reminded, each once."""
        found = {}
        for person in people:
            calendar, due = self._calendars[person], respond[person]
            ahead = {calendar.ahead_of(due, within) for within in self._clocks.remind}
            if instants := sorted(instant for instant in ahead if instant > self._since):
                found[person] = instants
        return found
