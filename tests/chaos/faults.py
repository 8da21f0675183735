"""What goes wrong, by a seed: so much of it while so much of the work is done."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from random import Random

from tcp_proxy import TcpProxy

from tests.chaos.crew import Slot, faketime
from tests.chaos.house import House
from tests.chaos.tally import Tally

HOUR = 3600
JUMPS = (-30 * HOUR, -2 * HOUR, -600, 600, 5 * HOUR, 30 * HOUR)
"""Seconds that a worker's clock jumps. Couriers give up after three days, by their own clock."""

KILLS = ("kill -9 of a worker", "kill -9 of all workers", "kill -9 of the server")
SHARES = (6, 1, 3)
GAP = (0.3, 1.5)
"""Seconds between two faults."""


class Chaos:
    """Breaks parts of the house, until it is told to stop; what it broke is then whole again."""

    failed: list[Exception]
    """Why faults could not be made, or mended: a run without them shows less than it says."""

    def __init__(
        self,
        house: House,
        tally: Tally,
        seed: int,
        kills: int,
        progress: Callable[[], float],
        first: Sequence[str] = (),
    ) -> None:
        """`progress` from 0 to 1: so many kills, and as many other faults, are spread over it, so
        that a slow machine has no more of them to bear than a fast one. Of the others these come
        `first`, as far as they are possible here."""
        self._house, self._tally, self._kills, self._progress = house, tally, kills, progress
        self._dice = Random(f"chaos/{seed}")  # noqa: S311
        self._healing: set[asyncio.Task[None]] = set()
        self._broken, self._first, self.failed = 0, list(first), []

    @property
    def kills(self) -> int:
        return sum(self._tally.faults[name] for name in KILLS)

    @asynccontextmanager
    async def reigns(self) -> AsyncIterator[None]:
        """Break things within the block. What fails here is in `failed`."""
        reign = asyncio.create_task(self._reign())
        try:
            yield
        finally:
            reign.cancel()
            ended, *_ = await asyncio.gather(reign, *self._healing, return_exceptions=True)
            self.failed += [ended] if isinstance(ended, Exception) else []

    async def _reign(self) -> None:
        others = self._others()
        while True:
            await asyncio.sleep(self._dice.uniform(*GAP))
            due = self._kills * self._progress()
            if self.kills < due:
                await asyncio.wait({self._heal(self._kill(self._next_kill()))})
            elif others and not self._healing and self._broken < due:
                name = self._next_other(others)
                self._broken += 1
                self._heal(others.pop(name)())
                others = others or self._others()

    def _next_kill(self) -> str:
        """One of each kind first, also in a short run."""
        missing = [name for name in KILLS if not self._tally.faults[name]]
        return missing[0] if missing else self._dice.choices(KILLS, SHARES)[0]

    def _next_other(self, others: Mapping[str, object]) -> str:
        while self._first:
            if (name := self._first.pop(0)) in others:
                return name
        return self._dice.choice(sorted(others))

    def _heal(self, broken: Awaitable[None]) -> asyncio.Task[None]:
        task = asyncio.ensure_future(broken)
        assert isinstance(task, asyncio.Task)
        self._healing.add(task)
        task.add_done_callback(self._healed)
        return task

    def _healed(self, task: asyncio.Task[None]) -> None:
        self._healing.discard(task)
        if not task.cancelled() and isinstance(error := task.exception(), Exception):
            self.failed.append(error)

    def _others(self) -> dict[str, Callable[[], Awaitable[None]]]:
        """Each once, before any of them again."""
        if not self._kills:
            return {}
        house = self._house
        found = {
            "cut": lambda: self._cut("connections to the server cut", house.proxy),
            "cut-world": lambda: self._cut(
                "connections to receivers cut", house.world.http, house.world.smtp
            ),
            "slow": lambda: self._slow("connections slow", house.proxy),
            "slow-world": lambda: self._slow("receivers slow", house.world.http),
            "silent": lambda: self._silent("connections silent", house.proxy),
            "silent-world": lambda: self._silent("receivers silent", house.world.http),
            "closed-world": self._closed,
            "store": self._break_store,
            "stop": self._suspend,
        }
        if faketime():
            found["jump"] = self._jump
        return found

    def _slot(self) -> Slot:
        return self._dice.choice(self._house.crew)

    async def _kill(self, name: str) -> None:
        match name:
            case "kill -9 of a worker":
                slot = self._slot()
                await slot.works()
                slot.kill()
            case "kill -9 of all workers":
                for slot in self._house.crew:
                    slot.kill()
            case _:
                await self._house.server.kill()
                await asyncio.sleep(self._dice.uniform(0, 1.5))
                await self._house.server.start()
        self._tally.faults[name] += 1

    async def _cut(self, name: str, *proxies: TcpProxy) -> None:
        for proxy in proxies:
            proxy.cut()
        self._tally.faults[name] += 1

    async def _slow(self, name: str, proxy: TcpProxy) -> None:
        self._tally.faults[name] += 1
        proxy.delay = self._dice.uniform(0.02, 0.2)
        try:
            await asyncio.sleep(self._dice.uniform(1, 3))
        finally:
            proxy.delay = 0

    async def _silent(self, name: str, proxy: TcpProxy) -> None:
        self._tally.faults[name] += 1
        proxy.silent = True
        try:
            await asyncio.sleep(self._dice.uniform(1, 4))
            proxy.cut()
        finally:
            proxy.silent = False

    async def _closed(self) -> None:
        self._tally.faults["receivers down"] += 1
        for proxy in (self._house.world.http, self._house.world.smtp):
            proxy.closed = True
            proxy.cut()
        try:
            await asyncio.sleep(self._dice.uniform(1, 4))
        finally:
            self._house.world.http.closed = self._house.world.smtp.closed = False

    async def _break_store(self) -> None:
        self._tally.faults[self._house.store.break_it] += 1
        await self._house.store.breaks(self._dice.uniform(1, 4))

    async def _suspend(self) -> None:
        slot = self._slot()
        self._tally.faults["workers suspended"] += slot.send(signal.SIGSTOP)
        try:
            await asyncio.sleep(self._dice.uniform(1, 8))
        finally:
            slot.send(signal.SIGCONT)

    async def _jump(self) -> None:
        slot = self._slot()
        self._tally.faults["clock jumps"] += 2
        slot.set_clock(self._dice.choice(JUMPS))
        try:
            await asyncio.sleep(self._dice.uniform(2, 8))
        finally:
            slot.set_clock(0)
