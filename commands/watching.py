"""`--watch`: showing the same thing again while it changes."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from typing import TypeVar

from commands.progress import hush

T = TypeVar("T")

PAUSE = 2.0
"""Seconds between two looks."""


async def watched(
    look: Callable[[], Awaitable[T]], show: Callable[[T], None], *, done: Callable[[T], bool]
) -> T:
    """Show what `look` finds, again whenever it has changed, until it is `done` or Ctrl-C.

    A terminal is cleared in between; a pipe gets one document after the other.
    """
    shown = None
    while True:
        found = await look()
        if found != shown:
            hush()
            if sys.stdout.isatty():
                print("\x1b[2J\x1b[H", end="")
            show(found)
            sys.stdout.flush()
            shown = found
        if done(found):
            return found
        await asyncio.sleep(PAUSE)
