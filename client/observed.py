"""A running worker as others see it: what it reports of the portfolio, and whether it is ready."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from importlib.metadata import version

from temporalio.client import Client
from temporalio.service import RPCError

from client.gauges import Gauges, Portfolio, every
from client.runtime import core_runtime
from client.standing import Standing
from client.versioning import Build
from client.workers import Workers
from ledger import Ledger
from phasegate.measures import BUILD, Measure

ANSWER = timedelta(seconds=2)

Own = Mapping[Measure, Callable[[], float]]


def watch(
    standing: Standing, client: Client, ledger: Ledger, workers: Workers, *, acts_only: bool = False
) -> None:
    """Be ready when Temporal answers, the worker polls and the ledger can be read: where it does
    nothing but acts, their intents, since its role may see no more."""

    async def temporal() -> str:
        try:
            answers = await client.service_client.check_health(timeout=ANSWER, retry=False)
        except RPCError as error:
            return error.message or "no answer"
        return "" if answers else "it is up, and not serving"

    async def polling() -> str:
        return "" if workers.polling else "it does not poll"

    async def reading() -> str:
        # One look by key; its error says what is wrong.
        await asyncio.to_thread(ledger.intents.find if acts_only else ledger.head, "")
        return ""

    standing.watch({"temporal": temporal, "polling": polling, "ledger": reading})


@asynccontextmanager
async def reporting(
    client: Client, ledger: Ledger | None, own: Own, build: Build | None, part: str
) -> AsyncIterator[None]:
    """Report the gauges of the portfolio within the block; without a ledger, those of Temporal.
    Raises UsageError for a setting."""
    pause = every()
    meter = core_runtime().metric_meter.with_additional_attributes({"namespace": client.namespace})
    gauges = Gauges(meter)
    gauges.note(
        BUILD,
        version=version("phasegate"),
        deployment=build.deployment if build else "",
        build_id=build.build_id if build else "",
        part=part,
    )
    task = asyncio.create_task(Portfolio(client, ledger, gauges, own).report(pause))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
