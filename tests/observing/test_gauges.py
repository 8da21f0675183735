"""Gauges of the portfolio: what nobody can tell now is not what it was."""

from __future__ import annotations

import asyncio
import math
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest
from temporalio.client import Client
from temporalio.runtime import MetricBuffer, Runtime, TelemetryConfig

from client import gauges
from client.gauges import Gauges, Portfolio, every
from client.usage import UsageError
from ledger import Ledger
from phasegate.measures import ASKED, ENTRIES, GATES, OUTBOX_AGE

Shown = dict[tuple[str, str], float]


class Seen:
    """The SDK's own metrics, read instead of served."""

    def __init__(self) -> None:
        self.buffer = MetricBuffer(1000)
        self.runtime = Runtime(telemetry=TelemetryConfig(metrics=self.buffer))
        self.gauges = Gauges(self.runtime.metric_meter)
        self.last: Shown = {}

    def now(self) -> Shown:
        for update in self.buffer.retrieve_updates():
            label = next((v for k, v in update.attributes.items() if k != "service_name"), "")
            self.last[update.metric.name, str(label)] = update.value
        return self.last


def test_what_is_gone_is_zero_and_what_nobody_knows_is_no_number() -> None:
    seen = Seen()
    seen.gauges.show(GATES, {"open": 2, "on-hold": 1})
    seen.gauges.show(GATES, {"open": 3})
    seen.gauges.show(OUTBOX_AGE, 4.5)
    assert seen.now() == {
        (GATES.name, "open"): 3,
        (GATES.name, "on-hold"): 0,
        (OUTBOX_AGE.name, ""): 4.5,
    }
    seen.gauges.unknown(GATES)
    assert {name for name, value in seen.now().items() if math.isnan(value)} == {
        (GATES.name, "open"),
        (GATES.name, "on-hold"),
    }


def test_how_often_it_is_asked() -> None:
    assert every({}) == timedelta(seconds=30)
    assert every({"PHASEGATE_METRICS_EVERY": "5 minutes"}) == timedelta(minutes=5)
    for wrong in ("often", "0 seconds", "6 minutes"):
        with pytest.raises(UsageError, match="PHASEGATE_METRICS_EVERY cannot be used"):
            every({"PHASEGATE_METRICS_EVERY": wrong})


async def test_without_a_server_the_ledger_is_told_of_and_the_rest_unknown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gauges, "SLOW", timedelta(seconds=0.2))
    seen, ledger = Seen(), Ledger(f"sqlite:///{tmp_path / 'ledger.db'}")
    seen.gauges.show(GATES, {"open": 2})
    away = await Client.connect("127.0.0.1:1", lazy=True, runtime=seen.runtime)
    reporting = asyncio.create_task(
        Portfolio(away, ledger, seen.gauges, {OUTBOX_AGE: lambda: 7.0}).report(
            timedelta(seconds=30)
        )
    )
    async with asyncio.timeout(60):
        while not seen.now().get((ASKED.name, "ledger")):  # noqa: ASYNC110  # it tells nobody
            await asyncio.sleep(0.05)
    reporting.cancel()
    with suppress(asyncio.CancelledError):
        await reporting
    ledger.close()
    assert math.isnan(seen.last[GATES.name, "open"])
    assert seen.last[ENTRIES.name, ""] == 0
    assert seen.last[OUTBOX_AGE.name, ""] == 7.0
    assert seen.last[ASKED.name, "temporal"] == 0, "the alert compares with it"


async def test_no_fault_of_one_look_ends_all_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen, ledger = Seen(), Ledger(f"sqlite:///{tmp_path / 'ledger.db'}")
    away = await Client.connect("127.0.0.1:1", lazy=True, runtime=seen.runtime)
    looks = 0

    def broken(*args: object) -> None:
        nonlocal looks
        looks += 1
        raise ValueError("a row that nobody thought of")

    monkeypatch.setattr(gauges, "read_figures", broken)
    monkeypatch.setattr(gauges, "SHARE", 0)
    portfolio = Portfolio(away, ledger, seen.gauges, {})

    async def count(query: str) -> float:
        return 1.0

    monkeypatch.setattr(portfolio, "_count", count)
    reporting = asyncio.create_task(portfolio.report(timedelta(milliseconds=1)))
    async with asyncio.timeout(60):
        while looks < 3:
            assert not reporting.done()
            await asyncio.sleep(0.01)
    reporting.cancel()
    with suppress(asyncio.CancelledError):
        await reporting
    ledger.close()
    assert seen.now()[GATES.name, "open"] == 1
    assert seen.last[ASKED.name, "ledger"] == 0
