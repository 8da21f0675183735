"""Forecasts beside what commands show: without one, the rest is shown all the same."""

from __future__ import annotations

from collections.abc import Awaitable
from datetime import UTC, datetime

from client.engine import Engine
from client.forecasts import Forecaster
from commands.output import note
from ledger import ChainBroken, LedgerError
from phasegate.forecast_view import Forecast
from phasegate.views import ProductView


async def foreseen(engine: Engine, view: ProductView) -> Forecast | None:
    """The forecast as of now; None, and a note on stderr, where the ledger cannot be read."""
    try:
        return await Forecaster(engine, datetime.now(UTC)).foresee(view)
    except (LedgerError, ChainBroken) as error:
        note(f"no forecast: {error.what}; {error.why}")
        return None


class Foreseer:
    """Looks at a product again and again: only what changes in it makes another forecast, since
    the day moves on with every look."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._last: ProductView | None = None

    async def look(self, shown: Awaitable[ProductView]) -> ProductView:
        view = await shown
        last = self._last.model_copy(update={"forecast": None}) if self._last else None
        if self._last is None or view != last:
            found = await foreseen(self._engine, view)
            self._last = view.model_copy(update={"forecast": found})
        return self._last
