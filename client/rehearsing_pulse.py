"""Whether a rehearsal goes on, told by beats: on a machine that is busy elsewhere they are slower,
and nothing counts as lost or hanging sooner for it.

The time-skipping server now and then loses a query, and then holds time for good (tried). That hold
is taken back. One that was not lost must never be: whoever holds time gives it back later, which
then fails with `Unbalanced lock and unlock calls`, in the middle of what the server was doing, and
with a text too long for any client ("h2 protocol error").
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from temporalio.service import RPCError

T = TypeVar("T")

BEAT = 1.0
"""Seconds between two beats, at least: each also goes to the server, to the worker and back."""

QUIET = 12
"""Beats in which nobody works, after which a hold was lost. A task that a worker dropped holds time
as well, for ten seconds, and is then given out again."""

SLOW = 2
"""Beats after which a query counts as lost; it takes milliseconds."""

HUNG = 60
"""Beats in which nobody works, after which a rehearsal is given up."""

JUMP = timedelta(minutes=1)
"""By so much the server's clock is ahead of ours, and it has skipped time: it holds none."""


class Pulse:
    """Who works, and how many beats ago anybody did."""

    def __init__(self, beat: float = BEAT) -> None:
        self._beat = beat
        self._waiting: set[asyncio.Future[None]] = set()
        self._at_work = 0
        self._lost: list[tuple[datetime, float]] = []
        self._latest = (datetime.min.replace(tzinfo=UTC), time.monotonic())
        self.count = 0
        self.worked = 0
        """The beat at which anybody last worked."""

    @property
    def still(self) -> int:
        """Beats since anybody worked; none while somebody does."""
        return 0 if self._at_work else self.count - self.worked

    @property
    def held(self) -> bool:
        """Whether time stands still because of a query that was lost."""
        return bool(self._lost) and self.still >= QUIET

    @contextmanager
    def work(self) -> Iterator[None]:
        """Somebody works until the block ends."""
        self._at_work += 1
        try:
            yield
        finally:
            self._at_work -= 1
            self.worked = self.count

    @contextmanager
    def turn(self, now: datetime) -> Iterator[None]:
        """Somebody has a turn until the block ends, at that instant of the server."""
        self._latest = now, time.monotonic()
        if self._lost:
            then, at = self._lost[-1]
            if now - then > timedelta(seconds=self._latest[1] - at) + JUMP:
                self._lost.clear()
        with self.work():
            yield

    def lose(self) -> None:
        """The server has lost a query."""
        self._lost.append(self._latest)

    def let_go(self) -> None:
        """A hold was taken back."""
        self._lost.pop()
        self.worked = self.count

    async def beating(self, ping: Callable[[], Awaitable[object]]) -> None:
        """Beat until it is cancelled. A server that answers no ping is no progress either."""
        while True:
            await asyncio.sleep(self._beat)
            with suppress(RPCError):
                await ping()
            self.count += 1
            for waiting in self._waiting:
                if not waiting.done():
                    waiting.set_result(None)

    async def next(self) -> None:
        """Wait for a beat."""
        waiting = asyncio.get_running_loop().create_future()
        self._waiting.add(waiting)
        try:
            await waiting
        finally:
            self._waiting.discard(waiting)

    async def within(self, beats: int, asked: Awaitable[T]) -> T:
        """What comes of it. Raises TimeoutError after so many whole beats."""
        answer = asyncio.ensure_future(asked)
        late = asyncio.ensure_future(self._pass(beats + 1))
        try:
            await asyncio.wait([answer, late], return_when=asyncio.FIRST_COMPLETED)
            if answer.done():
                return answer.result()
            raise TimeoutError
        finally:
            answer.cancel()
            late.cancel()

    async def _pass(self, beats: int) -> None:
        for _ in range(beats):
            await self.next()
