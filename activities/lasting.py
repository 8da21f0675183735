"""Bringing to an end what was begun: a cancellation waits, and a busy ledger is asked again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import structlog

from activities.errors import ledger_errors
from ledger import LedgerError

PAUSES = (1.0, 2.0, 4.0)
"""Seconds between tries to write what is known: else it would have to be found out again."""

T = TypeVar("T")

log = structlog.get_logger(__name__)


async def undeterred(work: Coroutine[Any, Any, T], *, then_cancelled: bool = False) -> T:
    """Bring work to its end, also when the activity is cancelled meanwhile.

    With `then_cancelled` the cancellation takes place afterwards, else never.
    """
    running = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while True:
        try:
            done = await asyncio.shield(running)
        except asyncio.CancelledError as error:
            if running.cancelled():
                raise
            cancelled = error
            continue
        if cancelled and then_cancelled:
            raise cancelled
        if cancelled and (task := asyncio.current_task()):
            task.uncancel()
        return done


async def noted(write: Callable[..., T], *what: Any) -> T:
    """Write to the ledger, a few times if need be. Raises ApplicationError: ledger-unavailable."""
    for pause in PAUSES:
        try:
            return await asyncio.to_thread(write, *what)
        except LedgerError as error:
            log.warning("the ledger does not take a result yet", why=error.why)
        await asyncio.sleep(pause)
    with ledger_errors():
        return await asyncio.to_thread(write, *what)
