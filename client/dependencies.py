"""Refusing dependencies between products that could never be met, before anything starts."""

from __future__ import annotations

from contextlib import suppress

from temporalio.service import RPCError

from client.engine import Engine
from ledger import Ledger
from phasegate.check import ProductCheck
from phasegate.dependencies import Plan, circle, plan_of, unknown
from phasegate.errors import EngineError
from phasegate.ids import product_id
from phasegate.lifecycle import Lifecycle
from phasegate.policy import Policy
from phasegate.product import Product

MIGRATED = "product.migrated"


async def require_possible(
    ledger: Ledger, product: Product, policy: Policy, engine: Engine | None = None
) -> None:
    """Raise EngineError where milestones would wait for each other in a circle, or for what another
    product does not have. A product that is not started yet may come later.

    With an engine, also products count that have just been started and are not in the ledger yet.
    """
    plans = await _plans(ledger, product, policy, engine)
    hint = f"phasegate milestone list {product.key}  # then mend `check` of that milestone"
    for waiting, target, there in unknown(plans, product.key):
        raise EngineError(
            f"{waiting} would wait for ever",
            f"it waits for {target}, and {target.product} has: {', '.join(there)}",
            hint,
        )
    if found := circle(plans, product.key):
        way = " → ".join(map(str, found))
        raise EngineError(
            f"{product.key} would wait for itself", f"its milestones wait in a circle: {way}", hint
        )


async def require_still_possible(engine: Engine, product: Product) -> None:
    """The same for a new definition of a product that runs."""
    if not any(isinstance(milestone.check, ProductCheck) for milestone in product.milestones):
        return  # whatever its policy asks was judged when it started
    if policy := await _policy_of(engine.ledger, product.key, engine):
        await require_possible(engine.ledger, product, policy, engine)


async def _policy_of(ledger: Ledger, key: str, engine: Engine | None) -> Policy | None:
    """The policy that a product is under; None where it was not started."""
    said = [e.announcement.data for e in ledger.events(key, types=("product.started", MIGRATED))]
    if digests := [data["policy_digest"] for data in said if "policy_digest" in data]:
        return ledger.documents.read_policy(digests[-1])
    if engine is None:
        return None
    # Started and not announced yet: its history begins with what it was started with.
    with suppress(RPCError):
        async for event in engine.workflow(product_id(key)).fetch_history_events(page_size=1):
            payloads = event.workflow_execution_started_event_attributes.input.payloads
            (state,) = await engine.client.data_converter.decode(payloads, [Lifecycle])
            return ledger.documents.read_policy(state.policy.digest)
    return None


async def _plans(
    ledger: Ledger, product: Product, policy: Policy, engine: Engine | None
) -> dict[str, Plan]:
    """The plans of a product and of all that it waits for, directly or not."""
    plans = {product.key: plan_of(product, policy)}
    todo = list(plans[product.key].others())
    while todo:
        key = todo.pop()
        current = ledger.documents.current("product", key)
        if key in plans or current is None:
            continue
        if other_policy := await _policy_of(ledger, key, engine):
            plans[key] = plan_of(ledger.documents.read_product(current.digest), other_policy)
            todo += plans[key].others()
    return plans
