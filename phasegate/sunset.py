"""The sunset as a policy plans it: a graph of tasks, each with its day.

Days count from the public notice, or from another date of the plan (`relative_to`). A gate is
where everything above it in the list comes together, and everything below it waits; between two
gates tasks run side by side, in the order that `after` gives them.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field, field_validator

from phasegate.acts import (
    ArchiveAct,
    CommandAct,
    CustomAct,
    Effect,
    HttpAct,
    MailAct,
    ManualAct,
    NoticeAct,
)
from phasegate.base import Document, Slug, Text
from phasegate.gate import Gate
from phasegate.span import Span

CUSTOMERS_SETTLED = "customers-settled"
"""A milestone that every sunset has: no customer is open. Gates ask for it by this name."""

Maturity = Literal["alpha", "beta", "ga"]

KUBERNETES_NOTICE: dict[Maturity, Span] = {
    "ga": Span(months=12),
    "beta": Span(months=9),
    "alpha": Span(),
}
"""How long the public knows before the end, after the Kubernetes deprecation policy. It has a
number of releases beside each, whichever is longer; a policy that counts releases gives its own."""

Undo = Annotated[
    HttpAct | CommandAct | MailAct | ManualAct | NoticeAct | CustomAct,
    Field(discriminator="kind"),
]
"""What brings back what a task did, when the sunset is aborted."""


class _Task(Document):
    id: Slug
    title: Text
    at: Span = Field(Span(), description="from the public notice; negative means before it")
    relative_to: Slug | None = Field(
        None, description="a date of the plan from which `at` counts instead"
    )
    after: tuple[Slug, ...] = Field(
        (), description="tasks that are done before this one, beside the gates above it"
    )
    by: Slug | None = Field(
        None, description="the group that answers for it; the product's owner if unset"
    )
    due: Span | None = Field(None, description="so long after its day it is overdue")


class _Acting(_Task):
    effect: Effect = "reversible"
    undo: Undo | None = Field(None, description="what an abort does to bring it back")


class NoticeTask(NoticeAct, _Acting):
    kind: Literal["notice"]


class HttpTask(HttpAct, _Acting):
    kind: Literal["http"]


class CommandTask(CommandAct, _Acting):
    kind: Literal["command"]


class ArchiveTask(ArchiveAct, _Acting):
    kind: Literal["archive"]


class MailTask(MailAct, _Acting):
    kind: Literal["mail"]


class ManualTask(ManualAct, _Acting):
    kind: Literal["manual"]


class CustomTask(CustomAct, _Acting):
    kind: Literal["custom"]


class WaitTask(_Task):
    """Nothing but its day, for others to come after."""

    kind: Literal["wait"]


class DateTask(_Task):
    """A public date with its reminders. What it `marks` are the words of OASIS OpenEoX."""

    kind: Literal["date"]
    marks: Literal["end-of-sales", "end-of-security-support", "end-of-life"] | None = None
    remind: tuple[Span, ...] = Field((), description="remind so long before the date")


class GateTask(_Task):
    """A gate on the way out of the market. After the point of no return no abort is possible."""

    kind: Literal["gate"]
    gate: Gate
    point_of_no_return: bool = False


class PlanTask(_Task):
    """A plan within the plan, done when its tasks are; once per name of `each`, where it has some.

    Its tasks are known as ID--TASK, or ID--EACH--TASK, and {each} is replaced in their texts. Their
    days count from the plan's own. They have its `after`, and its `by` and `due` unless their own.
    """

    kind: Literal["plan"]
    each: tuple[Slug, ...] = ()
    tasks: tuple[Task, ...] = Field(min_length=1)

    @field_validator("tasks")
    @classmethod
    def _no_gates(cls, tasks: tuple[Task, ...]) -> tuple[Task, ...]:
        if any(isinstance(task, GateTask) for task in tasks):
            raise ValueError("a gate is of the whole sunset: list it beside this plan, not in it")
        return tasks


Task = Annotated[
    NoticeTask
    | HttpTask
    | CommandTask
    | ArchiveTask
    | MailTask
    | ManualTask
    | CustomTask
    | WaitTask
    | DateTask
    | GateTask
    | PlanTask,
    Field(discriminator="kind"),
]

ActingTask = NoticeTask | HttpTask | CommandTask | ArchiveTask | MailTask | ManualTask | CustomTask
"""Tasks that do something, and may be undone."""


def day_in_words(task: Task) -> str:
    """When it is a task's turn: `5 months after the notice`, `30 days before end-of-life`."""
    start = task.relative_to or "the notice"
    if task.at == Span():
        if task.after and not task.relative_to:
            return f"after {', '.join(task.after)}"
        return f"on {start}" if task.relative_to else "with the notice"
    before = task.at.approximate < timedelta(0)
    return f"{task.at.words.removeprefix('-')} {'before' if before else 'after'} {start}"


class SunsetPlan(Document):
    """How a product leaves the market.

    `minimum_notice` is what the public is owed from the notice to the end of life, by the maturity
    of the product; what a policy leaves out is as in the Kubernetes deprecation policy.
    """

    tasks: tuple[Task, ...] = Field(min_length=1)
    minimum_notice: dict[Maturity, Span] = Field(KUBERNETES_NOTICE, validate_default=False)
    customer_reminder: MailAct | None = Field(
        None, description="the mail to open customers with each reminder of a public date"
    )
    abort_by: Slug | None = Field(None, description="the group that may abort beside the owner")
    legal_hold_by: Slug | None = Field(
        None, description="the group that places and lifts legal holds; the owner if unset"
    )
    task_queue: Slug | None = Field(
        None,
        description="the task queue of the workers that carry out its acts; "
        "if unset, that of all workers that do retirement",
    )

    def notice_for(self, maturity: Maturity) -> Span:
        """What the public is owed between the notice and the end of life."""
        return self.minimum_notice.get(maturity, KUBERNETES_NOTICE[maturity])


PlanTask.model_rebuild()
SunsetPlan.model_rebuild()
