"""Whether a rehearsal goes on, told by beats: on a machine that is busy elsewhere they are slower,
and nothing counts as lost or hanging sooner for it.

The time-skipping server holds time for good where a gate closes after its product has gone on in
another run: the hold in which it tells its parent is given back by the parent, which is gone. Such
a hold is taken back. One of somebody at work must never be: whoever gives back what nobody holds
fails in the middle of it (`Unbalanced lock and unlock calls`), with a text too long for any client
("h2 protocol error").
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from typing import TypeVar

from temporalio.service import RPCError

T = TypeVar("T")

BEAT = 1.0
"""Seconds between two beats, at least: each also goes to the server, to the worker and back."""

QUIET = 12
"""Beats in which nobody works and no time is skipped, after which holds are nobody's. A task that a
worker dropped holds time for ten seconds, and is given out again then."""

SLOW = 2
"""Beats after which a query counts as lost; it takes milliseconds."""

HUNG = 60
"""Beats in which nothing happens, after which a rehearsal is given up."""

JUMP = timedelta(minutes=1)
"""By so much the server's clock has gone on faster than ours, and it has skipped time."""


class Pulse:
    """Who works, and how many beats ago anybody did or time was skipped."""

    def __init__(self, beat: float = BEAT) -> None:
        self._beat = beat
        self._waiting: set[asyncio.Future[None]] = set()
        self._at_work = 0
        self._moved = 0
        self._clock: tuple[datetime, float] | None = None
        self.count = 0

    @property
    def still(self) -> int:
        """Beats since something happened; none while somebody works."""
        return 0 if self._at_work else self.count - self._moved

    @property
    def held(self) -> bool:
        """Whether time is to be let go at this beat."""
        return self.still > 0 and self.still % QUIET == 0

    @contextmanager
    def work(self) -> Iterator[None]:
        """Somebody works until the block ends."""
        self._at_work += 1
        try:
            yield
        finally:
            self._at_work -= 1
            self._moved = self.count

    def beat(self, now: datetime) -> None:
        """A beat, at that instant of the server."""
        self.count += 1
        then, self._clock = self._clock, (now, time.monotonic())
        if then and now - then[0] > timedelta(seconds=self._clock[1] - then[1]) + JUMP:
            self._moved = self.count
        self._wake()

    def miss(self) -> None:
        """A beat at which the server did not answer."""
        self.count += 1
        self._wake()

    async def beating(self, ping: Callable[[], Awaitable[datetime]]) -> None:
        """Beat until it is cancelled."""
        while True:
            await asyncio.sleep(self._beat)
            try:
                self.beat(await ping())
            except RPCError:
                self.miss()

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

    def _wake(self) -> None:
        for waiting in self._waiting:
            with suppress(asyncio.InvalidStateError):
                waiting.set_result(None)
