"""Played anew, a path orders what its golden history does: also what is behind `workflow.patched`,
which takes its new way here and its old one in a replay."""

import goldens
from fingerprint import difference, fingerprint
from lives import killed_life
from stage import Stage

from client.engine import Engine
from phasegate.ids import gate_id, product_id


async def test_the_shortest_life_orders_what_it_did(engine: Engine) -> None:
    stage = Stage(engine, "killed-anew")
    await killed_life(stage)
    gate = engine.workflow(gate_id(stage.key, "launch"))
    product = engine.workflow(product_id(stage.key))
    for handle, name in ((product, "product-killed-1"), (gate, "product-killed-gate-launch-1")):
        await handle.result()
        now = await fingerprint(await handle.fetch_history())
        then = await fingerprint(goldens.read(goldens.NEXT / f"{name}.json"))
        assert difference(name, "\n".join(then.gist()), "\n".join(now.gist())) == ""
