"""Who waits for what another policy takes away. A migration tells of it, and is not kept by it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from client.asking import query
from client.dependencies import MIGRATED
from client.engine import Engine
from client.migrations import Migration, MigrationRow
from ledger import Ledger, LedgerError
from phasegate.check import ProductCheck
from phasegate.dependencies import FINAL, Step, answer_of, plan_of, target_of
from phasegate.errors import EngineError, NotRunning
from phasegate.ids import product_id
from phasegate.migration_ports import Standing
from phasegate.milestones import MilestoneStatus, roadmap_of
from phasegate.policy import Policy
from phasegate.ports import Finding
from phasegate.views import ProductView


async def tell_who_waits(
    engine: Engine,
    migration: Migration,
    found: Sequence[Standing | MigrationRow],
    rows: Sequence[MigrationRow],
) -> None:
    """Let each row that is possible name the milestones of other products that wait for a milestone
    or a gate which its product would have no more. Where nothing goes, nothing is read."""
    standing = {one.key: one for one in found if isinstance(one, Standing)}
    able = {row.product: row for row in rows if row.state == "possible"}
    gone = {
        step for key in able if key in standing for step in _gone(engine, migration, standing[key])
    }
    policy = f"{migration.policy.policy} {migration.policy.version}"
    for waiting, check in list(_waiting(engine.ledger, gone)) if gone else ():
        row, target = able[check.product], target_of(check)
        lost = row.plan is not None and target.id in row.plan.gone
        if await _waits(engine, waiting) and (lost or not await _met(engine, check)):
            row.left_waiting.append(f"{waiting} waits for {target}, which {policy} does not have")


def _gone(engine: Engine, migration: Migration, standing: Standing) -> set[Step]:
    """What others may wait for under the policy that it is under, and not under the new one."""
    before = plan_of(standing.product, engine.ledger.documents.read_policy(standing.policy_digest))
    after = plan_of(migration.terms.renamed(standing.product), migration.policy)
    kept = {*after.milestones, *after.gates}
    return {Step(standing.key, name) for name in {*before.milestones, *before.gates} - kept}


def _waiting(ledger: Ledger, gone: set[Step]) -> Iterator[tuple[Step, ProductCheck]]:
    """Milestones of other products that wait for these, by key: one pass over the ledger. A product
    whose documents it cannot give is left out."""
    documents, policies = ledger.documents, dict[str, Policy]()
    under = {
        key: [said.data["policy_digest"] for said in told if "policy_digest" in said.data]
        for key, told in ledger.scan(("product.started", MIGRATED))
    }
    for key, digests in under.items():
        try:
            current = documents.current("product", key)
            if current is None or not digests:
                continue
            digest, product = digests[-1], documents.read_product(current.digest)
            if digest not in policies:
                policies[digest] = documents.read_policy(digest)
        except LedgerError:
            continue
        for phase in policies[digest].phases:
            for goal in roadmap_of(phase, product):
                check = goal.check
                if isinstance(check, ProductCheck) and target_of(check) in gone:
                    yield Step(key, goal.id), check


async def _waits(engine: Engine, step: Step) -> bool:
    """Whether it does so still. One that does not answer counts as waiting."""
    view = await _seen(engine, step.product)
    if not isinstance(view, ProductView):
        return not isinstance(view, NotRunning)
    here = [goal for goal in view.milestones if goal.id == step.id]
    settled = any(MilestoneStatus(goal.state).settled for goal in here)
    return view.status not in FINAL and not settled


async def _met(engine: Engine, check: ProductCheck) -> bool:
    """Whether it has come already to what is waited for, and keeps that."""
    view = await _seen(engine, check.product)
    return isinstance(view, ProductView) and answer_of(check, view).finding is Finding.met


async def _seen(engine: Engine, key: str) -> ProductView | EngineError:
    try:
        return await query(engine.workflow(product_id(key)), "show", ProductView)
    except EngineError as error:
        return error
