"""Workers in processes of their own, each started again whenever it ends; its clock can jump."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).parents[2]
AGAIN = 0.3
"""Seconds until who ended is started again, as an orchestrator does."""


def faketime() -> Path | None:
    """Debian's libfaketime, for programs with threads; None where it is not installed."""
    found = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
    return found[0] if found else None


class Slot:
    """One place for a worker: whoever holds it dies, and another takes it."""

    def __init__(self, number: int, folder: Path, settings: dict[str, str]) -> None:
        self.number, self.starts = number, 0
        self.log = folder / f"worker-{number}.log"
        self._clock = folder / f"clock-{number}"
        self._clock.write_text("+0\n")
        self._env = {**os.environ, "PYTHONPATH": str(ROOT), **settings, **self._faked()}
        self._process: asyncio.subprocess.Process | None = None
        self._keeping: asyncio.Task[None] | None = None
        self._works = asyncio.Event()

    def _faked(self) -> dict[str, str]:
        library = faketime()
        if library is None:
            return {}
        return {
            "LD_PRELOAD": str(library),
            "FAKETIME_TIMESTAMP_FILE": str(self._clock),
            "FAKETIME_CACHE_DURATION": "1",
            # What waits, waits by the monotonic clock, which jumps on no machine.
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "DONT_FAKE_MONOTONIC": "1",
            "NO_FAKE_STAT": "1",
        }

    @property
    def pid(self) -> int | None:
        running = self._process is not None and self._process.returncode is None
        return self._process.pid if running and self._process else None

    def start(self) -> None:
        self._keeping = asyncio.create_task(self._keep())

    async def works(self) -> None:
        """Wait until a worker here says that it has started."""
        await self._works.wait()

    async def _keep(self) -> None:
        while True:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "cli", "worker", "run"),
                env=self._env,
                cwd="/",
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.PIPE,
            )
            self._process = process
            self.starts += 1
            assert process.stderr is not None
            with self.log.open("ab") as log:  # a line now and then
                async for line in process.stderr:
                    log.write(line)
                    if b"worker started" in line:
                        log.flush()
                        self._works.set()
            await process.wait()
            self._works.clear()
            await asyncio.sleep(AGAIN)

    def send(self, number: signal.Signals) -> bool:
        """Send a signal to the worker; whether there was one."""
        if (pid := self.pid) is None:
            return False
        with suppress(ProcessLookupError):
            os.kill(pid, number)
        return True

    def kill(self) -> bool:
        self._works.clear()
        return self.send(signal.SIGKILL)

    def set_clock(self, seconds: int) -> None:
        """So far from the true time its clock is, within a second; also of who comes after it."""
        self._clock.write_text(f"{seconds:+d}\n")

    async def stop(self) -> None:
        if self._keeping:
            self._keeping.cancel()
            await asyncio.gather(self._keeping, return_exceptions=True)
        self.kill()
        if self._process:
            await self._process.wait()
