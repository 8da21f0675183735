"""A product's sunset as it would be: laid out here, from its policy, its customers and a file.

The engine lays it out again when it takes the plan; here the owner sees it first, and what is
wrong with a file is said with its lines.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime

from pydantic import TypeAdapter, ValidationError

from client import products, sunsets
from client.documents import find_policy, find_product, read_text
from client.engine import Engine
from client.plan import voters_of
from client.sunset_facts import DEFINING
from client.usage import UsageError
from ledger import Ledger
from phasegate.adjusting import Adjustments
from phasegate.base import Beginning, digest_of
from phasegate.directory import Directory
from phasegate.errors import EngineError, Rejected
from phasegate.plan_view import (
    PlanView,
    dates_of,
    owed,
    planned_gates,
    planned_tasks,
    problems_of,
)
from phasegate.policy import Policy
from phasegate.problems import DocumentError
from phasegate.product import Product
from phasegate.reading import Parsed, parse
from phasegate.sunset import SunsetPlan
from phasegate.sunset_flaws import Flaw, raise_first
from phasegate.sunset_layout import Layout, lay_out
from phasegate.sunset_rules import problems
from phasegate.views import ProductView, SunsetView
from phasegate.way_out import gate_out

_NOTICE: TypeAdapter[datetime] = TypeAdapter(Beginning)


@dataclass(frozen=True)
class Wanted:
    """What an owner asks for: `parsed` is the file, where one was given."""

    adjustments: Adjustments
    parsed: Parsed[Adjustments] | None = None


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


def read_adjustments(file: str) -> Parsed[Adjustments]:
    """A product's adjustments from their file. Raises UsageError and DocumentError."""
    return parse(Adjustments, read_text(file), file)


def wanted(ground: Ground, file: str | None, notice: str | None) -> Wanted:
    """What the owner asks for: the file, or else what is recorded, with that notice."""
    parsed = read_adjustments(file) if file else None
    adjustments = parsed.model if parsed else ground.adjustments
    if notice is not None:
        try:
            day = _NOTICE.validate_python(notice)
        except ValidationError:
            raise UsageError(
                f"--notice {notice!r} is no day",
                "needs a date such as 2030-02-01, or an instant with a time zone",
                f"phasegate sunset plan {ground.product.key} --notice 2030-02-01 --dry-run",
            ) from None
        adjustments = adjustments.model_copy(update={"notice": day})
    return Wanted(adjustments, parsed)


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
            "its definition is not in this ledger",
            f"phasegate events list {view.key}",
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


def lay_out_on(ground: Ground, asked: Wanted, now: datetime) -> tuple[PlanView, list[Flaw]]:
    """The plan as it would be at `now`, and the rules that it breaks.

    Raises DocumentError, or Flaw without a file, where it cannot be laid out at all.
    """
    key, maturity = ground.product.key, ground.product.maturity
    standing = ground.before.notice_at if ground.before else None
    try:
        layout = lay_out(
            ground.plan,
            asked.adjustments,
            maturity=maturity,
            now=now,
            notice=asked.adjustments.notice or standing,
            contracts_until=ground.contracts_until,
            before=ground.before,
            product=key,
        )
    except Flaw as broken:
        raise (_in_file(asked, [broken]) or broken) from None
    found = problems(
        layout,
        ground.plan,
        asked.adjustments,
        maturity=maturity,
        now=now,
        contracts_until=ground.contracts_until,
        before=ground.before,
        product=key,
    )
    gates = planned_gates(layout)
    if ground.directory is not None:
        for gate in gates:
            theirs = next(g for g in ground.policy.gates() if g.id == gate.gate)
            gate.voters = voters_of(theirs, ground.product, ground.directory)
    ends = [at for at in (asked.adjustments.contracts_until, ground.contracts_until) if at]
    view = PlanView(
        product=key,
        policy=f"{ground.policy.policy} {ground.policy.version}",
        policy_digest=digest_of(ground.policy),
        maturity=maturity,
        number=ground.number,
        running=ground.before is not None,
        notice_at=layout.notice_at,
        minimum_notice=owed(ground.plan, maturity),
        contracts_until=max(ends, default=None),
        dates=dates_of(layout),
        decided_by=ground.decided_by,
        tasks=planned_tasks(layout, asked.adjustments),
        gates=gates,
        moved=layout.moved,
        problems=problems_of(found),
    )
    for problem, flaw in zip(view.problems, found, strict=True):
        problem.where = _where(asked, flaw)
    return view, found


def refuse(asked: Wanted, flaws: list[Flaw], key: str) -> None:
    """Raise DocumentError with the lines of the file, or Rejected, if a rule is broken."""
    if error := _in_file(asked, flaws):
        raise error
    raise_first(flaws, key)


def strangers(ground: Ground, asked: Wanted) -> list[str]:
    """Warnings: added tasks for groups that nobody is in, which only the owner could confirm."""
    if ground.directory is None:
        return []
    groups = ground.directory.groups
    return [
        f"added task {task.id}: the directory has no group {task.by}, so that only the owner "
        "answers for it"
        for task in asked.adjustments.add
        if task.by and not (groups.get(task.by) and groups[task.by].members)
    ]


def _where(asked: Wanted, flaw: Flaw) -> str:
    if asked.parsed is None or not flaw.path or flaw.path[0] == "tasks":
        return ""
    problem = asked.parsed.problem(flaw.path, "")
    return f"{problem.source}:{problem.line}:{problem.column}"


def _in_file(asked: Wanted, flaws: list[Flaw]) -> DocumentError | None:
    """The flaws as problems of the file; None where there are none, or no file was given."""
    if asked.parsed is None or not flaws:
        return None
    parsed = asked.parsed
    found = tuple(parsed.problem(flaw.path, f"{flaw.what}: {flaw.why}") for flaw in flaws)
    return DocumentError(found)


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
