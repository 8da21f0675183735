"""A gate as a policy describes it: who must agree, on what, and by when."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import Literal

from pydantic import Field, field_validator, model_validator

from phasegate.base import Document, Slug, Text
from phasegate.span import Span


class TimeoutAction(StrEnum):
    """What happens when a gate is undecided at its resolve deadline. Never a Go."""

    escalate = "escalate"
    hold = "hold"
    kill = "kill"


class Requirement(Document):
    """So many yes-votes from a group, or from any of several groups.

    `include` names groups of which one seat each is reserved ("3 of 5, legal among them").
    A `veto` group's recycle, hold or kill stops the gate by itself, and the gate waits for it.
    """

    group: Slug | None = Field(None, description="the group whose members vote")
    any_of: tuple[Slug, ...] = Field((), description="instead of group: several groups")
    need: int = Field(1, ge=0, le=50, description="how many yes-votes; 0 only with veto")
    include: tuple[Slug, ...] = Field((), description="groups of any_of that must be among them")
    veto: bool = False
    step: int = Field(1, ge=1, le=9, description="steps are voted in order")
    tiers: tuple[int, ...] = Field((), description="product tiers it applies to; all if empty")

    @model_validator(mode="after")
    def _one_way_to_say_it(self) -> Requirement:
        if (self.group is None) == (not self.any_of):
            raise ValueError("needs either group or any_of, and not both")
        if self.need == 0 and not self.veto:
            raise ValueError("need 0 asks nothing of anybody; it goes with veto: true only")
        if stray := [name for name in self.include if name not in self.any_of]:
            raise ValueError(f"include names {', '.join(stray)}, which any_of does not list")
        if len(self.include) > self.need:
            raise ValueError("include lists more groups than need has votes")
        return self

    @property
    def groups(self) -> tuple[str, ...]:
        return (self.group,) if self.group else self.any_of

    @property
    def title(self) -> str:
        """How a person would say it: `2 of eng`, `3 of legal, finance (legal among them)`."""
        text = f"{self.need} of {', '.join(self.groups)}" if self.need else ", ".join(self.groups)
        if self.include:
            text += f" ({', '.join(self.include)} among them)"
        return text + (" (veto)" if self.veto else "")


class Criterion(Document):
    """What the gate asks of the product.

    With a `milestone`, it is true when that milestone is met. With an `expression` (CEL over
    `product`), it is evaluated when the round opens. With neither, the approvers judge it: a
    yes-vote says that it is met.
    """

    id: Slug
    text: Text
    kind: Literal["must", "should"] = "must"
    milestone: Slug | None = None
    expression: str | None = Field(None, max_length=2000)

    @model_validator(mode="after")
    def _one_check(self) -> Criterion:
        if self.milestone and self.expression:
            raise ValueError("has both milestone and expression; one check each")
        return self


class Clocks(Document):
    """How long a gate may take, counted from the opening of the round."""

    respond: Span = Field(Span(exact=timedelta(days=5)), description="approvers answer within")
    resolve: Span = Field(Span(exact=timedelta(days=10)), description="the gate decides within")
    remind: tuple[Span, ...] = Field(
        (Span(exact=timedelta(days=1)),), description="remind so long before respond is due"
    )
    on_timeout: TimeoutAction = TimeoutAction.escalate

    @model_validator(mode="after")
    def _in_order(self) -> Clocks:
        if self.respond.approximate <= timedelta(0):
            raise ValueError("respond must be longer than nothing")
        if self.resolve.approximate < self.respond.approximate:
            raise ValueError(
                f"resolve ({self.resolve.words}) ends before respond ({self.respond.words})"
            )
        if any(span.approximate <= timedelta(0) for span in self.remind):
            raise ValueError("remind counts back from the respond deadline: give positive spans")
        return self


class Gate(Document):
    """The decision point that ends a phase, or that reviews a product in the market."""

    id: Slug
    title: Text
    question: Text = Field("", description="what the approvers are asked, in one sentence")
    opens: Literal["milestones", "submit"] = Field(
        "milestones",
        description="when the phase's milestones are met or waived, or when the owner submits",
    )
    requires: tuple[Requirement, ...] = Field(min_length=1)
    criteria: tuple[Criterion, ...] = ()
    wait_for: Literal["need", "all"] = Field(
        "need", description="decide as soon as enough said yes, or wait for everybody"
    )
    clocks: Clocks = Clocks()

    @field_validator("requires")
    @classmethod
    def _steps_without_gaps(cls, requires: tuple[Requirement, ...]) -> tuple[Requirement, ...]:
        steps = sorted({requirement.step for requirement in requires})
        if steps != list(range(1, len(steps) + 1)):
            raise ValueError(f"steps must count 1, 2, 3 …; found {', '.join(map(str, steps))}")
        return requires
