"""The sunset as a policy plans it, and the timetable that follows from its public notice."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from phasegate.base import Document, Slug, Text
from phasegate.gate import Gate
from phasegate.span import Span


class _Task(Document):
    id: Slug
    title: Text
    at: Span = Field(Span(), description="from the public notice; negative means before it")


class NoticeTask(_Task):
    """Make something known: written to the ledger and announced."""

    kind: Literal["notice"]
    text: Text = ""


class DateTask(_Task):
    """A public date (end of sales, end of security support, end of life …) with its reminders."""

    kind: Literal["date"]
    remind: tuple[Span, ...] = Field((), description="remind so long before the date")


class HttpTask(_Task):
    """Call an endpoint; done when it answers 2xx. The call carries an Idempotency-Key."""

    kind: Literal["http"]
    method: Literal["POST", "PUT", "PATCH", "DELETE"] = "POST"
    url: str = Field(pattern=r"^https?://", max_length=2000, description="{product} is replaced")
    body: dict[str, str] = {}


class ArchiveTask(_Task):
    """Pack files below the worker's archive root, with a SHA-256 for each and for the whole."""

    kind: Literal["archive"]
    source: str = Field(max_length=500, description="folder or file; {product} is replaced")


class ManualTask(_Task):
    """Somebody does it and confirms: the owner, or a member of `by`."""

    kind: Literal["manual"]
    by: Slug | None = None


class GateTask(_Task):
    """A gate on the way out of the market."""

    kind: Literal["gate"]
    gate: Gate


Task = Annotated[
    NoticeTask | DateTask | HttpTask | ArchiveTask | ManualTask | GateTask,
    Field(discriminator="kind"),
]


class SunsetPlan(Document):
    """How a product leaves the market: tasks in order, each with its day from the public notice."""

    tasks: tuple[Task, ...] = Field(min_length=1)
