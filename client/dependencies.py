"""Refusing dependencies between products that could never be met, before anything starts."""

from __future__ import annotations

from ledger import Ledger
from phasegate.check import ProductCheck
from phasegate.dependencies import Plan, circle, plan_of, unknown
from phasegate.errors import EngineError
from phasegate.policy import Policy
from phasegate.product import Product


def require_possible(ledger: Ledger, product: Product, policy: Policy) -> None:
    """Raise EngineError where milestones would wait for each other in a circle, or for what another
    product does not have. A product that is not started yet may come later."""
    plans = _plans(ledger, product, policy)
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


def require_still_possible(ledger: Ledger, product: Product) -> None:
    """The same for a new definition of a product that runs."""
    if not any(isinstance(milestone.check, ProductCheck) for milestone in product.milestones):
        return  # whatever its policy asks was judged when it started
    if policy := _policy_of(ledger, product.key):
        require_possible(ledger, product, policy)


def _policy_of(ledger: Ledger, key: str) -> Policy | None:
    """The policy that a product started with; None where it has not."""
    started = ledger.events(key, types=("product.started",))
    if not started:
        return None
    return ledger.documents.read_policy(started[-1].announcement.data["policy_digest"])


def _plans(ledger: Ledger, product: Product, policy: Policy) -> dict[str, Plan]:
    """The plans of a product and of all that it waits for, directly or not."""
    plans = {product.key: plan_of(product, policy)}
    todo = list(plans[product.key].others())
    while todo:
        key = todo.pop()
        if key in plans:
            continue
        current, other_policy = ledger.documents.current("product", key), _policy_of(ledger, key)
        if current is None or other_policy is None:
            continue
        plans[key] = plan_of(ledger.documents.read_product(current.digest), other_policy)
        todo += plans[key].others()
    return plans
