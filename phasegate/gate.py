"""A gate as a policy describes it: who must agree, on what, and by when."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import Literal

from pydantic import Field, field_validator, model_validator

from phasegate.base import Document, Slug, Text
from phasegate.signing import Assurance
from phasegate.within import BusinessDays, Within


class TimeoutAction(StrEnum):
    """What happens when a gate is undecided at its resolve deadline. Never a Go."""

    escalate = "escalate"
    hold = "hold"
    kill = "kill"


class Requirement(Document):
    """So many yes-votes from a group, or from any of several groups.

    `include` names groups of which one seat each is reserved ("3 of 5, legal among them").
    A `veto` group's recycle, hold or kill stops the gate by itself, and the gate waits for it.
    With `when` (CEL over `product`) it is asked only of products for which that is true; what
    cannot be evaluated asks everybody, since an error must not drop an approval.
    """

    group: Slug | None = Field(None, description="the group whose members vote")
    any_of: tuple[Slug, ...] = Field((), description="instead of group: several groups")
    need: int = Field(1, ge=0, le=50, description="how many yes-votes; 0 only with veto")
    include: tuple[Slug, ...] = Field((), description="groups of any_of that must be among them")
    veto: bool = False
    step: int = Field(1, ge=1, le=9, description="steps are voted in order")
    tiers: tuple[int, ...] = Field((), description="product tiers it applies to; all if empty")
    when: str | None = Field(
        None, max_length=2000, description="CEL over product: asked only where it is true"
    )

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

    With a `milestone`, it is met when that milestone is. With an `expression` (CEL over `product`
    and `evidence`), it is evaluated when the round opens and whenever they change. With
    `attested_by`, a member of that group says whether it is met. With none of these, the approvers
    judge it: a yes-vote says that it is met.

    A `should` has a weight in the gate's score (R. G. Cooper's scorecard: must-meet criteria knock
    out, should-meet criteria are scored).
    """

    id: Slug
    text: Text
    kind: Literal["must", "should"] = "must"
    milestone: Slug | None = None
    expression: str | None = Field(None, max_length=2000)
    attested_by: Slug | None = Field(None, description="the group whose members attest it")
    weight: int = Field(1, ge=1, le=100, description="of a should, in the gate's score")

    @model_validator(mode="after")
    def _one_check(self) -> Criterion:
        checks = [
            name for name in ("milestone", "expression", "attested_by") if getattr(self, name)
        ]
        if len(checks) > 1:
            raise ValueError(f"has {' and '.join(checks)}; one check each")
        if self.kind == "must" and self.weight != 1:
            raise ValueError("a must has no weight: it knocks out, whatever the score")
        return self


class Clocks(Document):
    """How long a gate may take. Business days are those of each approver."""

    respond: Within = Field(BusinessDays(5), description="approvers answer within")
    resolve: Within = Field(BusinessDays(10), description="the gate decides within")
    remind: tuple[Within, ...] = Field(
        (BusinessDays(1),), description="remind so long before respond is due"
    )
    escalate: Within = Field(
        BusinessDays(2), description="so long after respond, managers of the silent may act"
    )
    on_timeout: TimeoutAction = TimeoutAction.escalate

    @model_validator(mode="after")
    def _in_order(self) -> Clocks:
        if self.respond.approximate <= timedelta(0):
            raise ValueError("respond must be longer than nothing")
        if self.escalate.approximate <= timedelta(0):
            raise ValueError("escalate counts on from the respond deadline: give a positive span")
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
    requires: tuple[Requirement, ...] = Field(min_length=1, max_length=100)
    criteria: tuple[Criterion, ...] = Field((), max_length=200)
    threshold: int | None = Field(
        None,
        ge=1,
        le=100,
        description="percent that the should-criteria must score; below, only a Conditional Go",
    )
    reviewers: tuple[Slug, ...] = Field(
        (), description="groups that are asked for advice; what they say counts for nothing"
    )
    wait_for: Literal["need", "all"] = Field(
        "need", description="decide as soon as enough said yes, or wait for everybody"
    )
    clocks: Clocks = Clocks()
    assurance: Assurance = Field(
        "claimed",
        description="how it must be known who decides here: by the name given, or by a signature "
        "with a key that the directory has of them",
    )

    @field_validator("requires")
    @classmethod
    def _steps_without_gaps(cls, requires: tuple[Requirement, ...]) -> tuple[Requirement, ...]:
        steps = sorted({requirement.step for requirement in requires})
        if steps != list(range(1, len(steps) + 1)):
            raise ValueError(f"steps must count 1, 2, 3 …; found {', '.join(map(str, steps))}")
        return requires

    @model_validator(mode="after")
    def _something_to_score(self) -> Gate:
        if self.threshold is not None and all(c.kind == "must" for c in self.criteria):
            raise ValueError("threshold needs should-criteria to score; add some, or leave it out")
        return self
