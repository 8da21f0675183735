"""A sunset under way: the timetable that follows from the notice, and where each task stands."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

from pydantic import Field

from phasegate.adjusting import Adjustments
from phasegate.base import Instant, Wire
from phasegate.errors import Rejected
from phasegate.events import Outbox
from phasegate.facts import ProductFacts
from phasegate.legal_hold import LegalHold
from phasegate.ports import TaskProof
from phasegate.requests import Receipt, remember
from phasegate.room import fitting
from phasegate.sittings import GateReport, Sittings
from phasegate.span import Span
from phasegate.sunset import DateTask, Maturity, SunsetPlan, Task
from phasegate.views import ConditionView, SunsetView, TaskView

HANDLED_KEPT = 200


class TaskState(StrEnum):
    planned = "planned"
    waiting = "waiting"
    running = "running"
    done = "done"


class TaskRecord(Wire):
    """One task of the plan, in this product's sunset."""

    task: Task
    at: Instant
    state: TaskState = TaskState.planned
    done_at: Instant | None = None
    why: str = ""
    digest: str = ""
    confirmation: TaskProof | None = None


class Entry(Wire):
    """One line of the timetable: a task's turn, or a reminder of one."""

    at: Instant
    task: str
    ahead: Span | None = None


class Retirement(Wire):
    """The state of a sunset. A wire contract: it is carried across continue-as-new."""

    schema_version: int = 1
    product: ProductFacts
    approvers: dict[str, dict[str, tuple[str, ...]]] = {}
    open_conditions: list[str] = []
    reports_to: str
    token: str
    outbox: Outbox
    number: int = Field(1, description="the how-manieth sunset of the product")
    adjustments: Adjustments = Adjustments()
    maturity: Maturity = "ga"
    legal_holds: list[LegalHold] = []
    sittings: Sittings = Sittings()
    notice_at: Instant | None = None
    tasks: list[TaskRecord] = []
    timetable: list[Entry] = []
    position: int = 0
    submitted_by: str | None = None
    had_a_hand: dict[str, str] = {}
    needs_submit: bool = False
    conditions: list[ConditionView] = []
    members: dict[str, tuple[str, ...]] = {}
    handled: dict[str, Receipt] = {}
    refusals: int = 0
    stopped: str = ""
    ended_at: Instant | None = None

    def plan(self, plan: SunsetPlan, now: datetime) -> None:
        """Lay out the timetable. The notice is as far ahead as the earliest task needs.

        Tasks run in the order of the plan; one that is late delays those after it, and none runs
        before its day.
        """
        notice = max([now, *(task.at.before(now) for task in plan.tasks)])
        # A month back from a month ahead can be a day early: 31 March, 30 April, 30 March.
        while (late := now - min(task.at.after(notice) for task in plan.tasks)) > timedelta(0):
            notice += late
        self.notice_at = notice
        self.tasks = [TaskRecord(task=task, at=task.at.after(notice)) for task in plan.tasks]
        self.timetable = timetable(self.tasks, self.notice_at)

    def hear(self, facts: ProductFacts) -> None:
        """The product is not what it was: another owner, another definition, more evidence."""
        self.product = facts
        narrowed = facts.definition.get("approvers", {})
        self.approvers = {
            gate: {group: tuple(people) for group, people in groups.items()}
            for gate, groups in narrowed.items()
        }

    def hear_of_milestone(self, milestone: str, state: str) -> None:
        """What became of a milestone of the product: gates of the sunset may ask for it.

        The facts are replaced, not changed: a round that is being started has the ones before.
        """
        milestones = {**self.product.milestones, milestone: state}
        self.product = self.product.model_copy(update={"milestones": milestones})

    def facts(self, gate: str) -> ProductFacts:
        """What a gate of the sunset needs to know of the product."""
        return self.product.model_copy(update={"narrowed": self.approvers.get(gate, {})})

    def take_conditions(self, report: GateReport) -> None:
        """Conditions of a gate that passed block the gates after it."""
        found = fitting(report.conditions, self.conditions)
        named = [c.model_copy(update={"gate": c.gate or report.gate}) for c in found]
        self.conditions += named
        self.open_conditions += [condition.id for condition in named]

    def let_go(self, condition: str) -> bool:
        """A condition is kept: the product has it from here on. False if it was not open."""
        if condition not in self.open_conditions:
            return False
        self.open_conditions.remove(condition)
        self.conditions = [c for c in self.conditions if c.id != condition]
        return True

    def record(self, task_id: str) -> TaskRecord:
        """The record of that task. Raises KeyError."""
        for record in self.tasks:
            if record.task.id == task_id:
                return record
        raise KeyError(task_id)

    def done(self, task_id: str, proof: TaskProof, now: datetime) -> None:
        record = self.record(task_id)
        record.state, record.done_at = TaskState.done, now
        record.why, record.digest = proof.text, proof.digest

    @property
    def word(self) -> str:
        return self.status

    def require_alive(self) -> None:
        if self.ended_at:
            raise Rejected(
                "sunset-ended",
                f"the sunset of {self.product.key} takes no more requests",
                f"it is {self.status}",
                f"phasegate sunset show {self.product.key}",
            )

    def remember(self, key: str, receipt: Receipt) -> None:
        remember(self.handled, key, receipt, kept=HANDLED_KEPT)

    def next_due(self) -> datetime | None:
        """The day of the next task that is not done."""
        return min((r.at for r in self.tasks if r.state is not TaskState.done), default=None)

    @property
    def status(self) -> str:
        if self.stopped:
            return "cancelled"
        return "retired" if self.ended_at else "sunsetting"

    def view(self, workflow_id: str) -> SunsetView | None:
        """The sunset as `sunset show` gives it; None until it is planned."""
        if self.notice_at is None:
            return None
        return SunsetView(
            product=self.product.key,
            status=self.status,
            notice_at=self.notice_at,
            number=self.number,
            adjustments=self.adjustments,
            workflow_id=workflow_id,
            tasks=[
                TaskView(
                    id=record.task.id,
                    title=record.task.title,
                    kind=record.task.kind,
                    state=record.state.value,
                    at=record.at,
                    done_at=record.done_at,
                    why=record.why,
                    digest=record.digest,
                    marks=getattr(record.task, "marks", None) or "",
                    effect=getattr(record.task, "effect", ""),
                )
                for record in self.tasks
            ],
        )


def timetable(tasks: list[TaskRecord], notice_at: datetime) -> list[Entry]:
    """Tasks in the plan's order, with each public date's reminders woven in by time.

    Reminders before the public notice are left out: nobody knows of the date yet.
    """
    reminders = [
        Entry(at=span.before(record.at), task=record.task.id, ahead=span)
        for record in tasks
        if isinstance(record.task, DateTask)
        for span in record.task.remind
        if span.before(record.at) >= notice_at
    ]
    reminders.sort(key=lambda entry: (entry.at, entry.task))
    woven: list[Entry] = []
    for record in tasks:
        while reminders and reminders[0].at <= record.at:
            woven.append(reminders.pop(0))
        woven.append(Entry(at=record.at, task=record.task.id))
    return woven
