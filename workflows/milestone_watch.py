"""Polling real systems for milestones, without history growing while nothing happens."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from phasegate import ports
    from phasegate.base import Wire
    from phasegate.check import Polled, ProductCheck
    from phasegate.lifecycle import Lifecycle
    from phasegate.milestones import Milestone, MilestoneStatus
    from phasegate.ports import Finding
    from workflows.bookkeeping import Books
    from workflows.queues import queue


SUNSET_HEARS = "the-sunset-hears-of-milestones"
"""Patch: what becomes of a milestone is told to the sunset, too, and found out on its way."""


class MilestoneWatch:
    """One poll per milestone of the phase with an HTTP check: an activity that retries itself.

    It returns when what it finds changes, so a year of waiting is one activity in the history.
    """

    def __init__(
        self,
        state: Lifecycle,
        books: Books,
        tell: Callable[[Milestone], Awaitable[None]],
        changed: Callable[[], None],
    ) -> None:
        self.state = state
        self.books = books
        self.tell = tell
        self.changed = changed
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._asked: dict[str, Polled] = {}
        self._telling = 0

    def start(self) -> None:
        """Watch every unsettled milestone of the phase that is not yet watched as it is now."""
        for milestone in self.state.here():
            check = milestone.check
            if not isinstance(check, Polled):
                continue
            watched = self._tasks.get(milestone.id)
            if watched and check != self._asked[milestone.id]:  # it has got its values meanwhile
                watched.cancel()
            elif watched:
                continue
            self._asked[milestone.id] = check
            task = asyncio.create_task(self._until_settled(milestone, check))
            self._tasks[milestone.id] = task

    def start_in_sunset(self) -> None:
        """Poll on while the product leaves the market: gates of the sunset may ask for them."""
        unwatched = any(
            isinstance(m.check, Polled) and not m.state.settled and m.id not in self._tasks
            for m in self.state.here()
        )
        if unwatched and workflow.patched(SUNSET_HEARS):
            self.start()

    def has_told(self) -> bool:
        """Whether everybody knows what was found: the next run would not tell them."""
        return self._telling == 0

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

    def _question(self, milestone: Milestone, check: Polled) -> tuple[str, Wire]:
        """The activity that asks, and what it is asked."""
        key, name, known = self.state.key, milestone.id, milestone.finding
        if isinstance(check, ProductCheck):
            about = ports.DependencyQuery(
                product=key,
                milestone=name,
                check=check,
                known=known,
                why=milestone.why,
                expected=milestone.expected,
            )
            return ports.CHECK_PRODUCT, about
        query = ports.MilestoneQuery.model_validate(
            {
                "product": key,
                "milestone": name,
                "check": check,
                "known": known,
                "told": bool(milestone.why),
                "problem": milestone.problem,
            }
        )
        return ports.CHECK_MILESTONE, query

    async def _watch(self, milestone: Milestone, check: Polled) -> None:
        while not milestone.state.settled:
            activity, question = self._question(milestone, check)
            found = await workflow.execute_activity(
                activity,
                question,
                task_queue=queue("checks"),
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
                self._telling += 1
                try:
                    await self.tell(milestone)
                finally:
                    self._telling -= 1
            if not milestone.state.settled:
                pause = max(check.every.approximate, found.wait or timedelta(0))
                await workflow.sleep(pause, summary=f"ask {milestone.id} again")

    def _note(self, milestone: Milestone, found: ports.MilestoneFinding) -> None:
        now, same = workflow.now(), found.finding is milestone.finding
        milestone.finding, milestone.why = found.finding, found.why
        type, word = f"milestone.{found.finding}", "is not met yet"
        if found.finding is Finding.met:
            milestone.meet(now, found.why)
            word = "is met"
        elif found.finding is Finding.cannot_tell:
            milestone.why = f"cannot tell since {found.at:%Y-%m-%d %H:%M} UTC: {found.why}"
            word = "cannot be told"
        elif milestone.waits_for:
            turned = milestone.expect(found.expected, now)
            if same:  # another product says more, or something else
                type, word = "milestone.waits", "waits"
            if turned:
                late = milestone.state is MilestoneStatus.at_risk
                type, word = f"milestone.{milestone.state}", "is at risk" if late else "is on time"
        self.books.announce(type, f"{milestone.title} {word} ({found.why})", milestone=milestone.id)
        self.changed()
