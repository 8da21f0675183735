"""Workers in processes of their own, that can be killed."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]


@asynccontextmanager
async def worker_process(
    *options: str, **settings: str
) -> AsyncIterator[asyncio.subprocess.Process]:
    """A worker with the settings of the environment and these, once it works; killed with the block
    if it runs.

    With `options`, as `phasegate worker run` has them.
    """
    called = ("-m", "cli", "worker", "run", *options) if options else (str(ROOT / "worker.py"),)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, *called),
        env={**os.environ, "PYTHONPATH": str(ROOT), **settings},
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stderr is not None
    logged: asyncio.Task[bytes] | None = None
    try:
        # Its imports take seconds on a busy machine, in which nobody would answer.
        async for line in process.stderr:
            if b"worker started" in line:
                break
        logged = asyncio.create_task(process.stderr.read())  # a full pipe would stop it
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        if logged:
            await logged
        await process.wait()
