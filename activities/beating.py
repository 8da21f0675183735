"""Heartbeats: the server sees early that a worker died, and has the work done by another one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import ContextVar

from temporalio import activity

EVERY = 4.0
"""Seconds; what has a heartbeat timeout here has one of 15 s."""

# A list, since what runs within has copies of the context: of the variable, not of the list.
_PROGRESS: ContextVar[list[str]] = ContextVar("progress")


@asynccontextmanager
async def beating() -> AsyncIterator[None]:
    """Send heartbeats for as long as the body runs, also while it waits for a slow answer."""
    progress: list[str] = []
    before = _PROGRESS.set(progress)
    beats = asyncio.create_task(_beat(progress))
    try:
        yield
    finally:
        beats.cancel()
        _PROGRESS.reset(before)


def tell(progress: str) -> None:
    """What the coming heartbeats of the block say, to those who look in the Temporal UI."""
    _PROGRESS.get()[:] = [progress]


async def _beat(progress: list[str]) -> None:
    while True:
        activity.heartbeat(*progress)
        await asyncio.sleep(EVERY)
