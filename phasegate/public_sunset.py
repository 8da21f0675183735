"""What the world is told of a sunset: one set of facts, from which every output is made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, time
from typing import Literal

from pydantic import Field

from phasegate.adjusting import Adjustments, Successor
from phasegate.base import Instant, Text, Wire
from phasegate.product import Product
from phasegate.span import Span
from phasegate.sunset_views import SunsetView

Standing = Literal["planned", "announced", "withdrawn"]
"""`planned`: its public notice is still to come. `withdrawn`: it was announced and then aborted."""

WORDS = {
    "end-of-sales": "End of sales",
    "end-of-security-support": "End of security support",
    "end-of-life": "End of life",
}
"""What a date marks (OASIS OpenEoX, taxonomy), spelt out."""


class PublicDate(Wire):
    """A day that the public is told of. `marks` is empty where OpenEoX has no word for it."""

    id: str
    title: str
    at: Instant
    marks: str = ""
    reminders: list[Instant] = []

    @property
    def label(self) -> str:
        return WORDS.get(self.marks, self.title)


class PublicSunset(Wire):
    """The facts. `revision` grows whenever a date moves, and `changed_at` is when one last did."""

    schema_version: int = 1
    product: str
    name: str
    number: int = 1
    standing: Standing
    notice_at: Instant
    dates: list[PublicDate]
    left_out: list[PublicDate] = Field(
        [], description="dates of the policy that this sunset has not; they may have been told of"
    )
    deletion_at: Instant | None = Field(None, description="data is deleted from then on")
    general_availability: Instant | None = None
    successor: Successor | None = None
    text: Text = ""
    links: dict[str, str] = {}
    changed_at: Instant
    revision: int = 0

    def marked(self, mark: str) -> datetime | None:
        """The day that marks this; the last one, where several do."""
        return max((date.at for date in self.dates if date.marks == mark), default=None)

    @property
    def end_of_life(self) -> datetime | None:
        return self.marked("end-of-life")

    def named(self, *names: str) -> str:
        """The first of these links that there is; empty for none."""
        return next((self.links[name] for name in names if name in self.links), "")


class DatedTask(Wire):
    """A task, as far as the public is concerned."""

    id: str
    title: str
    kind: str
    at: Instant
    marks: str = ""
    effect: str = ""
    reminders: list[Instant] = []
    skipped: bool = False

    def date(self) -> PublicDate:
        return PublicDate(
            id=self.id,
            title=self.title,
            at=self.at,
            marks=self.marks,
            reminders=sorted(self.reminders),
        )


def public_sunset(
    product: Product,
    adjustments: Adjustments,
    notice_at: datetime,
    tasks: Sequence[DatedTask],
    *,
    standing: Standing,
    changed_at: datetime,
    number: int = 1,
    revision: int = 0,
    general_availability: datetime | None = None,
) -> PublicSunset:
    """The facts of a sunset whose tasks have these days."""
    dates = sorted((task for task in tasks if task.kind == "date"), key=lambda t: (t.at, t.id))
    deletions = [task.at for task in tasks if task.effect == "deletion" and not task.skipped]
    return PublicSunset(
        product=product.key,
        name=product.name,
        number=number,
        standing=standing,
        notice_at=notice_at,
        dates=[task.date() for task in dates if not task.skipped],
        left_out=[task.date() for task in dates if task.skipped],
        deletion_at=min(deletions, default=None),
        general_availability=general_availability,
        successor=adjustments.successor,
        text=adjustments.notice_text,
        links=dict(adjustments.links),
        changed_at=changed_at,
        revision=revision,
    )


def tasks_of(view: SunsetView, remind: Mapping[str, Sequence[Span]]) -> list[DatedTask]:
    """The tasks of a sunset that runs; `remind` has the reminders of its dates, by task."""
    return [
        DatedTask(
            id=task.id,
            title=task.title,
            kind=task.kind,
            at=task.at,
            marks=task.marks,
            effect=task.effect,
            reminders=reminders_of(task.at, remind.get(task.id, ()), view.notice_at),
            skipped=task.state == "skipped",
        )
        for task in view.tasks
    ]


def reminders_of(at: datetime, remind: Sequence[Span], notice_at: datetime) -> list[datetime]:
    """When somebody is reminded of a date. Not before the notice: nobody knows of it then."""
    return [day for span in remind if (day := span.before(at)) >= notice_at]


def standing_of(view: SunsetView, now: datetime) -> Standing:
    """How a sunset that has begun stands for the public."""
    if view.status in ("aborting", "aborted", "cancelled"):
        return "withdrawn"
    return "announced" if view.notice_at <= now else "planned"


def is_day(at: datetime) -> bool:
    """Whether it stands for a day as a whole: its first or its last second, UTC (`Due`)."""
    return at.time().replace(microsecond=0) in (time(0), time(23, 59, 59))
