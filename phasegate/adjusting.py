"""What a product changes in its policy's plan for leaving the market, as its owner writes it down.

An owner moves dates, adds work for people and leaves out what does not apply. What touches the
world with the rights of a worker (calls, commands, extensions) and who decides at gates is the
policy's to say.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from phasegate.base import Document, Due, Slug, Text
from phasegate.span import Span
from phasegate.sunset import ArchiveTask, DateTask, MailTask, ManualTask, NoticeTask, WaitTask

Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]

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

    `dates` gives a task its day (a date, which means its end, UTC; an instant; or a span
    from where the policy counts it). A plain date of `contracts_until` means its end.
    """

    schema_version: Literal[1] = 1
    notice: Due | None = Field(None, description="the day of the public notice")
    dates: dict[Slug, Span | Due] = {}
    contracts_until: Due | None = Field(
        None, description="the last day that a contract promises; end of life is not before it"
    )
    skip: dict[Slug, Reason] = Field({}, description="tasks that do not apply, and why")
    add: tuple[AddedTask, ...] = ()
    successor: Successor | None = None
    notice_text: Text = Field("", description="what customers read, beside the dates")
    links: dict[Slug, Annotated[str, Field(pattern=r"^https?://", max_length=2000)]] = Field(
        {}, description="pages to point at: notice, migration, export, support …"
    )
