"""The gauges of the portfolio: asked by a worker in the background, in a few counts.

Every worker that serves metrics reports the same figures, so that queries take the `max`. What
cannot be asked now is not a number (NaN) rather than what it was, and there is a gauge of when it
last could be.
"""

from __future__ import annotations

import asyncio
import math
import os
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial

import structlog
from temporalio.client import Client
from temporalio.common import MetricMeter

from client.usage import UsageError
from ledger import Ledger, LedgerError
from ledger.figures import read_figures
from phasegate import measures
from phasegate.delivery import impersonal
from phasegate.measures import Measure
from phasegate.span import Span

EVERY = timedelta(seconds=30)
"""Between two looks, unless PHASEGATE_METRICS_EVERY says otherwise."""

SHARE = 20
"""A look that takes long is taken so many times more rarely: for 5 % of the time."""

LONGEST = timedelta(minutes=5)
"""Between two looks. PhasegatePortfolioUnknown says a minute later that nobody asks."""

SLOW = timedelta(seconds=5)
"""For one count by Temporal's visibility."""

UNPROVEN = timedelta(minutes=10)
"""An act that began so long ago and has no end hangs, or its worker died."""

RUNNING = "ExecutionStatus = 'Running'"
OPEN = f"WorkflowType = 'GateReview' AND {RUNNING}"
PRODUCTS = f"WorkflowType = 'ProductLifecycle' AND {RUNNING}"

BY_TEMPORAL = (
    *(measures.GATES, measures.GATES_OVERDUE, measures.SUNSETS),
    *(measures.PRODUCTS, measures.PRODUCTS_OVERDUE),
)
BY_LEDGER = (
    *(measures.ENTRIES, measures.COURIERS_FAILING, measures.DELIVERY_DELAY),
    *(measures.DEAD_LETTERS, measures.ACTS_OPEN),
)

log = structlog.get_logger(__name__)


def every(env: Mapping[str, str] = os.environ) -> timedelta:
    """PHASEGATE_METRICS_EVERY, a span, else 30 seconds. Raises UsageError."""
    text = env.get("PHASEGATE_METRICS_EVERY")
    if not text:
        return EVERY
    try:
        span = Span.parse(text).approximate
    except ValueError as error:
        why = str(error)
    else:
        if timedelta(0) < span <= LONGEST:
            return span
        longest = LONGEST.total_seconds() / 60
        why = f"{text} is not ahead, or longer than {longest:.0f} minutes"
    hint = "export PHASEGATE_METRICS_EVERY='30 seconds'"
    raise UsageError("PHASEGATE_METRICS_EVERY cannot be used", why, hint)


class Gauges:
    """Sets gauges, and takes back those whose label is no longer reported."""

    def __init__(self, meter: MetricMeter) -> None:
        self._meter = meter
        self._shown: dict[str, set[tuple[tuple[str, str], ...]]] = {}

    def show(self, measure: Measure, figures: Mapping[str, float] | float) -> None:
        """One figure, or one for each value of the measure's label. What is gone is 0."""
        found = figures if isinstance(figures, Mapping) else {"": figures}
        now = {self._labels(measure, name): number for name, number in found.items()}
        for labels in self._shown.setdefault(measure.name, set()) - now.keys():
            self._set(measure, labels, 0.0)
        for labels, number in now.items():
            self._shown[measure.name].add(labels)
            self._set(measure, labels, number)

    def unknown(self, *gauges: Measure) -> None:
        """Nobody knows these now."""
        for measure in gauges:
            for labels in self._shown.get(measure.name, ()):
                self._set(measure, labels, math.nan)

    def note(self, measure: Measure, **labels: str) -> None:
        """That something is so, as labels of a 1."""
        self._set(measure, tuple(labels.items()), 1.0)

    @staticmethod
    def _labels(measure: Measure, value: str) -> tuple[tuple[str, str], ...]:
        return ((measure.labels[0], value),) if measure.labels else ()

    def _set(self, measure: Measure, labels: tuple[tuple[str, str], ...], number: float) -> None:
        gauge = self._meter.create_gauge_float(measure.name, measure.meaning)
        gauge.set(number, dict(labels))


class Portfolio:
    """What is asked, of whom, and what is said where nobody answers."""

    def __init__(
        self,
        client: Client,
        ledger: Ledger | None,
        gauges: Gauges,
        own: Mapping[Measure, Callable[[], float]],
    ) -> None:
        """`own` are gauges that this process knows by itself. Without a ledger it is not asked."""
        self._client, self._ledger, self._gauges, self._own = client, ledger, gauges, own
        asked = ("temporal", "ledger") if ledger else ("temporal",)
        self._last = dict.fromkeys(asked, 0.0)

    async def report(self, pause: timedelta) -> None:
        """Until it is cancelled, with a pause at least so long between two looks."""
        # Also of what never answers: whoever only starts while it is away says so.
        self._gauges.show(measures.ASKED, self._last)
        while True:
            begun = time.monotonic()
            for measure, figure in self._own.items():
                self._gauges.show(measure, figure())
            await self._asked("temporal", self._by_temporal, BY_TEMPORAL)
            if self._ledger:
                await self._asked("ledger", partial(self._by_ledger, self._ledger), BY_LEDGER)
            rarely = min(SHARE * (time.monotonic() - begun), LONGEST.total_seconds())
            await asyncio.sleep(max(pause.total_seconds(), rarely))

    async def _asked(
        self, of: str, look: Callable[[], Awaitable[None]], gauges: Sequence[Measure]
    ) -> None:
        """Whatever goes wrong: a figure that nobody asks for any more would look like one."""
        try:
            await look()
        except Exception as error:
            why = error.why if isinstance(error, LedgerError) else str(error)
            kind = type(error).__name__
            log.warning("the portfolio's gauges are unknown", of=of, why=why[:300], error=kind)
            self._gauges.unknown(*gauges)
        else:
            self._last[of] = time.time()
            self._gauges.show(measures.ASKED, self._last)

    async def _by_temporal(self) -> None:
        now = datetime.now(UTC).isoformat()
        gates = await self._by_status(OPEN, "open", "waiting-on-owner", "on-hold")
        late = await self._count(f"{OPEN} AND PhasegateStatus = 'open' AND PhasegateDue < '{now}'")
        products = await self._by_status(PRODUCTS, "active", "on-hold", "sunsetting")
        due = await self._count(
            f"{PRODUCTS} AND PhasegateStatus != 'on-hold' AND PhasegateDue < '{now}'"
        )
        sunsets = await self._count(f"WorkflowType = 'Sunset' AND {RUNNING}")
        show = self._gauges.show
        show(measures.GATES, gates)
        show(measures.GATES_OVERDUE, late)
        show(measures.PRODUCTS, products)
        show(measures.PRODUCTS_OVERDUE, due)
        show(measures.SUNSETS, sunsets)

    async def _by_ledger(self, ledger: Ledger) -> None:
        now = datetime.now(UTC)
        found = await asyncio.to_thread(read_figures, ledger.database, now - UNPROVEN)
        show, none = self._gauges.show, {impersonal(name): 0.0 for name in found.receivers}
        show(measures.ENTRIES, found.entries)
        show(measures.COURIERS_FAILING, none | _summed(found.failing))
        delays: dict[str, float] = {}
        for receiver, since in found.since.items():
            delay, name = (now - since).total_seconds(), impersonal(receiver)
            delays[name] = max(delay, delays.get(name, 0.0))
        show(measures.DELIVERY_DELAY, none | delays)
        show(measures.DEAD_LETTERS, none | _summed(found.dead))
        show(measures.ACTS_OPEN, {"begun": 0.0, "unknown": 0.0, **found.acts})

    async def _by_status(self, query: str, *statuses: str) -> dict[str, float]:
        return {
            status: await self._count(f"{query} AND PhasegateStatus = '{status}'")
            for status in statuses
        }

    async def _count(self, query: str) -> float:
        found = await self._client.count_workflows(query, rpc_timeout=SLOW)
        return float(found.count)


def _summed(by_receiver: Mapping[str, int]) -> dict[str, float]:
    found: dict[str, float] = {}
    for receiver, number in by_receiver.items():
        found[impersonal(receiver)] = found.get(impersonal(receiver), 0.0) + number
    return found
