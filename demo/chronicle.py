"""What happens to a product, read from the ledger as it is written there."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from client.engine import Engine
from phasegate.events import Announcement

EVERY = 0.1
"""Seconds between two looks into the ledger."""


class Chronicle:
    """Follows one product's stream; others wait here for what they react to."""

    def __init__(self, engine: Engine, key: str, tell: Callable[[Announcement], None]) -> None:
        self.events: list[Announcement] = []
        self.waiting = ""
        """What is waited for now, in words: said when the demo runs out of time."""
        self._engine = engine
        self._key = key
        self._tell = tell
        self._news = asyncio.Condition()

    async def follow(self) -> None:
        """Read on and on, until cancelled."""
        seq = 0
        while True:
            new = await asyncio.to_thread(self._engine.ledger.events, self._key, seq)
            for entry in new:
                seq = entry.seq
                self.events.append(entry.announcement)
                self._tell(entry.announcement)
            if new:
                async with self._news:
                    self._news.notify_all()
            await asyncio.sleep(EVERY)

    async def until(self, what: str, match: Callable[[Announcement], bool]) -> Announcement:
        """The first event that matches, now or when it comes."""
        self.waiting = what
        async with self._news:
            while not (found := [event for event in self.events if match(event)]):
                await self._news.wait()
        self.waiting = ""
        return found[0]

    def of(self, type: str, **data: Any) -> list[Announcement]:
        """The events of a type so far, with these values in their data."""
        return [event for event in self.events if is_a(event, type, **data)]


def is_a(event: Announcement, type: str, **data: Any) -> bool:
    """Whether an event is of this type and carries these values."""
    return event.type == type and all(event.data.get(name) == v for name, v in data.items())
