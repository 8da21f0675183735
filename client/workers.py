"""One process, several of the SDK's workers: each polls one task queue."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from types import TracebackType
from typing import Self

from temporalio.plugin import SimplePlugin
from temporalio.worker import Worker, WorkerConfig

GRACE = timedelta(seconds=20)
"""How long running activities may finish after SIGTERM; orchestrators kill at 30 s."""

AT_LAST = timedelta(seconds=5)
"""How much longer the SDK may take to stop; without a server it would never end."""


class ActivitiesOnly(SimplePlugin):
    """For a worker that runs no workflows, on a client whose plugin brings some."""

    def __init__(self) -> None:
        super().__init__("phasegate-activities-only")

    def configure_worker(self, config: WorkerConfig) -> WorkerConfig:
        config["workflows"] = []
        return config


class Workers:
    """Runs and ends them together, like one worker of the SDK."""

    def __init__(self, workers: Sequence[Worker], failing: asyncio.Event | None = None) -> None:
        """Of one at least. `failing` is set when one of them fails, which may be long before it
        has ended."""
        self._workers = list(workers)
        self._failing = failing or asyncio.Event()
        self._running: list[asyncio.Task[None]] = []

    @property
    def task_queue(self) -> str:
        """The first one's."""
        return self._workers[0].task_queue

    @property
    def task_queues(self) -> list[str]:
        """All that are polled."""
        return [worker.task_queue for worker in self._workers]

    @property
    def polling(self) -> bool:
        """Whether all of them take work now."""
        if self._failing.is_set():
            return False
        return all(worker.is_running and not worker.is_shutdown for worker in self._workers)

    @property
    def ended(self) -> bool:
        """Whether nothing is left of what `run` began."""
        return all(task.done() for task in self._running)

    async def run(self) -> None:
        """Work until `shutdown`. Raises what one of them fails with, once all have ended, or when
        they had the time that SIGTERM gives: `ended` tells."""
        self._running = [asyncio.create_task(worker.run()) for worker in self._workers]
        first = asyncio.create_task(
            asyncio.wait(self._running, return_when=asyncio.FIRST_EXCEPTION)
        )
        failed = asyncio.create_task(self._failing.wait())
        try:
            await asyncio.wait([first, failed], return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._failing.set()
            # Not cancelled: that would break off the one that fails, and lose what it says.
            ending = [asyncio.create_task(worker.shutdown()) for worker in self._workers]
            await asyncio.wait(self._running, timeout=(GRACE + AT_LAST).total_seconds())
            for task in (first, failed, *ending):
                task.cancel()
        for task in self._running:
            if task.done() and not task.cancelled() and (error := task.exception()):
                raise error
        if not self.ended:
            raise RuntimeError(f"a worker failed, and does not end: {', '.join(self.task_queues)}")

    async def shutdown(self) -> None:
        """Take nothing new, and return when what runs has ended."""
        await asyncio.gather(*(worker.shutdown() for worker in self._workers))

    async def __aenter__(self) -> Self:
        for worker in self._workers:
            await worker.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        ends = (worker.__aexit__(kind, error, trace) for worker in self._workers)
        for ended in await asyncio.gather(*ends, return_exceptions=True):
            if isinstance(ended, BaseException):
                raise ended
