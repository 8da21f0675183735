"""Heartbeats: the server sees early that a worker died, and has the work done by another one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from temporalio import activity

EVERY = 4.0
"""Seconds; what has a heartbeat timeout here has one of 15 s."""


@asynccontextmanager
async def beating() -> AsyncIterator[None]:
    """Send heartbeats for as long as the body runs, also while it waits for a slow answer."""
    beats = asyncio.create_task(_beat())
    try:
        yield
    finally:
        beats.cancel()


async def _beat() -> None:
    while True:
        activity.heartbeat()
        await asyncio.sleep(EVERY)
