"""Completion of keys and gates. A shell asks while somebody types, so silence beats an error."""

from __future__ import annotations

from typing import Any


def keys(context: Any) -> list[str]:
    """Products that have a record."""
    from client.settings import Settings
    from ledger import Ledger, LedgerError

    try:
        return list(Ledger(Settings.load().ledger_url).streams())
    except LedgerError:
        return []


def gates(context: Any) -> list[str]:
    """Products, and KEY/GATE of the gates that are open."""
    import asyncio

    from client.engine import Engine
    from client.gates import open_gates
    from phasegate.errors import PhasegateError

    async def running() -> list[str]:
        engine = await Engine.connect()
        return [f"{row.product}/{row.gate}" async for row in open_gates(engine)]

    try:
        return [*asyncio.run(running()), *keys(context)]
    except PhasegateError:
        return keys(context)
