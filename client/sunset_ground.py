"""What a plan for a sunset is laid out on: product, policy, and what the public was told."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime

from client import products, sunsets
from client.documents import find_policy, find_product
from client.engine import Engine
from client.sunset_facts import DEFINING
from client.usage import UsageError
from ledger import Ledger
from phasegate.adjusting import Adjustments
from phasegate.directory import Directory
from phasegate.errors import EngineError, Rejected
from phasegate.policy import Policy
from phasegate.product import Product
from phasegate.sunset import SunsetPlan
from phasegate.sunset_layout import Layout, lay_out
from phasegate.sunset_views import SunsetView
from phasegate.views import ProductView
from phasegate.way_out import gate_out


@dataclass(frozen=True)
class Ground:
    """What a plan is laid out on. `before` is what the public was told, of a sunset that runs."""

    product: Product
    policy: Policy
    plan: SunsetPlan
    adjustments: Adjustments
    directory: Directory | None = None
    number: int = 1
    decided_by: str = ""
    contracts_until: datetime | None = None
    before: Layout | None = None


async def ground_of(engine: Engine, key: str, now: datetime) -> Ground:
    """What a running product's plan is laid out on. Raises EngineError where it has no sunset to
    plan, LedgerError, and DocumentUnknown where the ledger lacks its policy."""
    view = await products.show(engine, key)
    sunset = await sunsets.show(engine, key) if view.status == "sunsetting" else None
    return await asyncio.to_thread(_ground, engine.ledger, view, sunset, now)


def _ground(ledger: Ledger, view: ProductView, sunset: SunsetView | None, now: datetime) -> Ground:
    if view.ended_at is not None:
        raise EngineError(
            f"the sunset of {view.key} cannot be planned",
            f"it is {view.status}",
            f"phasegate product show {view.key}",
        )
    policy = ledger.documents.read_policy(view.policy_digest)
    plan = _plan_of(policy, view.key)
    told = ledger.events(view.key, types=DEFINING)
    defined = [e.announcement.data["product"] for e in told if "product" in e.announcement.data]
    if not defined:
        raise EngineError(
            f"the sunset of {view.key} cannot be planned",
            "its definition is not in this ledger, or not yet",
            f"phasegate events list {view.key}  # then ask again",
        )
    product = Product.model_validate(defined[-1])
    number = sunset.number if sunset else view.sunsets + 1
    current = ledger.documents.current("directory", view.directory)
    adjustments = sunset.adjustments if sunset else view.adjustments or Adjustments()
    return Ground(
        product=product.model_copy(update={"owner": view.owner}),
        policy=policy,
        plan=plan,
        adjustments=adjustments,
        directory=ledger.documents.read_directory(current.digest) if current else None,
        number=number,
        decided_by="" if sunset else _decided_by(policy, view),
        contracts_until=ledger.customers.summary(view.key, number).contracts_until,
        before=_public(plan, product, sunset) if sunset else None,
    )


def ground_from(key: str, product_file: str, policy: str | None, ledger: Ledger) -> Ground:
    """What the plan of a product that does not run would be laid out on."""
    product = find_product(product_file).model
    if product.key != key:
        raise UsageError(
            f"{product_file} is not the definition of {key}",
            f"it defines {product.key}",
            f"phasegate sunset plan {product.key} --product {product_file}",
        )
    name = policy or product.policy
    if name is None:
        raise UsageError(
            f"{product_file} names no policy",
            "and --policy names none either",
            f"phasegate sunset plan {key} --product {product_file} --policy standard",
        )
    rules = find_policy(name, ledger).model
    last = next((phase for phase in reversed(rules.phases) if phase.in_market), None)
    return Ground(
        product=product,
        policy=rules,
        plan=_plan_of(rules, key),
        adjustments=Adjustments(),
        decided_by=last.gate.id if last and last.gate else "",
    )


def _plan_of(policy: Policy, key: str) -> SunsetPlan:
    if policy.sunset is None:
        raise EngineError(
            f"{key} has no sunset to plan",
            f"its policy {policy.policy} plans none",
            f"phasegate policy show {policy.policy}",
        )
    return policy.sunset


def _decided_by(policy: Policy, view: ProductView) -> str:
    try:
        return gate_out(policy, view)
    except Rejected:  # it is in an earlier phase: the last phase's gate decides, once it is there
        last = next((phase for phase in reversed(policy.phases) if phase.in_market), None)
        return last.gate.id if last and last.gate else ""


def _public(plan: SunsetPlan, product: Product, sunset: SunsetView) -> Layout:
    """The sunset as it runs: the plan with the days that its tasks have now."""
    layout = lay_out(
        plan,
        sunset.adjustments,
        maturity=product.maturity,
        now=sunset.notice_at,
        notice=sunset.notice_at,
    )
    at = {task.id: task.at for task in sunset.tasks}
    tasks = [
        placed.model_copy(update={"at": at.get(placed.task.id, placed.at)})
        for placed in layout.tasks
    ]
    return layout.model_copy(update={"tasks": tasks})
