"""Where one task of a sunset stands, and what undoes or accompanies it."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import Field

from phasegate.acts import (
    Act,
    ArchiveAct,
    CommandAct,
    CustomAct,
    Effect,
    HttpAct,
    MailAct,
    ManualAct,
    NoticeAct,
)
from phasegate.base import Instant, Wire
from phasegate.span import Span
from phasegate.sunset import ActingTask, Undo
from phasegate.sunset_expand import FlatTask
from phasegate.sunset_ports import ActVerdict, TaskProof


class TaskState(StrEnum):
    """`waiting`: for a person, or a gate's votes. `stuck`: it is tried on and on. `unknown`: nobody
    can tell whether it was done. `held`: by a legal hold. `dropped`: by an abort."""

    planned = "planned"
    waiting = "waiting"
    running = "running"
    stuck = "stuck"
    unknown = "unknown"
    held = "held"
    done = "done"
    skipped = "skipped"
    dropped = "dropped"
    undoing = "undoing"
    undone = "undone"

    @property
    def under_way(self) -> bool:
        """Begun, and not ended."""
        return self in _UNDER_WAY

    @property
    def settled(self) -> bool:
        """Nothing waits for it any more."""
        return self in _SETTLED


_UNDER_WAY = (
    TaskState.waiting,
    TaskState.running,
    TaskState.stuck,
    TaskState.unknown,
    TaskState.held,
)
_SETTLED = (TaskState.done, TaskState.skipped, TaskState.dropped, TaskState.undone)


class Doing(Wire):
    """How far it is with something that is to be done: a task, what undoes it, or a mail."""

    state: TaskState = TaskState.planned
    begun_at: Instant | None = None
    done_at: Instant | None = None
    intent: int = Field(0, description="the count of the announcement that it will be done")
    stuck_since: Instant | None = None
    broken_off: bool = Field(False, description="it was stopped while it was being tried")
    why: str = ""
    digest: str = ""
    data: dict[str, Any] = {}
    by: str = Field("", description="who confirmed it")
    confirmation: TaskProof | None = None
    verdict: ActVerdict | None = None

    def done(self, proof: TaskProof, now: datetime) -> None:
        self.state, self.done_at, self.stuck_since = TaskState.done, now, None
        self.why, self.digest, self.data, self.by = proof.text, proof.digest, proof.data, proof.by


class Undoing(Doing):
    """What undoes a task."""

    task: str
    act: Undo


class Letter(Doing):
    """The mail to open customers that goes with a reminder of a public date."""

    task: str
    ahead: Span
    at: Instant = Field(description="the date it reminds of")


class TaskRecord(Doing):
    """One task of the plan, in this product's sunset."""

    task: FlatTask
    at: Instant
    overdue_at: Instant | None = None
    needs: list[str] = []
    reminded_until: Instant | None = Field(None, description="reminders up to here are told")
    overdue_told: bool = False
    held_told: bool = False
    place: int = Field(0, description="the how-manieth task that was done")

    @property
    def effect(self) -> Effect:
        return self.task.effect if isinstance(self.task, ActingTask) else "reversible"


_ACTS = (NoticeAct, HttpAct, CommandAct, ArchiveAct, MailAct, ManualAct, CustomAct)


def act_of(task: ActingTask) -> Act:
    """What a task does, without what makes it a task of a plan."""
    kind = next(act for act in _ACTS if isinstance(task, act))
    return kind.model_validate({name: getattr(task, name) for name in kind.model_fields})
