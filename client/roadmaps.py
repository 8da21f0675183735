"""Gathering a roadmap: many products, read side by side and with a bound."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from client import products
from client.engine import Engine
from client.forecasts import Forecaster
from client.remembered import remembered
from ledger import DocumentUnknown
from phasegate.errors import EngineError, NotRunning
from phasegate.roadmap import Missing, Roadmap, RoadmapProduct, roadmap_of
from phasegate.views import ProductView

AT_ONCE = 16
"""Products that are asked at the same time."""

SILENT = 3
"""So many without an answer, and none with one, and the rest is not waited for."""

Progress = Callable[[int, int], None]
"""Told how many products are read, and of how many."""


@dataclass(frozen=True)
class Wanted:
    """Which products: these keys, or all that fit. Without `everything`, running ones."""

    keys: Sequence[str] = ()
    status: str | None = None
    owner: str | None = None
    policy: str | None = None
    everything: bool = False


async def gather(
    engine: Engine,
    wanted: Wanted,
    now: datetime,
    progress: Progress = lambda done, total: None,
) -> Roadmap:
    """The roadmap as of `now`. What cannot be read is named in `missing`.

    Raises EngineError where nobody answers at all, NotRunning for a key that neither Temporal nor
    the ledger knows, LedgerError where the ledger cannot be read.
    """
    keys = list(dict.fromkeys(wanted.keys)) or await _listed(engine, wanted)
    reader = _Reader(engine, Forecaster(engine, now), progress, len(keys), bool(wanted.keys))
    progress(0, len(keys))
    found = [one for one in await _bounded(reader, keys) if one is not None]
    return roadmap_of(now, found, reader.missing)


async def _listed(engine: Engine, wanted: Wanted) -> list[str]:
    listing = products.listing(
        engine,
        status=wanted.status,
        owner=wanted.owner,
        policy=wanted.policy,
        everything=wanted.everything,
        limit=None,
    )
    keys = [row.key async for row in listing]
    narrowed = wanted.status or wanted.owner or wanted.policy
    if wanted.everything and not narrowed:  # Temporal forgets the oldest, the ledger nobody
        keys += await asyncio.to_thread(lambda: list(engine.ledger.streams()))
    return list(dict.fromkeys(keys))


async def _bounded(reader: _Reader, keys: Iterable[str]) -> list[RoadmapProduct | None]:
    limit = asyncio.Semaphore(AT_ONCE)

    async def one(key: str) -> RoadmapProduct | None:
        async with limit:
            return await reader.read(key)

    tasks = [asyncio.create_task(one(key)) for key in keys]
    try:
        return await asyncio.gather(*tasks)
    except BaseException:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        raise


class _Reader:
    """Reads one product after the other, and counts."""

    def __init__(
        self, engine: Engine, forecaster: Forecaster, progress: Progress, total: int, named: bool
    ) -> None:
        self.engine = engine
        self.forecaster = forecaster
        self.progress = progress
        self.total = total
        self.named = named
        self.done = 0
        self.answered = 0
        self.missing: list[Missing] = []

    async def read(self, key: str) -> RoadmapProduct | None:
        """A product with its forecast; None, and named as missing, if it cannot be read."""
        try:
            view = await self._view(key)
            found = await self._with_forecast(view) if view else None
            self.answered += 1
            return found
        except (EngineError, DocumentUnknown) as error:
            hopeless = self.answered == 0 and len(self.missing) + 1 >= min(SILENT, self.total)
            if hopeless or (self.named and isinstance(error, NotRunning)):
                raise
            self.missing.append(Missing(key=key, why=f"{error.what}: {error.why}"))
            return None
        finally:
            self.done += 1
            self.progress(self.done, self.total)

    async def _view(self, key: str) -> ProductView | None:
        try:
            return await products.show(self.engine, key)
        except NotRunning:
            kept = await asyncio.to_thread(remembered, self.engine, key)
            if kept is None and self.named:
                raise
            return kept

    async def _with_forecast(self, view: ProductView) -> RoadmapProduct:
        return RoadmapProduct(
            key=view.key,
            name=view.name,
            owner=view.owner,
            policy=view.policy,
            tier=view.tier,
            status=view.status,
            phase=view.phase,
            gate=view.gate,
            waiting_for=view.waiting_for,
            started_at=view.started_at,
            ended_at=view.ended_at,
            ui_url=view.ui_url,
            forecast=await self.forecaster.foresee(view),
        )
