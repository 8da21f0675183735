"""The embedded Temporal server and a worker process, for as long as the demo lasts."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest

from client.dev_server import dev_server, free_port, stop
from client.engine import Engine
from phasegate.errors import EngineError

HOME = Path(__file__).parent.parent

PUNCTUAL = ("--dynamic-config-value", 'history.timerProcessorMaxTimeShift="10ms"')
"""By default the server fires a timer of less than a second about a second late. A product that
lives for years does not notice; here a second is months."""

READY = 30.0
"""Seconds a worker may take to ask for work; it takes about two."""


@dataclass(frozen=True)
class House:
    """Everything that runs, and the client that talks to it."""

    engine: Engine
    server: asyncio.subprocess.Process
    worker: asyncio.subprocess.Process
    ui_url: str
    exports: Mapping[str, str]
    """Variables with which the command line finds this server and ledger."""

    @property
    def up(self) -> bool:
        return self.server.returncode is None and self.worker.returncode is None

    async def broken(self) -> None:
        """Wait for server or worker to end by itself, and raise EngineError then."""
        ends = {
            asyncio.create_task(process.wait()): name
            for name, process in (("server", self.server), ("worker", self.worker))
        }
        try:
            done, _ = await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            ended = done.pop()
            raise EngineError(f"the {ends[ended]} ended by itself", f"exit code {ended.result()}")
        finally:
            for task in ends:
                task.cancel()


@asynccontextmanager
async def open_house(folder: Path) -> AsyncIterator[House]:
    """Start server and worker with their data in `folder`; stop both, whatever happens.

    Raises EngineError when one of them does not come up.
    """
    async with dev_server(
        database=folder / "temporal.db",
        port=free_port(),
        ui_port=free_port(),
        log=folder / "server.log",
        options=PUNCTUAL,
    ) as server:
        exports = {
            "TEMPORAL_ADDRESS": server.address,
            "PHASEGATE_DATA_DIR": str(folder),
            "PHASEGATE_UI_URL": server.ui_url,
        }
        with surroundings(exports, folder / "temporal.toml"):
            async with worker(folder / "worker.log") as process:
                engine = await Engine.connect()
                try:
                    await _until_it_works(engine, process, folder / "worker.log")
                    yield House(engine, server.process, process, server.ui_url, exports)
                finally:
                    engine.ledger.close()


@contextmanager
def surroundings(exports: Mapping[str, str], profile: Path) -> Iterator[None]:
    """These settings and no others, until the block ends.

    Somebody's profile or variables may point at a server that matters: the demo must not find it.
    """
    kept = dict(os.environ)
    for name in kept:
        if name.startswith(("TEMPORAL_", "PHASEGATE_")):
            del os.environ[name]
    profile.touch()
    os.environ.update(exports, TEMPORAL_CONFIG_FILE=str(profile))
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(kept)


@asynccontextmanager
async def worker(log: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """A worker process with the settings of the environment."""
    with log.open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "worker"),
            cwd=HOME,  # another project's worker.py in the current folder is not ours
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,  # Ctrl-C reaches us, and we stop it before the server
        )
        try:
            yield process
        finally:
            await stop(process)


async def _until_it_works(engine: Engine, process: asyncio.subprocess.Process, log: Path) -> None:
    """Wait until the worker asks for work: the play's clock must not start before."""
    request = DescribeTaskQueueRequest(
        namespace=engine.client.namespace,
        task_queue=TaskQueue(name=engine.settings.task_queue),
        task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
    )
    service = engine.client.workflow_service
    try:
        async with asyncio.timeout(READY):
            while not (await service.describe_task_queue(request)).pollers:
                if process.returncode is not None:
                    why = f"exit code {process.returncode}"
                    raise EngineError("the worker ended while starting", why, f"cat {log}")
                await asyncio.sleep(0.1)
    except TimeoutError as error:
        why = f"it asked for no work within {READY:.0f} s"
        raise EngineError("the worker does not start", why, f"cat {log}") from error
