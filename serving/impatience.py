"""Connections on which no request comes are closed: whoever holds them holds places of others."""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.h11_impl import H11Protocol

WITHIN = 10.0
"""Seconds in which the head of a request must have come, from when it could begin."""


class Impatient(H11Protocol):
    """uvicorn's own protocol, which bounds the time between two requests, but that of no head."""

    _ending: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._expect()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._expect()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._ending:
            self._ending.cancel()
        super().connection_lost(exc)

    def _expect(self) -> None:
        if self._ending:
            self._ending.cancel()
        self._ending = self.loop.call_later(WITHIN, self._late)

    def _late(self) -> None:
        if self.cycle is None or self.cycle.response_complete:
            self.transport.close()
