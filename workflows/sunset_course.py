"""The course of a sunset: what has its turn begins, side by side; the clock wakes it once a day."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from phasegate.retirement_desk import groups_of
    from phasegate.retirement_graph import (
        Reminder,
        finished,
        letter_of,
        next_wake,
        ready,
        take_overdue,
        take_reminders,
    )
    from phasegate.retirement_tasks import Letter, TaskRecord, TaskState
    from phasegate.retirement_undo import break_off, come_to_rest
    from phasegate.sunset import DateTask, GateTask
    from phasegate.sunset_ports import TaskProof
    from workflows.bookkeeping import ahead
    from workflows.moment import Moment
    from workflows.sunset_acts import BrokenOff
    from workflows.sunset_tasks import SunsetTasks


class SunsetCourse(SunsetTasks):
    """Takes the plan through, as far as days, gates and people let it."""

    def __init__(self) -> None:
        super().__init__()
        self.moment = Moment()
        self._stirred = False
        self._doing: dict[str, asyncio.Task[None]] = {}
        self._learning: asyncio.Task[None] | None = None
        self._members_old = False
        self._alarm: asyncio.Task[None] | None = None
        self._alarm_at: datetime | None = None
        self.renewal_due = False

    def progress(self) -> None:
        """Show and report how the sunset stands, where that has changed."""
        raise NotImplementedError

    async def renew(self) -> None:
        """Go on in a fresh history."""
        raise NotImplementedError

    def stir(self) -> None:
        self._stirred = True
        self.moment.passes()

    async def through(self) -> None:
        """Carry the plan through, or until an abort has brought it to rest."""
        self._go_on()
        while not self._over():
            for record in self._turns():
                record.state = TaskState.running
                self._start(record)
            await self.meanwhile(lambda: self._over() or bool(self._turns()))
        self.letters_end = True
        self.stop_orders(lambda _, doing: doing.stuck_since is not None)
        await self.meanwhile(lambda: not self._doing)

    def _turns(self) -> list[TaskRecord]:
        """The tasks that have their turn."""
        if self.state.aborting or self.state.needs_plan:
            return []
        return ready(self.state, self.moment.now)

    async def meanwhile(self, done: Callable[[], bool]) -> None:
        """Wait, and let the clock act. What has come is shown, and the history is renewed in time.

        A renewal goes on at the beginning, and finds its place from the state alone.
        """
        state = self.state
        while True:
            self._stirred = False
            self.moment.passes()
            self._collect()
            if state.aborting is None:
                self._tell_by_the_clock()
            self._learn()
            self.look_soon()
            ending = state.aborting is None and self._over()
            if not ending:
                self.progress()
            if (self.renewal_due or self.moment.renew) and not ending:
                await self.renew()
            if done():
                return
            self._set_alarm()
            await workflow.wait_condition(partial(self._woken, done, ending))

    def _woken(self, done: Callable[[], bool], ending: bool) -> bool:
        """Whether there is something to do. Who is ending does not renew, and so is not woken."""
        return done() or self._stirred or (self.moment.renew and not ending)

    def _over(self) -> bool:
        state = self.state
        if self._busy():
            return False
        return come_to_rest(state) if state.aborting else finished(state)

    def _busy(self) -> bool:
        """Whether a task of the plan is in hand; letters may be late."""
        return any(not name.startswith("letter ") for name in self._doing)

    # -- tasks ------------------------------------------------------------------------------------

    def _go_on(self) -> None:
        """In a new run: take up again what was under way."""
        self._members_old = workflow.info().continued_run_id is not None
        for record in self.state.tasks:
            if record.state.under_way:
                self._start(record)
        for letter in self.state.letters:
            self._post(letter)

    def _start(self, record: TaskRecord) -> None:
        self._in_hand(record.task.id, self._do(record))

    def _in_hand(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        """Have something done, and look at it when it has ended, in whatever way."""
        task = asyncio.create_task(work)
        task.add_done_callback(lambda _: self.stir())
        self._doing[name] = task

    async def _do(self, record: TaskRecord) -> None:
        """One task, to its end."""
        try:
            proof = await self.carry_out(record)
        except BrokenOff:
            break_off(self.state, record)
        else:
            if proof is not None:
                self._done(record, proof)

    def _done(self, record: TaskRecord, proof: TaskProof) -> None:
        self.state.done(record, proof, workflow.now())
        self.books.announce(
            "sunset.task-done",
            f"{record.task.title}: {proof.text}",
            actor=proof.by,
            task=record.task.id,
            digest=proof.digest,
            proof=proof.data,
            by=proof.by,
        )
        if isinstance(record.task, GateTask | DateTask):
            self.renewal_due = True

    def _collect(self) -> None:
        """Forget what has ended; a fault in it stops the run here, where it is seen."""
        for name in [name for name, task in self._doing.items() if task.done()]:
            self._doing.pop(name).result()
        self.collect_count()
        if self._learning and self._learning.done():
            self._learning.result()
            self._learning = None

    # -- the clock --------------------------------------------------------------------------------

    def _tell_by_the_clock(self) -> None:
        """Reminders of public dates, and what has become overdue."""
        now = workflow.now()
        for reminder in take_reminders(self.state, now):
            self._remind(reminder)
        for record in take_overdue(self.state, now):
            self.books.announce(
                "sunset.task-overdue",
                f"overdue since {record.overdue_at:%Y-%m-%d %H:%M} UTC: {record.task.title}",
                task=record.task.id,
                by=record.task.by or "",
                state=record.state.value,
                people=list(self.state.answering(record)),
            )

    def _learn(self) -> None:
        """Read the groups again when a day has come, in a new run, and when the plan names more."""
        missing = any(group not in self.state.members for group in groups_of(self.state))
        if self._learning is None and (missing or self._members_old):
            self._members_old = False
            self._learning = asyncio.create_task(self.learn_members())

    def _remind(self, reminder: Reminder) -> None:
        record, span = reminder
        when = f"in {span.words}" if span.approximate else "today"
        self.books.announce(
            "sunset.reminder",
            f"{record.task.title} {when}, on {record.at:%Y-%m-%d %H:%M} UTC",
            task=record.task.id,
        )
        plan = self.state.plan
        if plan and plan.customer_reminder:
            letter = letter_of(reminder)
            self.state.letters.append(letter)
            self._post(letter)

    def _post(self, letter: Letter) -> None:
        name = f"letter {letter.task} {letter.at:%Y-%m-%d} {letter.ahead}"
        self._in_hand(name, self._write(letter))

    async def _write(self, letter: Letter) -> None:
        try:
            proof = await self.write_letter(letter)
        except BrokenOff:
            pass
        else:
            self.books.announce(
                "sunset.customers-reminded",
                f"{self.state.record(letter.task).task.title}: {proof.text}",
                task=letter.task,
                proof=proof.data,
            )
        self.state.letters.remove(letter)

    def _set_alarm(self) -> None:
        """One timer for all days. It is set anew only for an earlier one: later ones can wait."""
        wake = next_wake(self.state, workflow.now()) if self.state.aborting is None else None
        if wake is None or (self._alarm_at is not None and self._alarm_at <= wake):
            return
        if self._alarm:
            self._alarm.cancel()
        self._alarm_at = wake
        self._alarm = asyncio.create_task(self._ring(wake))

    async def _ring(self, at: datetime) -> None:
        while (rest := ahead(at)) and rest > timedelta(0):
            await workflow.sleep(rest, summary="the next day of the plan")
        self._alarm = self._alarm_at = None
        self._members_old = True
        self.stir()

    def has_learnt(self) -> bool:
        """Whether nothing is being read of customers and groups."""
        return self.has_counted() and (self._learning is None or self._learning.done())
