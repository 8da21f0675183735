"""A PostgreSQL server of the tests' own, from Debian's or any other installation."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.context import ForkServerContext
from pathlib import Path
from uuid import uuid4

import pytest

from client.dev_server import free_port

USER = "phasegate"


def binaries() -> Path | None:
    """The newest folder with `initdb`; None where PostgreSQL is not installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: p.parts[-3])
    if found:
        return found[-1].parent
    on_path = shutil.which("initdb")
    return Path(on_path).resolve().parent if on_path else None


def _account() -> str | None:
    """PostgreSQL refuses to run as root: its own account runs it then."""
    return "postgres" if os.geteuid() == 0 else None


@dataclass
class Server:
    """One cluster; databases in it are made per test."""

    bin: Path
    data: Path
    port: int
    process: subprocess.Popen[bytes] | None = None

    @property
    def account(self) -> str | None:
        """Who runs it; None where that is who runs the tests."""
        return _account()

    def url(self, database: str) -> str:
        return f"postgresql+psycopg://{USER}@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        self.process = subprocess.Popen(
            [
                *(str(self.bin / "postgres"), "-D", str(self.data), "-p", str(self.port)),
                *("-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="),
                *("-c", "fsync=off", "-c", "log_min_messages=fatal", "-c", "max_connections=60"),
            ],
            user=_account(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
        )
        end = time.monotonic() + 90
        while self.sql("postgres", "SELECT 1").returncode:
            assert self.process.poll() is None, "postgres ended"
            assert time.monotonic() < end, "postgres does not answer"
            time.sleep(0.1)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """SIGINT rolls back and disconnects everybody, SIGQUIT is a crash."""
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait(timeout=90)
            self.process = None

    def sql(
        self, database: str, statement: str, role: str = USER
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [
                *(str(self.bin / "psql"), "-h", "127.0.0.1", "-p", str(self.port), "-U", role),
                *("-d", database, "-v", "ON_ERROR_STOP=1", "-qAtc", statement),
            ],
            capture_output=True,
            text=True,
            check=False,
        )

    def database(self, options: str = "") -> str:
        """The URL of a new, empty database, made with these words of CREATE DATABASE."""
        name = f"t{uuid4().hex[:12]}"
        made = self.sql("postgres", f"CREATE DATABASE {name} {options}")
        assert made.returncode == 0, made.stderr
        return self.url(name)


def processes() -> ForkServerContext:
    """Where writers are started that share nothing with the test, or with each other. What they all
    import is imported once."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["ledger"])
    return context


@contextmanager
def running_postgres() -> Iterator[Server]:
    """A server that is stopped and removed afterwards; skips where there is none to start."""
    bin = binaries()
    if bin is None:
        pytest.skip("PostgreSQL is not installed (on Debian: apt-get install postgresql)")
    folder = Path(tempfile.mkdtemp(prefix="phasegate-pg-"))
    try:
        if account := _account():
            shutil.chown(folder, account, account)
        subprocess.run(
            [
                *(str(bin / "initdb"), "-D", str(folder / "data"), "-U", USER, "-A", "trust"),
                *("--no-sync", "-E", "UTF8", "--locale=C"),
            ],
            user=_account(),
            check=True,
            capture_output=True,
            cwd="/",
        )
        server = Server(bin, folder / "data", free_port())
        server.start()
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
