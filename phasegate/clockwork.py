"""The clocks of a round: its timetable, when they stand still, and what they have done.

Instants come from an activity, since calendars are data that changes; here they are only compared.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Literal

from phasegate.base import Instant, Wire
from phasegate.ports import ClockOrder, Timetable

Why = Literal["opened", "directory", "facts", "step", "resumed", "mandate", "escalated"]


class Reconvening(Wire):
    """The round is to be convened again, because something changed at `order.since`."""

    why: Why
    order: ClockOrder
    actor: str = ""


class Extension(Wire):
    """More time, given by somebody who may. It makes nothing earlier."""

    resolve: Instant
    respond: Instant | None = None

    def over(self, table: Timetable) -> Timetable:
        """The timetable with this time in it; managers act as long after the answers as before,
        and reminders come as long before them."""
        respond, escalate, remind = dict(table.respond), dict(table.escalate), dict(table.remind)
        for person, due in table.respond.items():
            if self.respond and self.respond > due:
                more = self.respond - due
                respond[person] = self.respond
                if person in escalate:
                    escalate[person] += more
                if person in remind:
                    remind[person] = [at + more for at in remind[person]]
        return Timetable(
            respond=respond,
            escalate=escalate,
            remind=remind,
            resolve=max(table.resolve, self.resolve),
        )


class Clockwork(Wire):
    """When the clocks of a round act. While it waits to be convened again, they stand still."""

    timetable: Timetable | None = None
    stopped_at: Instant | None = None
    again: list[Reconvening] = []
    reminded_at: Instant | None = None
    late: list[str] = []
    escalated: list[str] = []
    escalations: int = 0
    extended: Extension | None = None

    def at(self, now: datetime) -> datetime:
        """The time by these clocks: they stand still while stopped, and while they are planned."""
        since = [self.stopped_at] if self.stopped_at else []
        since += [r.order.stopped or r.order.since for r in self.again]
        return min([now, *since])

    @property
    def running(self) -> bool:
        return self.timetable is not None and self.stopped_at is None and not self.again

    @property
    def between_times(self) -> bool:
        """Whether they stand still, or are about to go on after they did."""
        resumed = any(waiting.why == "resumed" for waiting in self.again)
        return self.stopped_at is not None or resumed

    @property
    def counting_anew(self) -> bool:
        """Whether people were asked anew, and it is not known yet by when they have to answer."""
        return any(waiting.why in ("opened", "facts", "step") for waiting in self.again)

    @property
    def unsure(self) -> bool:
        """Whether the product has changed and the round does not know yet whom that asks."""
        return any(waiting.why in ("opened", "facts") for waiting in self.again)

    def ask_again(
        self,
        why: Why,
        kind: Literal["start", "respond", "resume", "keep"],
        since: datetime,
        *,
        actor: str = "",
    ) -> None:
        """Have the round convened again. What waits already, unstarted, is not asked twice."""
        stopped = self.stopped_at  # what is counted while they stand still is moved when they go on
        for waiting in self.again[1:]:
            if (waiting.why, waiting.order.kind) == (why, kind):
                waiting.order.since = since
                if kind != "resume":  # a resume goes on from where they stopped first
                    waiting.order.stopped = stopped
                return
        self.again.append(
            Reconvening(
                why=why, actor=actor, order=ClockOrder(kind=kind, since=since, stopped=stopped)
            )
        )

    def open(self, at: datetime) -> None:
        """The first order of a round, before what its opener may have told it by then."""
        if not any(waiting.why == "opened" for waiting in self.again):
            first = Reconvening(why="opened", order=ClockOrder(kind="start", since=at))
            self.again.insert(0, first)

    def stop(self, now: datetime) -> None:
        """Stand still; a second reason to stop changes nothing."""
        if self.stopped_at is None:
            self.stopped_at = now

    def go_on(self, now: datetime) -> None:
        """What was left when they stopped is left now."""
        if self.stopped_at is not None:
            self.ask_again("resumed", "resume", now)
            self.stopped_at = None

    def escalate(self, now: datetime, about: timedelta) -> None:
        """The resolve clock starts again, and one more level of managers may act."""
        assert self.timetable is not None
        self.escalations += 1
        self.timetable.resolve = now + about
        self.ask_again("escalated", "start", now)

    def extend(self, more: Extension) -> Timetable:
        """Add time. It is kept: what is planned later must not take it back."""
        assert self.timetable is not None
        self.timetable = more.over(self.timetable)
        if more.respond:
            self.late, self.escalated = [], []
        known = [self.extended.respond, more.respond] if self.extended else [more.respond]
        respond = max((at for at in known if at), default=None)
        self.extended = Extension(resolve=self.timetable.resolve, respond=respond)
        return self.timetable

    def planned(self, timetable: Timetable) -> None:
        """The first order waiting is carried out. People whose time was moved on are not late."""
        done = self.again.pop(0)
        kept = self.timetable
        if done.why == "escalated" and kept:
            timetable = Timetable(
                respond={**timetable.respond, **kept.respond},
                escalate={**timetable.escalate, **kept.escalate},
                remind=kept.remind,
                resolve=timetable.resolve,
            )
        elif done.order.kind == "respond":
            self.late, self.escalated = [], []
        self.timetable = self.extended.over(timetable) if self.extended else timetable

    def respond_due(self, people: Iterable[str]) -> datetime:
        """When the last of these has to have answered."""
        assert self.timetable is not None
        due = self.timetable.respond
        return max((due[p] for p in people if p in due), default=self.timetable.resolve)

    def is_late(self, person: str, now: datetime) -> bool:
        due = self.timetable.respond.get(person) if self.timetable else None
        return due is not None and now >= due

    def manager_levels(self, person: str, now: datetime) -> int:
        """How far up the chain of managers somebody may act for this person."""
        due = self.timetable.escalate.get(person) if self.timetable else None
        return (1 if due is not None and now >= due else 0) + self.escalations

    def next_wake(self, pending: Iterable[str], turns: Iterable[datetime]) -> datetime | None:
        """The next instant at which there is something to do for those who have not voted."""
        if not self.running:
            return None
        table = self.timetable
        assert table is not None
        waiting = list(pending)
        instants = [table.resolve, *turns]
        instants += [
            at for p in waiting for at in table.reminders(p) if self._after_last_reminder(at)
        ]
        instants += [table.respond[p] for p in waiting if p in table.respond and p not in self.late]
        instants += [
            table.escalate[p] for p in waiting if p in table.escalate and p not in self.escalated
        ]
        return min(instants)

    def _after_last_reminder(self, at: datetime) -> bool:
        return self.reminded_at is None or at > self.reminded_at

    def due_reminder(self, pending: Iterable[str], now: datetime) -> list[str]:
        """Those of these whose reminder has fallen due; all that have are then counted as sent."""
        table = self.timetable
        if table is None:
            return []

        def falls_due(at: datetime) -> bool:
            return at <= now and self._after_last_reminder(at)

        found = [p for p in pending if any(map(falls_due, table.reminders(p)))]
        sent = [at for person in table.remind for at in table.reminders(person) if falls_due(at)]
        self.reminded_at = max(sent, default=self.reminded_at)
        return found

    def newly_late(self, pending: Iterable[str], now: datetime) -> list[str]:
        """Those of these whose time to answer has passed since this was last asked."""
        found = [p for p in pending if p not in self.late and self.is_late(p, now)]
        self.late += found
        return found

    def newly_escalated(self, pending: Iterable[str], now: datetime) -> list[str]:
        """Those of these for whom a manager may act from now on."""
        table = self.timetable
        found = [
            p
            for p in pending
            if table
            and p in table.escalate
            and p not in self.escalated
            and now >= table.escalate[p]
        ]
        self.escalated += found
        return found
