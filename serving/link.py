"""The connection to Temporal, made when it is first needed: a server without it can say so."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import structlog
from temporalio.client import Client
from temporalio.service import RPCError

from client.connection import connect
from client.settings import Settings
from phasegate.errors import EngineError

HEALTH = timedelta(seconds=2)

FRESH = 1.0
"""Seconds for which one look at Temporal answers all who ask."""

log = structlog.get_logger("serving")


class Link:
    """One client for all requests. Once made, it finds the server again by itself."""

    leaving = False
    """Set when the server is asked to stop, before it stops listening."""

    def __init__(self) -> None:
        self._attempt: asyncio.Task[Client] | None = None
        self._look: asyncio.Task[bool] | None = None
        self._looked, self._why = 0.0, ""

    async def client(self) -> Client:
        """Raises EngineError when no server answers. Who asks meanwhile shares the attempt."""
        attempt = self._attempt
        if attempt is None or (attempt.done() and _failed(attempt)):
            attempt = self._attempt = asyncio.create_task(connect(to=Settings.load().task_queue))
        return await asyncio.shield(attempt)  # somebody's patience may end before it does

    async def ready(self) -> bool:
        """Whether Temporal answers, as of a second ago. The log has why not, once."""
        now = asyncio.get_running_loop().time()
        if self._look is None or (self._look.done() and now - self._looked >= FRESH):
            self._looked, self._look = now, asyncio.create_task(self._ready())
        return await asyncio.shield(self._look)

    async def _ready(self) -> bool:
        why = ""
        try:
            await self.check()
        except EngineError as error:
            why = error.why
            if why != self._why:
                log.warning("not ready", error=error.what, reason=why, hint=error.hint)
        if self._why and not why:
            log.info("ready again")
        self._why = why
        return not why

    async def check(self) -> None:
        """Raises EngineError unless Temporal answers now."""
        client = await self.client()
        try:
            if await client.service_client.check_health(timeout=HEALTH, retry=False):
                return
            why = "it is up, and not serving"
        except RPCError as error:
            why = error.message
        raise EngineError("Temporal gives no answer", why, "phasegate doctor")


def _failed(attempt: asyncio.Task[Client]) -> bool:
    return attempt.cancelled() or attempt.exception() is not None
