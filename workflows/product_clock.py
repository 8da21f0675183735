"""The product's clocks: waiting for what comes next while milestones and reviews fall due."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from functools import partial

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from phasegate.lifecycle import Lifecycle
    from phasegate.milestones import MilestoneStatus
    from workflows.bookkeeping import Books, ahead


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
    ) -> None:
        self.state = state
        self.books = books
        self.changed = changed
        self.renew = renew

    async def until(self, done: Callable[[], bool]) -> None:
        """Wait, and let the clocks act meanwhile. Raises Cancelled.

        Continues as new when the server suggests it: a caller must find its place again from the
        state alone.
        """
        state = self.state
        renew_now = workflow.info().is_continue_as_new_suggested
        if state.cancelled_by is not None:
            raise Cancelled
        while not done():
            wake = state.next_wake(workflow.now())
            try:
                await workflow.wait_condition(
                    partial(self._stirred, done, wake),
                    timeout=ahead(wake),
                    timeout_summary="next milestone or review",
                )
            except TimeoutError:
                self._turn()
            if state.cancelled_by is not None:
                raise Cancelled
            if renew_now() and not done():
                await self.renew()

    def _stirred(self, done: Callable[[], bool], wake: datetime | None) -> bool:
        """Whether there is something to do before `wake`."""
        state = self.state
        moved = state.cancelled_by is not None or state.next_wake(workflow.now()) != wake
        return done() or moved or workflow.info().is_continue_as_new_suggested()

    def _turn(self) -> None:
        state = self.state
        for milestone in state.here():
            if milestone.turn(workflow.now()):
                verb = "missed" if milestone.state is MilestoneStatus.missed else "at risk"
                self.books.announce(
                    f"milestone.{milestone.state}",
                    f"{milestone.title} is {verb}, due {milestone.due:%Y-%m-%d %H:%M} UTC",
                    milestone=milestone.id,
                    phase=state.phase_id,
                )
        self.changed()
