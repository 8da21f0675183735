"""How a milestone is known to be met: a person reports it, or a real system is asked."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field, field_validator

from phasegate.base import Document, Slug
from phasegate.span import Span


class ReportedCheck(Document):
    """A person reports the milestone: a member of `by`, or the owner where it names no group."""

    kind: Literal["reported"] = "reported"
    by: Slug | None = Field(None, description="the group whose members report it")


class HttpCheck(Document):
    """The milestone is polled: a GET whose JSON answer a CEL expression (over `body`) judges."""

    kind: Literal["http"]
    url: str = Field(pattern=r"^https?://", max_length=2000)
    expression: str = Field(max_length=2000, description="CEL over body; true means met")
    every: Span = Span(exact=timedelta(minutes=15))

    @field_validator("every")
    @classmethod
    def _forwards(cls, every: Span) -> Span:
        if every.approximate < timedelta(seconds=0.1):
            raise ValueError("every must be at least a tenth of a second")
        return every


Check = Annotated[ReportedCheck | HttpCheck, Field(discriminator="kind")]
