"""The way back: what an abort drops, waits for and undoes, in the reverse order of its doing.

A saga in the words of Garcia-Molina and Salem (1987): each step has what compensates it, and is
compensated in its turn.
"""

from __future__ import annotations

from datetime import datetime

from phasegate.acts import NoticeAct
from phasegate.requests import AbortRequest
from phasegate.retirement import Retirement
from phasegate.retirement_tasks import TaskRecord, TaskState, Undoing
from phasegate.sunset import ActingTask, MailTask, NoticeTask, Undo
from phasegate.sunset_views import Aborting

_NOT_BEGUN = (TaskState.planned, TaskState.waiting, TaskState.held)


def begin_abort(state: Retirement, request: AbortRequest, now: datetime) -> None:
    """Drop what has not begun, and what people are asked for. What is being done ends first."""
    state.aborting = Aborting(by=request.actor, reason=request.reason, at=now)
    state.needs_plan, state.needs_submit, state.submitted_by = "", False, None
    for record in state.tasks:
        if record.state in _NOT_BEGUN:
            record.state, record.why = TaskState.dropped, "the sunset is aborted"


def break_off(state: Retirement, record: TaskRecord) -> None:
    """A task that was tried in vain is dropped. What it may have done all the same is undone."""
    record.place = 1 + max((r.place for r in state.tasks), default=0)
    record.state, record.broken_off = TaskState.dropped, True
    record.why = "it was stuck when the sunset was aborted"


def come_to_rest(state: Retirement) -> bool:
    """Whether nothing is being done any more, so that undoing may begin."""
    return not any(record.state.under_way for record in state.tasks)


def plan_undoing(state: Retirement) -> list[Undoing]:
    """What undoes what was done, the latest first."""
    done = [r for r in state.tasks if r.state is TaskState.done or r.broken_off]
    done.sort(key=lambda record: record.place, reverse=True)
    return [
        Undoing(task=record.task.id, act=act)
        for record in done
        if (act := undo_of(record)) is not None
    ]


def undo_of(record: TaskRecord) -> Undo | None:
    """What brings a task back. What was made known is at least withdrawn."""
    task = record.task
    if not isinstance(task, ActingTask):
        return None
    if task.undo is not None:
        return task.undo
    return NoticeAct() if isinstance(task, NoticeTask | MailTask) else None


def not_undone(state: Retirement) -> list[TaskRecord]:
    """What was done and stays so: nothing is known that would bring it back."""
    return [
        record
        for record in state.tasks
        if record.state is TaskState.done
        and isinstance(record.task, ActingTask)
        and undo_of(record) is None
    ]
