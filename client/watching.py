"""Following a product: its events as the ledger gets them, until it ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from temporalio.client import WorkflowExecutionStatus

from client.asking import described
from client.engine import Engine
from ledger import Entry
from phasegate.ids import product_id

PAUSE = 0.5
"""Seconds between two looks; a person watches."""

ENDED = {
    WorkflowExecutionStatus.COMPLETED,
    WorkflowExecutionStatus.FAILED,
    WorkflowExecutionStatus.CANCELED,
    WorkflowExecutionStatus.TERMINATED,
    WorkflowExecutionStatus.TIMED_OUT,
}


async def follow(engine: Engine, key: str, after: int = 0) -> AsyncIterator[Entry]:
    """Every event of a product after number `after`, then new ones as they come.

    Ends with the product. Raises EngineError where there is none, LedgerError where the ledger
    cannot be read.
    """
    handle = engine.workflow(product_id(key))
    while True:
        # Asked before the events are read: a product writes its last event before it ends.
        description = await described(handle)
        for entry in await asyncio.to_thread(engine.ledger.events, key, after):
            after = entry.seq
            yield entry
        if description.status in ENDED:
            return
        await asyncio.sleep(PAUSE)
