"""Gates that have not opened, or are misspelt."""

from __future__ import annotations

from difflib import get_close_matches

from client.engine import Engine
from client.products import show as show_product


async def never_opened(engine: Engine, key: str, gate: str) -> str:
    """Why there is no such gate. Raises EngineError where there is no such product."""
    product = await show_product(engine, key)
    names = [g.id for g in engine.ledger.documents.read_policy(product.policy_digest).gates()]
    if gate in names:
        return "it has not opened yet"
    meant = get_close_matches(gate, names, 1)
    return "its policy has no such gate; " + (
        f"did you mean {meant[0]}?" if meant else f"it has {', '.join(names)}"
    )
