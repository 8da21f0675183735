"""After the storm: everything that is still on its way arrives, or is named."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

from temporalio.client import Client, WorkflowExecution

from phasegate.delivery import COURIER_SWEEP, subscriber
from tests.chaos.house import House

LOOK = 1.0
KINDS = ("ProductLifecycle", "GateReview", "Sunset", "Courier", "MailCourier")


async def settled(house: House, client: Client, seconds: float) -> list[str]:
    """Sweep, as the schedule does every few minutes, until all is delivered and nothing runs.

    What is not, after so many seconds, in words.
    """
    end, left = time.monotonic() + seconds, ["nothing was looked at"]
    while left and time.monotonic() < end:
        sweep = await client.start_workflow(
            COURIER_SWEEP, id=f"sweep-{time.monotonic_ns()}", task_queue="phasegate"
        )
        try:
            await asyncio.wait_for(sweep.result(), max(1.0, end - time.monotonic()))
        except TimeoutError:
            left = ["the sweep does not end"]
            break
        left = [f"{one.id} still runs" async for one in running(client)]
        left += await asyncio.to_thread(_undelivered, house)
        if left:
            await asyncio.sleep(LOOK)
    return left


async def running(client: Client) -> AsyncIterator[WorkflowExecution]:
    kinds = " OR ".join(f"WorkflowType = '{kind}'" for kind in KINDS)
    async for one in client.list_workflows(f"ExecutionStatus = 'Running' AND ({kinds})"):
        yield one


def _undelivered(house: House) -> list[str]:
    find = house.engines[0].ledger.deliveries.behind
    return [f"{b.product} is not delivered" for b in find(subscriber("crm"), "", 1000)]
