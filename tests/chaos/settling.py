"""After the storm: everything that is still on its way arrives, or is named."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

from temporalio.client import Client, WorkflowExecution

from phasegate.delivery import COURIER_SWEEP, MAIL, subscriber
from tests.chaos.house import House

LOOK = 1.0
LOOKS = 2
"""So often in a row nothing must be left: Temporal's list follows after about a second."""

KINDS = ("ProductLifecycle", "GateReview", "Sunset", "Courier", "MailCourier")


async def settled(house: House, client: Client, seconds: float) -> list[str]:
    """Sweep, as the schedule does every few minutes, until all is delivered and nothing runs.

    What is not, after so many seconds, in words.
    """
    end, left, still = time.monotonic() + seconds, ["nothing was looked at"], 0
    while still < LOOKS and time.monotonic() < end:
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
        still = 0 if left else still + 1
        await asyncio.sleep(LOOK)
    return left


async def running(client: Client) -> AsyncIterator[WorkflowExecution]:
    kinds = " OR ".join(f"WorkflowType = '{kind}'" for kind in KINDS)
    async for one in client.list_workflows(f"ExecutionStatus = 'Running' AND ({kinds})"):
        yield one


def _undelivered(house: House) -> list[str]:
    find = house.engines[0].ledger.deliveries.behind
    receivers = (subscriber("crm"), MAIL)
    return [f"{b.product} is not delivered to {r}" for r in receivers for b in find(r, "", 1000)]
