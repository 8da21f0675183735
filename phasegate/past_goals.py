"""A product's goals as its record has them: definition, milestones, reviews, tasks of the sunset.

What nobody announces is not known: why a milestone waits, or when another product is expected to
meet what it waits for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from pydantic import ValidationError

from phasegate.adjusting import Adjustments
from phasegate.askings import instant_in
from phasegate.events import Announcement
from phasegate.forecast_sunset import SUNSET
from phasegate.migrated import Renamings
from phasegate.milestones import (
    Milestone,
    MilestoneStatus,
    first_dates,
    replan,
    roadmap_of,
    start_again,
)
from phasegate.past_product import PastProduct
from phasegate.pauses import NOTHING
from phasegate.policy import Policy
from phasegate.product import Product

GOAL_EVENTS = (
    "product.review-planned",
    "milestone.planned",
    "milestone.at-risk",
    "milestone.missed",
    "milestone.met",
    "milestone.waived",
    "product.sunset-planned",
    "sunset.planned",
    "sunset.replanned",
    "sunset.task-done",
)
"""What PastGoals is told of beside PRODUCT_EVENTS."""


class PastGoals:
    """What one product is to reach, after its last event."""

    def __init__(self, past: PastProduct, policy: Policy, events: Iterable[Announcement]) -> None:
        """The events are those that `past` was told of, and GOAL_EVENTS. Raises ValueError where
        its definition is not among them, or is none any more."""
        self.definition: Product | None = None
        self.milestones: list[Milestone] = []
        self.first: dict[str, datetime] = {}
        self.review_due: datetime | None = None
        self.tasks: dict[str, datetime] = {}
        self.done: dict[str, datetime] = {}
        self.adjustments = Adjustments()
        self._holds = past.holds
        self._phases = {phase.id: phase for phase in policy.phases}
        self._phase = ""
        events = list(events)
        self._names = Renamings(events)
        for event in events:
            self._names.passes(event)
            self._tell(event)

    @property
    def defined(self) -> Product:
        """The definition it has. Raises ValueError."""
        if self.definition is None:
            raise ValueError("its definition is not in the record")
        return self.definition

    def _tell(self, event: Announcement) -> None:
        data, at = event.data, event.at
        match event.type:
            case "product.started" | "product.updated" if "product" in data:
                self._define(Product.model_validate(data["product"]))
            case "product.migrated":
                self._migrate(data)
            case "product.phase-entered":
                name = self._names.called(str(data.get("phase")))
                self._enter(name, at, again="milestones_before" in data)
            case "product.review-planned":
                if (phase := self._phases.get(self._phase)) and phase.review:
                    self.review_due = phase.review.every.after(at)
            case "product.sunsetting":
                self._phase, self.review_due = SUNSET, None
                self.tasks, self.done = {}, {}
            case "product.back-in-market":
                self._phase = self._names.called(str(data.get("phase")))
                self.tasks, self.done, self.adjustments = {}, {}, Adjustments()
            case "product.resumed" | "product.revived" | "gate.overridden":
                self._move(self._stood(at))
            case "product.sunset-planned" | "sunset.planned" | "sunset.replanned":
                self._plan(data)
            case "sunset.task-done":
                self.done[str(data.get("task"))] = at
            case _ if event.type.startswith("milestone."):
                self._settle(event)
            case _:
                pass

    def _plan(self, data: Mapping[str, Any]) -> None:
        """A sunset has dates once it begins; what its owner changes in it may be known before."""
        if dates := data.get("tasks"):
            self.tasks = {id: day for id, at in dates.items() if (day := instant_in(at))}
        with suppress(ValidationError):
            if (adjusted := data.get("adjustments")) is not None:
                self.adjustments = Adjustments.model_validate(adjusted)

    def _define(self, after: Product) -> None:
        before, after = self.definition, self._names.terms().renamed(after)
        if before is not None:
            here = self._phases.get(self._phase)
            replan(self.milestones, here, before, after, self.first)
            self.first = first_dates(self.first, before)
        self.definition = after

    def _migrate(self, data: Mapping[str, Any]) -> None:
        """The policy is the last one's all along; what it brought is what was open before."""
        goals = data.get("milestones")
        anew = goals.get("anew") if isinstance(goals, dict) else None
        for milestone in self.milestones:
            if isinstance(anew, list) and milestone.id in anew:
                milestone.state, milestone.met_at = MilestoneStatus.planned, None
        if data.get("plan_dropped"):
            self.adjustments = Adjustments()
        if "review_due" in data:
            self.review_due = instant_in(data["review_due"])

    def _enter(self, name: str, at: datetime, *, again: bool) -> None:
        phase, defined = self._phases.get(name), self.definition
        if phase is None or defined is None:
            return
        self._phase = name
        self.review_due = phase.review.first.after(at) if phase.review else None
        if again:
            start_again(self.milestones, phase, defined)
        known = {milestone.id for milestone in self.milestones}
        planned = roadmap_of(phase, defined, self.first)
        self.milestones += [m for m in planned if m.id not in known]

    def _settle(self, event: Announcement) -> None:
        named = event.data.get("milestone")
        milestone = next((m for m in self.milestones if m.id == named), None)
        if milestone is None:
            return
        word = event.type.removeprefix("milestone.")
        if word == "met":
            milestone.meet(event.at, "")
        elif word == "planned" and (due := instant_in(event.data.get("due"))):
            milestone.plan(due)
        else:
            milestone.state = MilestoneStatus(word)

    def _stood(self, at: datetime) -> timedelta:
        """How long the hold, or the death, was that ended then."""
        return next((end - start for start, end in self._holds.over if end == at), NOTHING)

    def _move(self, by: timedelta) -> None:
        for milestone in self.milestones:
            if milestone.phase == self._phase:
                milestone.shift(by)
        with suppress(OverflowError):
            self.review_due = self.review_due + by if self.review_due else None
