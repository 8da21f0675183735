"""The time-skipping Temporal server, on which years pass in seconds."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from google.protobuf.empty_pb2 import Empty
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest
from temporalio.api.testservice.v1 import LockTimeSkippingRequest, UnlockTimeSkippingRequest
from temporalio.client import Client, Interceptor
from temporalio.service import RPCError

from client.attribute_setup import TYPES
from client.dev_server import find_command, free_port, stop
from client.plugin import phasegate_plugin
from client.runtime import core_runtime
from ledger.privacy import private_file
from phasegate.errors import EngineError
from phasegate.search import ATTRIBUTES

STARTING = 30.0
"""Seconds it may take to answer; it takes a tenth of one."""

TICK = 0.02
"""Seconds by which two clocks that go on alike may differ."""


def find_test_server() -> str:
    """The `temporal-test-server` command, from the extra `simulate`. Raises EngineError."""
    return find_command("temporal-test-server", "the time-skipping Temporal server", "simulate")


@asynccontextmanager
async def skipping_server(log: Path, interceptors: Sequence[Interceptor]) -> AsyncIterator[Client]:
    """Run the server until the block ends, and connect to it. Its time runs, and skips nothing.

    It keeps nothing on disk but its `log`, listens on loopback, and neither lists nor searches
    workflows. Raises EngineError when it does not come up.
    """
    port = free_port()
    private_file(log)
    with log.open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            *(find_test_server(), str(port)),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,  # Ctrl-C reaches us, and we stop the server after the worker
        )
    try:
        client = await _connected(f"127.0.0.1:{port}", process, log, interceptors)
        await client.operator_service.add_search_attributes(
            AddSearchAttributesRequest(
                namespace=client.namespace,
                search_attributes={name: TYPES[kind] for name, kind in ATTRIBUTES.items()},
            )
        )
        yield client
    finally:
        await stop(process)


@asynccontextmanager
async def skipping(client: Client) -> AsyncIterator[None]:
    """Let the server jump to the next timer whenever nobody works, until the block ends."""
    await client.test_service.unlock_time_skipping(UnlockTimeSkippingRequest())
    try:
        yield
    finally:
        with suppress(RPCError):
            await client.test_service.lock_time_skipping(LockTimeSkippingRequest())


async def let_go(client: Client, is_quiet: Callable[[], bool]) -> None:
    """Take back holds on time which nobody gives back, one by one, until time is skipped again or
    somebody works."""
    began, then = time.monotonic(), await server_time(client)
    with suppress(RPCError):  # there is none left
        while is_quiet():
            await client.test_service.unlock_time_skipping(UnlockTimeSkippingRequest())
            ahead = (await server_time(client) - then).total_seconds()
            if ahead > time.monotonic() - began + TICK:
                return


async def server_time(client: Client) -> datetime:
    """The server's time; asking for it lets it skip, where nothing holds it. Raises RPCError."""
    return (await client.test_service.get_current_time(Empty())).time.ToDatetime(UTC)


async def _connected(
    address: str,
    process: asyncio.subprocess.Process,
    log: Path,
    interceptors: Sequence[Interceptor],
) -> Client:
    try:
        async with asyncio.timeout(STARTING):
            while process.returncode is None:
                try:
                    return await Client.connect(
                        address,
                        plugins=[phasegate_plugin()],
                        interceptors=interceptors,
                        runtime=core_runtime(),
                    )
                except (RuntimeError, RPCError):
                    await asyncio.sleep(0.02)
        why = f"it ended with {process.returncode}"
    except TimeoutError:
        why = f"waited {STARTING:.0f} s"
    said = (await asyncio.to_thread(log.read_text, errors="replace")).strip().splitlines()
    raise EngineError(
        "the time-skipping Temporal server does not start",
        f"{why}; it said: {said[-1] if said else 'nothing'}",
        f"{find_test_server()} 7234",
    )
