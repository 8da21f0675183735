"""What a product changes in its policy's plan for leaving the market, as its owner writes it down.

An owner moves dates, adds work for people and leaves out what does not apply. What touches the
world with the rights of a worker (calls, commands, extensions) and who decides at gates is the
policy's to say.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, PlainSerializer, StringConstraints, field_validator

from phasegate.acts import MailAct, ManualAct, NoticeAct
from phasegate.base import Beginning, Document, Due, Instant, Slug, Text, canonical
from phasegate.errors import Rejected
from phasegate.span import Span
from phasegate.sunset import (
    ArchiveTask,
    DateTask,
    MailTask,
    ManualTask,
    NoticeTask,
    WaitTask,
)

Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]


def _day(value: object) -> object:
    """Read here, so that what is wrong is one sentence; each member would have its own."""
    if isinstance(value, Span | date):
        return value
    if not isinstance(value, str):
        raise ValueError("needs a date such as 2027-03-31, an instant, or a span such as 30 days")
    text = value.strip()
    try:
        return date.fromisoformat(text) if len(text) == 10 else datetime.fromisoformat(text)
    except ValueError:
        pass
    try:
        return Span.parse(text)
    except ValueError as error:
        raise ValueError(f"{error}, and no date such as 2027-03-31") from None


def _written(day: Span | date) -> str:
    return str(day) if isinstance(day, Span) else day.isoformat().replace("+00:00", "Z")


Day = Annotated[Span | Instant | date, BeforeValidator(_day), PlainSerializer(_written)]
"""A day of the plan: a date, an instant, or a span from where the policy counts it."""

AddedTask = Annotated[
    NoticeTask | MailTask | ManualTask | ArchiveTask | WaitTask | DateTask,
    Field(discriminator="kind"),
]


class Successor(Document):
    """What customers can move to."""

    name: Text
    link: str = Field("", pattern=r"^$|^https?://", max_length=2000)


class Adjustments(Document):
    """One product's own sunset: `phasegate sunset plan KEY FILE`.

    `dates` gives a task its day: a date, an instant, or a span from where the policy counts it. A
    public date that is a plain date is reached when that day ends (UTC), other tasks and the notice
    begin when it begins.
    """

    schema_version: Literal[1] = 1
    notice: Beginning | None = Field(None, description="the day of the public notice")
    dates: dict[Slug, Day] = Field(
        {}, description="the days of tasks, where the policy's do not do"
    )
    contracts_until: Due | None = Field(
        None, description="the last day that a contract promises; end of life is not before it"
    )
    skip: dict[Slug, Reason] = Field({}, description="tasks that do not apply, and why")
    add: tuple[AddedTask, ...] = Field((), max_length=100)
    successor: Successor | None = None
    notice_text: Text = Field("", description="what customers read, beside the dates")
    links: dict[Slug, Annotated[str, Field(pattern=r"^https?://", max_length=2000)]] = Field(
        {}, description="pages to point at: notice, migration, export, support …"
    )

    @field_validator("add")
    @classmethod
    def _for_people(cls, tasks: tuple[AddedTask, ...]) -> tuple[AddedTask, ...]:
        """What cannot be undone, and what acts with a worker's rights, is the policy's to plan."""
        for task in tasks:
            if isinstance(task, WaitTask | DateTask):
                if isinstance(task, DateTask) and task.marks:
                    raise ValueError(f"{task.id} marks {task.marks}: which date does, policies say")
                continue
            if task.effect != "reversible":
                raise ValueError(f"{task.id} cannot be undone: such a task is the policy's to plan")
            if not isinstance(task.undo, ManualAct | MailAct | NoticeAct | None):
                raise ValueError(
                    f"{task.id} is undone by a call: that is the policy's to plan; let somebody do "
                    "it (kind: manual)"
                )
        return tasks


LARGEST = 100_000
"""Bytes of the JSON of a product's adjustments: its state carries them for years."""


def require_bounded(key: str, adjustments: Adjustments) -> None:
    """Raise Rejected for adjustments that are too large to be kept."""
    size = len(canonical(adjustments.model_dump(mode="json")))
    if size > LARGEST:
        raise Rejected(
            "too-large",
            f"the plan for the sunset of {key} is too large",
            f"as JSON it has {size} bytes, and {LARGEST} are taken",
            f"phasegate sunset plan {key} --dry-run  # link to documents instead of quoting them",
        )
