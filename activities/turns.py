"""Turns: how much of one kind a worker does at once, so that there is room for the rest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager


class Turns:
    """So many at once for each name, and so many altogether. For one event loop."""

    def __init__(self, each: int, altogether: int) -> None:
        self._each, self._altogether = each, altogether
        self._under_way: Counter[str] = Counter()

    @contextmanager
    def take(self, name: str) -> Iterator[bool]:
        """Whether there is a turn; if so it is held until the block ends. Nobody waits here."""
        if self._under_way[name] >= self._each or self._under_way.total() >= self._altogether:
            yield False
            return
        self._under_way[name] += 1
        try:
            yield True
        finally:
            self._under_way[name] -= 1
