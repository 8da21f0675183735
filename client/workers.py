"""One process, several of the SDK's workers: each polls one task queue."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from temporalio.plugin import SimplePlugin
from temporalio.worker import Worker, WorkerConfig


class ActivitiesOnly(SimplePlugin):
    """For a worker that runs no workflows, on a client whose plugin brings some."""

    def __init__(self) -> None:
        super().__init__("phasegate-activities-only")

    def configure_worker(self, config: WorkerConfig) -> WorkerConfig:
        config["workflows"] = []
        return config


class Workers:
    """Runs and ends them together, like one worker of the SDK."""

    def __init__(self, workers: Sequence[Worker]) -> None:
        """Of one at least."""
        self._workers = list(workers)

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
        return all(worker.is_running and not worker.is_shutdown for worker in self._workers)

    async def run(self) -> None:
        """Work until `shutdown`. Raises what one of them fails with, once the others have ended."""
        running = [asyncio.create_task(worker.run()) for worker in self._workers]
        try:
            await asyncio.wait(running, return_when=asyncio.FIRST_EXCEPTION)
        finally:
            for task in running:
                task.cancel()
            ended = await asyncio.gather(*running, return_exceptions=True)
        for error in ended:
            if isinstance(error, BaseException) and not isinstance(error, asyncio.CancelledError):
                raise error

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
