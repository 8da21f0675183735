"""What the owner of a rehearsed product does, and those who report milestones and do tasks."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime

from phasegate.check import ReportedCheck
from phasegate.policy import Policy
from phasegate.product import Product
from phasegate.rehearsal import Takes
from phasegate.rehearsal_acts import Act, Key
from phasegate.rehearsal_cast import Cast, steady
from phasegate.sunset_views import SunsetView, TaskView
from phasegate.views import MilestoneView, ProductView

PROOF = "sha256:" + "0" * 64
"""What a confirmation gives where a task asks for facts: nothing was really done."""

MAY_SUBMIT = ": phasegate gate submit"
"""The engine names this command where a product waits for its owner to submit a gate."""


@dataclass(frozen=True)
class Owner:
    """The owner of one play's product, and the people behind its groups."""

    policy: Policy
    product: Product
    cast: Cast
    first_seen: dict[Key, datetime]
    """Since when something is asked for, where the engine does not say."""
    done: AbstractSet[Key]

    def acts(
        self,
        view: ProductView,
        sunset: SunsetView | None,
        launched_at: datetime | None,
        now: datetime,
    ) -> Iterator[Act]:
        """Everything that the product waits for, beside the votes of an open gate."""
        if view.status == "on-hold":
            held: Key = ("resume", str(len(view.gates)))
            since = view.held_since or now
            at = self._at(view.owner, self.cast.script.owner.resumes, held, since)
            yield Act(held, "resume", at, view.owner)
        elif view.status == "active":
            yield from self._milestones(view)
            yield from self._evidence(view)
            yield from self._submission(view, launched_at, now)
        elif view.status == "sunsetting" and sunset:
            yield from self._tasks(sunset, now)
        for condition in view.conditions:
            if condition.state == "open":
                key: Key = ("condition", condition.id)
                since = self.first_seen.setdefault(key, now)
                at = self._at(condition.owner, self.cast.script.owner.closes, key, since)
                yield Act(key, "condition", at, condition.owner, condition.id)

    def _milestones(self, view: ProductView) -> Iterator[Act]:
        script, since = self.cast.script, view.entered_at
        for goal in view.milestones:
            here = goal.phase == view.phase and goal.state not in ("met", "waived")
            if not here or goal.id in script.unmet or since is None:
                continue
            stay = str(sum(gate.round for gate in view.gates))
            key: Key = ("milestone", goal.phase, goal.id, stay)
            takes = script.milestones.get(goal.id)
            if takes is None and goal.due and steady(goal.due) > steady(since):
                at = steady(goal.due)
            else:
                who = self.product.owner
                at = self.cast.takes(takes or script.owner.meets, who, "/".join(key), since)
            reporters = self._reporters(goal)
            back = {person: self.cast.back(person, at) for person in reporters}
            who = min(reporters, key=lambda person: (back[person], person), default="")
            if who:
                yield Act(key, "milestone", back[who], who, goal.id)

    def _reporters(self, goal: MilestoneView) -> tuple[str, ...]:
        known = [plan.check for plan in self.product.milestones if plan.id == goal.id]
        phase = self.policy.phase(goal.phase)
        known = [own.check for own in phase.milestones if own.id == goal.id] or known
        check = known[0] if known else None
        if isinstance(check, ReportedCheck) and check.by:
            return self.cast.directory.members(check.by)
        return (self.product.owner,)

    def _evidence(self, view: ProductView) -> Iterator[Act]:
        for index, piece in enumerate(self.cast.script.owner.evidence):
            if piece.phase == view.phase and view.entered_at:
                key: Key = ("evidence", str(index))
                at = self.cast.back(view.owner, steady(piece.after.after(view.entered_at)))
                yield Act(key, "evidence", at, view.owner, title=piece.title, figures=piece.figures)

    def _submission(
        self,
        view: ProductView,
        launched_at: datetime | None,
        now: datetime,
    ) -> Iterator[Act]:
        if view.gate or MAY_SUBMIT not in view.waiting_for or view.phase is None:
            return
        own, gate = self.cast.script.owner, view.ends_with
        rounds = [summary for summary in view.gates if summary.gate == gate]
        key: Key = ("submit", view.phase, gate, str(len(view.gates)))
        since = self.first_seen.setdefault(key, now)
        here = [held for held in rounds if view.entered_at and held.decided_at >= view.entered_at]
        if here:
            at = self._at(view.owner, own.resubmits, key, since)
        elif self.policy.phase(view.phase).in_market:
            if own.retires is None or launched_at is None:
                return
            at = max(steady(own.retires.after(launched_at)), steady(since))
            at = self.cast.back(view.owner, at)
        else:
            at = self._at(view.owner, own.submits, key, since)
        yield Act(key, "submit", at, view.owner, gate=gate)

    def _tasks(
        self,
        sunset: SunsetView,
        now: datetime,
    ) -> Iterator[Act]:
        for task in sunset.tasks:
            if not task.waits_for:
                continue
            place = ("task", str(sunset.number), task.id)
            key: Key = (*place, str(sum(done[:3] == place for done in self.done)))
            since = self.first_seen.setdefault(key, now)
            own = self.cast.script.owner
            takes = own.resubmits if task.gate else own.confirms
            ready = {person: self._at(person, takes, key, since) for person in task.waits_for}
            who = min(task.waits_for, key=lambda person: (ready[person], person))
            yield self._task(key, task, who, ready[who])

    @staticmethod
    def _task(key: Key, task: TaskView, who: str, at: datetime) -> Act:
        if task.gate:
            return Act(key, "submit", at, who, gate=task.gate)
        return Act(key, "task", at, who, task.id, proof=tuple(task.asks_for))

    def _at(self, who: str, takes: Takes, key: Key, since: datetime) -> datetime:
        place, begin = "/".join(key), self.cast.back(who, steady(since))
        while True:
            at = self.cast.takes(takes, who, place, begin)
            if (back := self.cast.back(who, at)) == at:
                return at
            begin = back
