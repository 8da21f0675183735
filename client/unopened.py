"""Gates that have not opened, or are misspelt."""

from __future__ import annotations

from difflib import get_close_matches

from client.asking import query
from client.engine import Engine
from phasegate.ids import product_id
from phasegate.views import ProductView


async def never_opened(engine: Engine, key: str, gate: str) -> str:
    """Why there is no such gate. Raises EngineError where there is no such product."""
    # Only the pinned policy is wanted: how the workflow stands is not worth a second call.
    product = await query(engine.workflow(product_id(key)), "show", ProductView)
    names = [g.id for g in engine.ledger.documents.read_policy(product.policy_digest).gates()]
    if gate in names:
        return "it has not opened yet"
    meant = get_close_matches(gate, names, 1)
    return "its policy has no such gate; " + (
        f"did you mean {meant[0]}?" if meant else f"it has {', '.join(names)}"
    )
