"""The embedded Temporal server: the `temporal` CLI's development server, with its UI."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from secrets import randbelow

from temporalio.client import Client
from temporalio.service import RPCError

from client.attribute_setup import missing_attributes, register
from client.dev_lock import Lock
from client.runtime import core_runtime
from ledger.privacy import private_file
from phasegate.errors import EngineError

STARTING = 30.0
"""Seconds a server may take to answer; it takes about one."""

STOPPING = 10.0


@dataclass(frozen=True)
class DevServer:
    """A running embedded server."""

    address: str
    ui_url: str
    process: asyncio.subprocess.Process


def find_temporal() -> str:
    """The `temporal` command, from the extra `dev-server`. Raises EngineError."""
    return find_command("temporal", "the embedded Temporal server", "dev-server")


def find_command(name: str, what: str, extra: str) -> str:
    """A command that an extra of ours installs, beside python or on PATH. Raises EngineError."""
    beside = Path(sys.executable).parent / name
    found = str(beside) if beside.exists() else shutil.which(name)
    if not found:
        raise EngineError(
            f"{what} is not installed",
            f"there is no `{name}` command beside python or on PATH",
            f"pip install 'phasegate[{extra}]'",
        )
    return found


def free_port() -> int:
    """A port of the loopback interface that is free now.

    None of those that systems give to connections (from 32768 on): until whoever it is for listens
    there, one of them could take it. Raises OSError where nothing can be listened at.
    """
    tries = 100
    while True:
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", 15_000 + randbelow(17_000)))
            except OSError:
                tries -= 1
                if not tries:
                    raise
            else:
                return int(probe.getsockname()[1])


@asynccontextmanager
async def dev_server(
    *,
    database: Path | None,
    port: int = 7233,
    ui_port: int | None = 8233,
    log: Path | None = None,
    options: tuple[str, ...] = (),
    lock: Lock | None = None,
) -> AsyncIterator[DevServer]:
    """Run the embedded server until the block ends; its state stays in `database`.

    It shares the `lock` of its folder: if we are killed, it goes on, and nobody must join it.
    Without a `ui_port` there is no UI. Raises EngineError when it does not come up.
    """
    command = [
        find_temporal(),
        "server",
        "start-dev",
        *("--ip", "127.0.0.1", "--port", str(port), "--log-level", "warn"),
        *(("--ui-port", str(ui_port)) if ui_port else ("--headless",)),
        *(("--db-filename", str(database)) if database else ()),
        *("--sqlite-pragma", "journal_mode=WAL", "--sqlite-pragma", "synchronous=NORMAL"),
        *options,
    ]
    for taken in (port, ui_port):
        if taken and _answers(taken):
            raise EngineError(
                f"port {taken} is taken",
                "something listens there already, perhaps another `phasegate dev`",
                "phasegate dev --port 7333 --ui-port 8333  # with its own --data-dir",
            )
    if log:
        private_file(log)
    with Path(log or os.devnull).open("ab") as output:  # noqa: ASYNC230 - once, and local
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            umask=0o077,  # its database has every product in it
            start_new_session=True,  # Ctrl-C reaches us, and we stop the server after the worker
            pass_fds=(lock.descriptor,) if lock else (),
        )
    if lock:
        lock.note(process.pid)
    try:
        address = f"127.0.0.1:{port}"
        await _until_it_answers(address, process, log)
        yield DevServer(address, f"http://localhost:{ui_port}" if ui_port else "", process)
    finally:
        await stop(process)


async def stop(process: asyncio.subprocess.Process) -> None:
    """End the server: politely, then for good."""
    if process.returncode is not None:
        return
    process.send_signal(signal.SIGINT)
    try:
        await asyncio.wait_for(process.wait(), STOPPING)
    except TimeoutError:
        process.kill()
        await process.wait()


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0


async def _until_it_answers(
    address: str, process: asyncio.subprocess.Process, log: Path | None
) -> None:
    try:
        async with asyncio.timeout(STARTING):
            while True:
                if process.returncode is not None:
                    raise EngineError(
                        "the embedded Temporal server ended while starting",
                        f"exit code {process.returncode}",
                        f"cat {log}" if log else "temporal server start-dev",
                    )
                try:
                    client = await Client.connect(address, runtime=core_runtime())
                    await client.count_workflows("WorkflowType = 'none'")
                    # Not by option: start-dev applies those to a new database only.
                    if missing := await missing_attributes(client):
                        await register(client, missing)
                    return
                except (RuntimeError, RPCError):
                    await asyncio.sleep(0.1)
    except TimeoutError as error:
        raise EngineError(
            f"the embedded Temporal server does not answer at {address}",
            f"waited {STARTING:.0f} s",
            f"cat {log}" if log else "temporal server start-dev",
        ) from error
