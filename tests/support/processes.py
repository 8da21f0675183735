"""Workers in processes of their own, that can be killed."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]


class WorkerProcess:
    """The process of a worker. Its log is read as it comes: a full pipe would stop it."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        assert process.stderr is not None
        self.process, self.log = process, b""
        self._lines = process.stderr
        self._reading: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def returncode(self) -> int | None:
        return self.process.returncode

    async def works(self) -> None:
        """Wait until it says that it has started: its imports take seconds on a busy machine."""
        while b"worker started" not in self.log and (line := await self._lines.readline()):
            self.log += line
        self._reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        async for line in self._lines:
            self.log += line

    def send_signal(self, number: int) -> None:
        self.process.send_signal(number)

    def kill(self) -> None:
        self.process.kill()

    async def stop(self) -> int:
        """Ask it to stop, and wait; its exit code."""
        self.process.terminate()
        return await self.wait()

    async def wait(self) -> int:
        if self._reading:
            await self._reading
        return await self.process.wait()


@asynccontextmanager
async def worker_process(*options: str, **settings: str) -> AsyncIterator[WorkerProcess]:
    """A worker with the settings of the environment and these, once it works; killed with the block
    if it runs.

    With `options`, as `phasegate worker run` has them.
    """
    called = ("-m", "cli", "worker", "run", *options) if options else (str(ROOT / "worker.py"),)
    worker = WorkerProcess(
        await asyncio.create_subprocess_exec(
            *(sys.executable, *called),
            env={**os.environ, "PYTHONPATH": str(ROOT), **settings},
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
    )
    try:
        await worker.works()
        yield worker
    finally:
        if worker.returncode is None:
            worker.kill()
        await worker.wait()
