"""A lifecycle policy: phases, the gates that end them, milestones and the sunset.

A policy is data that people review. What of it cannot be said by types alone (cycles, phases
nobody reaches, gates nobody can pass) is found by `phasegate.lint`.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

from pydantic import Field, model_validator

from phasegate.base import Document, Slug, Text
from phasegate.check import Check, ReportedCheck
from phasegate.gate import Gate
from phasegate.span import Span
from phasegate.sunset import GateTask, SunsetPlan, day_in_words


class MilestoneGoal(Document):
    """A milestone that every product of this policy has; the product's roadmap gives its date."""

    id: Slug
    title: Text
    check: Check = ReportedCheck()


class Review(Document):
    """A gate held again and again while the product is in the market (post-launch review)."""

    gate: Gate
    first: Span = Field(description="from entering the phase")
    every: Span = Field(description="from one review's decision to the next opening")
    invest: Slug | None = Field(
        None, description="the phase that a recycle leads to: invest in the next generation"
    )

    @model_validator(mode="after")
    def _forwards(self) -> Review:
        if min(self.first.approximate, self.every.approximate) <= timedelta(0):
            raise ValueError("first and every must be longer than nothing")
        return self


class Phase(Document):
    """Work between two gates."""

    id: Slug
    title: Text
    description: Text = ""
    in_market: bool = Field(False, description="sold or supported: a kill leads to the sunset")
    milestones: tuple[MilestoneGoal, ...] = Field((), max_length=200)
    at_risk: Span = Field(
        Span(exact=timedelta(days=14)),
        description="an unmet milestone is at risk so long before due",
    )
    review: Review | None = None
    gate: Gate | None = Field(None, description="without a gate the phase ends with its milestones")
    next: Slug | None = Field(
        None, description="the phase after a Go; the one listed below if unset"
    )


class Policy(Document):
    """One lifecycle, versioned. A product is pinned to the digest of the policy it started with."""

    schema_version: Literal[1] = 1
    policy: Slug
    version: str = Field(min_length=1, max_length=40)
    title: Text
    description: Text = ""
    source: Text = Field("", description="where these rules come from")
    phases: tuple[Phase, ...] = Field(min_length=1, max_length=100)
    sunset: SunsetPlan | None = None

    def phase(self, phase_id: str) -> Phase:
        """The phase of that id. Raises KeyError."""
        for phase in self.phases:
            if phase.id == phase_id:
                return phase
        raise KeyError(phase_id)

    def following(self, phase_id: str) -> str | None:
        """The phase a Go leads to, or None where the phases end."""
        phase = self.phase(phase_id)
        if phase.next:
            return phase.next
        index = self.phases.index(phase) + 1
        return self.phases[index].id if index < len(self.phases) else None

    def opening(self, gate: Gate) -> str:
        """When one of its gates opens, in words."""
        for phase in self.phases:
            if phase.review and phase.review.gate == gate:
                first, every = phase.review.first.words, phase.review.every.words
                return f"{first} after entering, then every {every}"
        for task in self.sunset.tasks if self.sunset else ():
            if isinstance(task, GateTask) and task.gate == gate:
                return day_in_words(task)
        return "when submitted" if gate.opens == "submit" else "with its milestones"

    def gates(self) -> tuple[Gate, ...]:
        """Every gate, in the order a product meets them."""
        found: list[Gate] = []
        for phase in self.phases:
            found += [phase.review.gate] if phase.review else []
            found += [phase.gate] if phase.gate else []
        if self.sunset:
            found += [task.gate for task in self.sunset.tasks if isinstance(task, GateTask)]
        return tuple(found)
