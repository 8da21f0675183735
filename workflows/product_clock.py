"""The product's clocks: waiting while milestones, conditions and reviews fall due."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from functools import partial

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from phasegate.errors import Rejected
    from phasegate.lifecycle import Lifecycle, Status
    from phasegate.milestones import MilestoneStatus
    from phasegate.promises import Condition, Turn
    from workflows.authority import authority_of
    from workflows.bookkeeping import Books, ahead
    from workflows.moment import Moment


class Cancelled(Exception):
    """The owner, or somebody in the Temporal UI, ended the lifecycle."""


class ProductClock:
    """Waits for a product; what falls due meanwhile is noted and announced."""

    def __init__(
        self,
        state: Lifecycle,
        books: Books,
        changed: Callable[[], None],
        renew: Callable[[], Awaitable[None]],
        moment: Moment,
    ) -> None:
        self.state = state
        self.books = books
        self.changed = changed
        self.renew = renew
        self.moment = moment

    async def until(self, done: Callable[[], bool]) -> None:
        """Wait, and let the clocks act meanwhile. Raises Cancelled.

        Continues as new when the server suggests it: a caller must find its place again from the
        state alone.
        """
        state = self.state
        if state.cancelled_by is not None:
            raise Cancelled
        self.moment.passes()
        while not done():
            wake = state.next_wake(workflow.now())
            try:
                await workflow.wait_condition(
                    partial(self._stirred, done, wake),
                    timeout=ahead(wake),
                    timeout_summary="next milestone, condition or review",
                )
            except TimeoutError:
                self.moment.passes()
                await self._turn()
            self.moment.passes()
            if state.cancelled_by is not None:
                raise Cancelled
            if self.moment.renew and not done():
                await self.renew()

    def _stirred(self, done: Callable[[], bool], wake: datetime | None) -> bool:
        """Whether there is something to do before `wake`."""
        state = self.state
        moved = state.cancelled_by is not None or state.next_wake(self.moment.now) != wake
        return done() or moved or self.moment.renew

    async def _turn(self) -> None:
        state = self.state
        for milestone in state.here() if state.status is Status.active else ():
            if milestone.turn(workflow.now()):
                verb = "missed" if milestone.state is MilestoneStatus.missed else "at risk"
                self.books.announce(
                    f"milestone.{milestone.state}",
                    f"{milestone.title} is {verb}, due {milestone.due:%Y-%m-%d %H:%M} UTC",
                    milestone=milestone.id,
                    phase=state.phase_id,
                )
        turned = [(c, said) for c in state.open_conditions() if (said := c.turn(workflow.now()))]
        for condition, said in turned:
            if said == "escalated":
                await self._escalate(condition)
            else:
                self._say(condition, said, "")
        self.changed()

    async def _escalate(self, condition: Condition) -> None:
        """Weekly, one manager further up each time. Whether the directory answers or not: a
        reminder that names nobody above is better than none."""
        state, owner = self.state, condition.owner
        try:
            found = await authority_of(state.directory, owner, tier=state.product.tier, about=owner)
            above = found.about_managers
        except Rejected:
            above = ()
        if condition.state == "open" and condition.owner == owner:  # nobody waited for the answer
            manager = above[min(condition.escalations, len(above)) - 1] if above else ""
            self._say(condition, "escalated", manager)

    def _say(self, condition: Condition, said: Turn, manager: str) -> None:
        assert condition.due is not None
        due = f"{condition.due:%Y-%m-%d %H:%M} UTC"
        key, tier = self.state.key, self.state.product.tier
        match said:
            case "reminder":
                text = f"{condition.owner}, {condition.id} is due {due}: {condition.text}"
            case "overdue":
                text = (
                    f"{condition.id} of {condition.owner} was due {due}, and blocks the next gate "
                    f"of {key}: {condition.text}"
                )
            case _:
                see_to_it = f"{manager}, please see to it: " if manager else ""
                text = (
                    f"{see_to_it}{condition.id} of {condition.owner} is open since {due}; who has "
                    f"the permission waive at tier {tier} may waive it"
                )
        self.books.announce(
            f"condition.{said}",
            text,
            condition=condition.id,
            owner=condition.owner,
            manager=manager,
            gate=condition.gate,
            due=condition.due.isoformat(),
        )
