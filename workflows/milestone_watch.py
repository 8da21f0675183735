"""Polling real systems for milestones, without history growing while nothing happens."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from phasegate import ports
    from phasegate.check import Polled
    from phasegate.lifecycle import Lifecycle
    from phasegate.milestones import Milestone
    from phasegate.ports import Finding
    from workflows.bookkeeping import Books
    from workflows.gatekeeper import Gatekeeper


class MilestoneWatch:
    """One poll per milestone of the phase with an HTTP check: an activity that retries itself.

    It returns when what it finds changes, so a year of waiting is one activity in the history.
    """

    def __init__(
        self, state: Lifecycle, books: Books, gates: Gatekeeper, changed: Callable[[], None]
    ) -> None:
        self.state = state
        self.books = books
        self.gates = gates
        self.changed = changed
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def start(self) -> None:
        """Watch every unsettled milestone of the phase that is not yet watched."""
        for milestone in self.state.here():
            if isinstance(milestone.check, Polled) and milestone.id not in self._tasks:
                task = asyncio.create_task(self._until_settled(milestone, milestone.check))
                self._tasks[milestone.id] = task

    def leave(self, milestone: Milestone) -> None:
        """Stop asking about a milestone that somebody has settled by hand."""
        if milestone.state.settled and (task := self._tasks.pop(milestone.id, None)):
            task.cancel()

    def stop(self) -> None:
        for task in self._tasks.values():
            task.cancel()
        self._tasks.clear()

    async def _until_settled(self, milestone: Milestone, check: Polled) -> None:
        try:
            await self._watch(milestone, check)
        except BaseException as error:
            # Nobody awaits this task; being stopped is no accident to be logged.
            if not is_cancelled_exception(error):
                raise

    async def _watch(self, milestone: Milestone, check: Polled) -> None:
        while not milestone.state.settled:
            found = await workflow.execute_activity(
                ports.CHECK_MILESTONE,
                ports.MilestoneQuery(
                    product=self.state.key,
                    milestone=milestone.id,
                    check=check,
                    known=milestone.finding,
                ),
                result_type=ports.MilestoneFinding,
                start_to_close_timeout=timedelta(seconds=60),
                retry_policy=RetryPolicy(
                    initial_interval=timedelta(seconds=1),
                    backoff_coefficient=2,
                    maximum_interval=max(check.every.approximate, timedelta(seconds=1)),
                ),
                summary=f"poll {milestone.id}",
            )
            if not milestone.state.settled:
                self._note(milestone, found)
                await self.gates.tell("milestone", milestone.id, milestone.state.value)
            if not milestone.state.settled:
                await workflow.sleep(check.every.approximate, summary=f"ask {milestone.id} again")

    def _note(self, milestone: Milestone, found: ports.MilestoneFinding) -> None:
        milestone.finding, milestone.why = found.finding, found.why
        if found.finding is Finding.met:
            milestone.meet(workflow.now(), found.why)
            word = "is met"
        elif found.finding is Finding.cannot_tell:
            milestone.why = f"cannot tell since {found.at:%Y-%m-%d %H:%M} UTC: {found.why}"
            word = "cannot be told"
        else:
            word = "is not met yet"
        self.books.announce(
            f"milestone.{found.finding}",
            f"{milestone.title} {word} ({found.why})",
            milestone=milestone.id,
        )
        self.changed()
