"""The floors: workflows that only count.

`Counting` takes Updates and nothing else. `Writing` has each vote written down by an activity
before it ends, as a record asks for; that cannot be had with fewer events: the activity must not
begin before the Update is durable, so it is ordered by a task of its own at the earliest.
"""

from __future__ import annotations

from datetime import timedelta

from temporalio import workflow


@workflow.defn
class Counting:
    """Takes so many votes, and ends."""

    def __init__(self) -> None:
        self.votes = 0

    @workflow.run
    async def run(self, until: int) -> int:
        await workflow.wait_condition(lambda: self.votes == until)
        return self.votes

    @workflow.update
    async def vote(self) -> int:
        self.votes += 1
        return self.votes


@workflow.defn
class Writing:
    """Takes so many votes, has them written down, and ends."""

    def __init__(self) -> None:
        self.votes = 0

    @workflow.run
    async def run(self, until: int) -> int:
        written = 0
        while written < until:
            await workflow.wait_condition(lambda: self.votes > written)  # noqa: B023
            votes = self.votes
            await workflow.execute_activity(
                "write_down", votes, start_to_close_timeout=timedelta(seconds=30)
            )
            written = votes
        return written

    @workflow.update
    async def vote(self) -> int:
        self.votes += 1
        return self.votes
