"""What may begin in a sunset, and what its clock has to tell: pure rules over its tasks."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from phasegate.retirement import Retirement
from phasegate.retirement_tasks import Letter, TaskRecord, TaskState
from phasegate.span import Span
from phasegate.sunset import ActingTask, DateTask, ManualTask

AT_ONCE = 20
"""Acts that run side by side; more wait for their turn. One that is stuck takes no place."""


class Reminder(NamedTuple):
    """A public date that is so far ahead."""

    record: TaskRecord
    ahead: Span


def ready(state: Retirement, now: datetime) -> list[TaskRecord]:
    """The tasks that begin now, in the order of the plan."""
    settled = {r.task.id for r in state.tasks if r.state.settled}
    room = AT_ONCE - sum(_is_act(r) and r.state is TaskState.running for r in state.tasks)
    found: list[TaskRecord] = []
    for record in state.tasks:
        if record.state is not TaskState.planned or record.at > now:
            continue
        if not settled.issuperset(record.needs):
            continue
        if _is_act(record):
            if room <= 0:
                continue
            room -= 1
        found.append(record)
    return found


def finished(state: Retirement) -> bool:
    """Whether nothing is left to do. What waits for another plan may have no tasks yet."""
    return not state.needs_plan and all(record.state.settled for record in state.tasks)


def frozen(state: Retirement, record: TaskRecord) -> bool:
    """Whether a legal hold keeps a task from being done."""
    return record.effect == "deletion" and bool(state.legal_holds)


def next_wake(state: Retirement, now: datetime) -> datetime | None:
    """The next instant at which the clock brings something: a task's day, a reminder, a deadline.

    Days of tasks that wait for others do not count: they are looked at when those are done. Nor
    does any day while another plan is waited for.
    """
    if state.needs_plan:
        return None
    settled = {r.task.id for r in state.tasks if r.state.settled}
    turns: list[datetime] = []
    for record in state.tasks:
        if record.state.settled:
            continue
        if record.state is TaskState.planned and settled.issuperset(record.needs):
            turns.append(record.at)
        if record.overdue_at and not record.overdue_told:
            turns.append(record.overdue_at)
        turns += [at for at, _ in _reminders(state, record)]
    return min((at for at in turns if at > now), default=None)


def take_reminders(state: Retirement, now: datetime) -> list[Reminder]:
    """The reminders that are due now, each once; of several of one date only the latest.

    None while another plan is waited for: the days that are shown then were never made public.
    """
    found: list[Reminder] = []
    if state.needs_plan:
        return found
    for record in state.tasks:
        due = [(at, span) for at, span in _reminders(state, record) if at <= now]
        if due and not record.state.settled:
            record.reminded_until, ahead = max(due, key=lambda turn: turn[0])
            found.append(Reminder(record, ahead))
    return found


def take_overdue(state: Retirement, now: datetime) -> list[TaskRecord]:
    """The tasks that have become overdue, each once."""
    found = [
        record
        for record in state.tasks
        if not state.needs_plan and not record.state.settled and not record.overdue_told
        if record.overdue_at is not None and record.overdue_at <= now
    ]
    for record in found:
        record.overdue_told = True
    return found


def letter_of(reminder: Reminder) -> Letter:
    """The mail to customers that goes with a reminder."""
    return Letter(task=reminder.record.task.id, ahead=reminder.ahead, at=reminder.record.at)


def _reminders(state: Retirement, record: TaskRecord) -> list[tuple[datetime, Span]]:
    """The reminders of a task that are not told yet.

    Those before the public notice are left out: nobody knows of the date yet.
    """
    if not isinstance(record.task, DateTask) or state.notice_at is None:
        return []
    told = record.reminded_until
    turns = [(span.before(record.at), span) for span in record.task.remind]
    return [
        (at, span) for at, span in turns if at >= state.notice_at and (told is None or at > told)
    ]


def _is_act(record: TaskRecord) -> bool:
    """Whether the engine itself does something in the world for it."""
    return isinstance(record.task, ActingTask) and not isinstance(record.task, ManualTask)
