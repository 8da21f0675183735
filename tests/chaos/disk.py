"""Where the ledger lies: a file on a disk that can be full, or a PostgreSQL that can crash."""

from __future__ import annotations

import asyncio
import errno
import os
import resource
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from postgres import Server, binaries, running_postgres

MIB = 1024 * 1024
BLOCKS = (MIB, 4096, 1)


class Store(Protocol):
    """A place for the ledger. `break_it` names what it can do to it; empty where it can nothing."""

    url: str
    break_it: str

    async def breaks(self, seconds: float) -> None:
        """Break it, and mend it so many seconds later."""


@dataclass
class Tmpfs:
    """A small file system of its own, full when it is filled."""

    folder: Path
    break_it: str = "disk full"

    @property
    def url(self) -> str:
        return f"sqlite:///{self.folder / 'ledger.db'}"

    async def breaks(self, seconds: float) -> None:
        filler = self.folder / "filler"
        try:
            await asyncio.to_thread(_fill, filler)
            await asyncio.sleep(seconds)
        finally:
            filler.unlink(missing_ok=True)


def _fill(filler: Path) -> None:
    with filler.open("wb", buffering=0) as file:
        for size in BLOCKS:
            block = b"\0" * size
            try:
                while True:
                    file.write(block)
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise


@dataclass
class Limited:
    """A file that the workers may write nothing more to: RLIMIT_FSIZE of the running processes."""

    folder: Path
    pids: Callable[[], Iterable[int]]
    break_it: str = "disk full"

    @property
    def url(self) -> str:
        return f"sqlite:///{self.folder / 'ledger.db'}"

    async def breaks(self, seconds: float) -> None:
        limited = [pid for pid in self.pids() if _limit(pid, 0)]
        try:
            await asyncio.sleep(seconds)
        finally:
            for pid in limited:
                _limit(pid, resource.RLIM_INFINITY)


def _limit(pid: int, size: int) -> bool:
    try:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
    except ProcessLookupError:  # it was killed meanwhile
        return False
    return True


@dataclass
class Postgres:
    """A PostgreSQL that crashes, and recovers when it is started again."""

    server: Server
    url: str
    break_it: str = "PostgreSQL crash"

    async def breaks(self, seconds: float) -> None:
        await asyncio.to_thread(self.server.stop, signal.SIGQUIT)
        try:
            await asyncio.sleep(seconds)
        finally:
            await asyncio.to_thread(self.server.start)


@contextmanager
def store(kind: str, folder: Path, pids: Callable[[], Iterable[int]], size: int) -> Iterator[Store]:
    """A ledger's place: `sqlite` or `postgres`; `size` in bytes of the disk of its own."""
    if kind == "postgres":
        assert binaries(), "PostgreSQL is not installed"
        with running_postgres() as server:
            yield Postgres(server, server.database())
        return
    disk = folder / "disk"
    disk.mkdir()
    if not _mounted(disk, size):
        yield Limited(disk, pids)
        return
    try:
        yield Tmpfs(disk)
    finally:
        shutil.copytree(disk, folder / "ledger", dirs_exist_ok=True)  # it goes with its disk
        subprocess.run(["umount", "--lazy", str(disk)], check=False)


def _mounted(disk: Path, size: int) -> bool:
    """Only root may, and not in every container."""
    if os.geteuid() != 0 or os.environ.get("CHAOS_NO_MOUNT"):
        return False
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(disk)]
    return subprocess.run(command, check=False, capture_output=True).returncode == 0
