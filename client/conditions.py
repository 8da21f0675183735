"""The conditions of a product, and those that its open gate has yet to decide on."""

from __future__ import annotations

from client import gates, products
from client.engine import Engine
from phasegate.views import ProductView


async def show(engine: Engine, key: str) -> ProductView:
    """The product, with the promises made at its open gate among its conditions."""
    view = await products.show(engine, key)
    if view.gate is None:
        return view
    sitting = await gates.live(engine, key, view.gate)
    known = {condition.id for condition in view.conditions}
    # A round that has just passed is ahead of its product, which will know them in a moment.
    if sitting is None or sitting.outcome not in (None, "conditional-go"):
        return view
    for condition in sitting.conditions:
        if condition.id not in known:
            condition.gate = sitting.gate
            condition.state = "open" if sitting.outcome else "promised"
            view.conditions.append(condition)
    return view
