"""What is measured: an embedded server with a database file, as `phasegate dev` has it, and workers
in processes of their own."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, closing, suppress
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.harness import ROOT
from client.dev_server import DevServer, dev_server, free_port
from client.engine import Engine
from client.logs import configure_logs
from client.settings import Settings

STARTED = b"worker started"
TICKS = os.sysconf("SC_CLK_TCK")


class WorkerProcess:
    """A worker that can be killed, started again and looked at from outside."""

    def __init__(self, command: Sequence[str], env: dict[str, str], log: Path) -> None:
        self._command, self._env, self._log = command, env, log
        self._process: asyncio.subprocess.Process | None = None
        self._draining: asyncio.Task[None] | None = None
        self._works = asyncio.Event()

    async def start(self) -> None:
        """Start it, and wait until it says that it works."""
        self._works.clear()
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", *self._command),
            env=self._env,
            cwd="/",
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        self._draining = asyncio.create_task(self._drain(self._process))
        works = asyncio.create_task(self._works.wait())
        await asyncio.wait({works, self._draining}, return_when=asyncio.FIRST_COMPLETED)
        works.cancel()
        if not self._works.is_set():
            raise RuntimeError(f"the worker ended: {self._log.read_text(encoding='utf-8')[-800:]}")

    async def _drain(self, process: asyncio.subprocess.Process) -> None:
        assert process.stderr is not None
        with self._log.open("ab") as log:
            async for line in process.stderr:
                log.write(line)
                log.flush()
                if STARTED in line:
                    self._works.set()

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    async def kill(self) -> None:
        """kill -9."""
        await self._end(signal.SIGKILL)

    async def stop(self) -> None:
        """As an orchestrator stops it."""
        await self._end(signal.SIGTERM)

    async def _end(self, number: signal.Signals) -> None:
        if self._process is None or self._draining is None:
            return
        with suppress(ProcessLookupError):
            self._process.send_signal(number)
        try:
            await asyncio.wait_for(self._process.wait(), 20)
        except TimeoutError:
            self._process.kill()
            await self._process.wait()
        await self._draining

    def memory(self) -> float:
        """Its resident memory in MiB."""
        for line in Path(f"/proc/{self.pid}/status").read_text(encoding="utf-8").splitlines():
            if line.startswith("VmRSS"):
                return int(line.split()[1]) / 1024
        return 0.0

    def cpu(self) -> float:
        """Seconds of CPU that it has used so far."""
        return cpu_of(self.pid)


def cpu_of(pid: int) -> float:
    """Seconds of CPU that a process has used so far."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


@dataclass
class Installation:
    folder: Path
    server: DevServer
    engine: Engine
    env: dict[str, str]
    _stack: AsyncExitStack = field(default_factory=AsyncExitStack)

    async def worker(self) -> WorkerProcess:
        """`phasegate worker run`, with its own settings."""
        return await self._started("worker", ["cli", "worker", "run"])

    async def bare_worker(self) -> WorkerProcess:
        """A worker with the same settings for workflows that do next to nothing."""
        return await self._started("bare", ["benchmarks.bare", self.server.address])

    async def _started(self, name: str, command: Sequence[str]) -> WorkerProcess:
        process = WorkerProcess(command, self.env, self.folder / f"{name}.log")
        self._stack.push_async_callback(process.stop)
        await process.start()
        return process

    def database_bytes(self) -> int:
        """What the server's database takes on disk."""
        return folded(self.folder / "temporal.db")

    def ledger_bytes(self) -> int:
        return folded(self.folder / "ledger.db")


def folded(database: Path) -> int:
    """Bytes of an SQLite database, with what was waiting in its log folded in."""
    if not database.exists():
        return 0
    with closing(sqlite3.connect(database, timeout=10)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return database.stat().st_size


@asynccontextmanager
async def installation(folder: Path) -> AsyncIterator[Installation]:
    """A server, and a client of it. Settings of this process's environment lead there from now."""
    configure_logs(json=False, level="ERROR")
    folder.mkdir(parents=True, exist_ok=True)  # noqa: ASYNC240 - once, and local
    os.environ["PHASEGATE_DATA_DIR"] = str(folder)
    async with (
        dev_server(
            database=folder / "temporal.db",
            port=free_port(),
            ui_port=None,
            log=folder / "server.log",
        ) as server,
        AsyncExitStack() as stack,
    ):
        os.environ["TEMPORAL_ADDRESS"] = server.address
        engine = await Engine.connect(Settings.load())
        stack.callback(engine.ledger.close)
        env = {**os.environ, "PYTHONPATH": str(ROOT)}
        yield Installation(folder, server, engine, env, stack)
