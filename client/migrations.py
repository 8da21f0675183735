"""Putting many products under another policy: which are meant, and what it means for each.

`client.migrating` then does it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Literal

from client import gates, products
from client.asking import query
from client.dependencies import require_possible
from client.documents import find_policy
from client.engine import Engine
from client.usage import UsageError
from ledger import Ledger
from phasegate.base import Wire, canonical
from phasegate.directory import Directory, Permission
from phasegate.errors import EngineError, Forbidden, NotRunning, PhasegateError, Refusal
from phasegate.expressions import compile_error, evaluate
from phasegate.hands import TELLS, hands_told
from phasegate.ids import product_id
from phasegate.migration import plan_migration
from phasegate.migration_ports import Blocker, MigrationPlan, MigrationTerms
from phasegate.migration_ports import Standing as Stands
from phasegate.policy import Policy

AT_ONCE = 10
"""Products that are asked side by side."""

VARIABLES = ("product", "phase", "status")
_HINT = "--product-filter 'product.tier == 3 && phase == \"build\"'"

State = Literal["possible", "impossible", "already", "done", "done-before", "refused", "no-answer"]


@dataclass(frozen=True)
class Migration:
    """What is to be done: to which policy, for which products, how, and by whom.

    Products are those of `keys`; where none are named, those of the policy name `name`, or of the
    new policy's. With `from_digest` only those under it. `id` is the same whenever the same
    is asked again.
    """

    policy: Policy
    digest: str
    terms: MigrationTerms
    actor: str
    reason: str
    keys: tuple[str, ...] = ()
    name: str = ""
    from_digest: str = ""
    expression: str | None = None
    given_id: str = ""

    @property
    def id(self) -> str:
        if self.given_id:
            return self.given_id
        scope = [self.digest, sorted(self.keys), self.name, self.from_digest, self.expression or ""]
        said = canonical([*scope, self.terms.model_dump(mode="json"), self.actor])
        return "m" + sha256(said).hexdigest()[:11]


class MigrationRow(Wire):
    """One product of a migration: what it means for it, or what came of it.

    `voided` are the votes of the open round that count no more, by whose seat they fill.
    `left_waiting` says what of other products waits for what this one then has no more.
    """

    schema_version: int = 1
    migration: str
    product: str
    state: State
    plan: MigrationPlan | None = None
    voided: dict[str, str] = {}
    left_waiting: list[str] = []
    text: str = ""
    code: str = ""
    why: str = ""
    hint: str = ""
    forbidden: bool = False


def from_which(reference: str, ledger: Ledger) -> tuple[str, str]:
    """The name and the digest of the policy to leave; a bare NAME means all its versions."""
    known = ledger.documents.names("policy")
    if reference in known:
        return reference, ""
    found = find_policy(reference, ledger).model
    if reference == found.policy:
        return reference, ""
    return found.policy, ledger.documents.digest_of("policy", found.policy, found)


def require_usable(expression: str | None) -> None:
    """Raise UsageError for a filter that is no expression."""
    if expression is not None and (problem := compile_error(expression, *VARIABLES)):
        raise UsageError(f"--product-filter {expression!r} cannot be used", problem, _HINT)


async def standings(engine: Engine, migration: Migration) -> list[Stands | MigrationRow]:
    """The products that are meant, as they stand, by key; a row for each that gives no answer."""
    require_usable(migration.expression)
    keys = list(dict.fromkeys(migration.keys))
    if not keys:
        found = products.listing(
            engine, policy=migration.name or migration.policy.policy, limit=None
        )
        keys = sorted([row.key async for row in found])
    room = asyncio.Semaphore(AT_ONCE)

    async def ask(key: str) -> Stands | MigrationRow | None:
        async with room:
            try:
                standing = await query(engine.workflow(product_id(key)), "standing", Stands)
            except EngineError as error:
                return failed(migration, key, error)
        return standing if _meant(migration, standing) else None

    answers = await asyncio.gather(*(ask(key) for key in keys))
    return [answer for answer in answers if answer is not None]


def _meant(migration: Migration, standing: Stands) -> bool:
    left = migration.from_digest
    if left and standing.policy_digest not in (left, migration.digest):
        return False
    if migration.expression is None:
        return True
    facts = {
        "product": standing.product.model_dump(mode="json"),
        "phase": standing.phase or "",
        "status": standing.status,
    }
    truth = evaluate(migration.expression, facts)
    if truth.problem:
        what = f"--product-filter {migration.expression!r} cannot be used for {standing.key}"
        raise UsageError(what, truth.problem, _HINT)
    return truth.met


async def look(engine: Engine, migration: Migration, standing: Stands) -> MigrationRow:
    """What it would mean for one product. Nothing is done, and nothing is written."""
    row = MigrationRow(migration=migration.id, product=standing.key, state="possible")
    if standing.policy_digest == migration.digest:
        row.state, row.text = "already", "it is under this policy"
        if standing.last and standing.last.migration == migration.id:
            row.state, row.text = "done-before", standing.last.text
        return row
    documents = engine.ledger.documents
    current = documents.current("directory", standing.directory)
    directory = documents.read_directory(current.digest) if current else None
    plan = plan_migration(
        documents.read_policy(standing.policy_digest),
        migration.policy,
        standing,
        migration.terms,
        directory,
        to=migration.digest,
        now=datetime.now(UTC),
    )
    plan.blockers += await waits_for_ever(engine, migration, standing)
    told = engine.ledger.events(standing.key, types=TELLS) if directory else []
    hands = hands_told(entry.announcement for entry in told)
    if directory and (forbidden := _not_permitted(migration, standing, directory, hands)):
        row.forbidden = not plan.blockers
        plan.blockers.append(forbidden)
    row.plan = plan
    if plan.blockers:
        row.state = "impossible"
        row.code, row.hint = plan.blockers[0].code, plan.blockers[0].hint
        row.why = "; ".join(blocker.text for blocker in plan.blockers)
    if plan.fate == "stopped":
        row.voided = await _votes(engine, plan)
    return row


def _not_permitted(
    migration: Migration, standing: Stands, directory: Directory, hands: Mapping[str, str]
) -> Blocker | None:
    """Whether who migrates lacks the right, as far as directory, definition and record say it."""
    actor, tier, product = migration.actor, standing.product.tier, standing.product
    hint = f"phasegate directory show {directory.directory}"
    if why := {**hands, product.owner: "owns the product"}.get(actor):  # first, as there
        text = f"{actor} {why}, and nobody decides on their own work"
        return Blocker(code="self-approval", text=text, hint=hint)
    if Permission.migrate not in directory.permissions(actor, tier):
        text = f"none of the groups of {actor} has the permission migrate at tier {tier}"
        return Blocker(code="not-permitted", text=text, hint=hint)
    return None


async def waits_for_ever(engine: Engine, migration: Migration, standing: Stands) -> list[Blocker]:
    """Milestones of the new policy may wait for other products, directly or in a circle. Those that
    wait for this one keep nobody from migrating it: see `client.left_waiting`."""
    product = migration.terms.renamed(standing.product)
    try:
        await require_possible(engine.ledger, product, migration.policy, engine)
    except EngineError as error:
        return [Blocker(code="waits-for-ever", text=str(error), hint=error.hint)]
    return []


async def _votes(engine: Engine, plan: MigrationPlan) -> dict[str, str]:
    """The votes that stand in the open round."""
    try:
        view = await gates.live(engine, plan.key, plan.gate)
    except EngineError:
        view = None
    if view is None or view.round != plan.round:
        plan.uncertain.append(f"round {plan.round} of {plan.gate} does not say who has voted")
        return {}
    return {
        vote.on_behalf_of or vote.approver: vote.vote
        for vote in view.votes
        if vote.state == "standing" and not vote.advice
    }


def failed(
    migration: Migration, key: str, error: PhasegateError, *, code: str = ""
) -> MigrationRow:
    """The row of a product that gave no answer, or a refusal; `code` says more than the error."""
    answered = isinstance(error, Refusal | NotRunning) or bool(code)
    row = MigrationRow(
        migration=migration.id,
        product=key,
        state="refused" if answered else "no-answer",
        text=error.what,
        code=code or "no-answer",
        why=error.why,
        hint=error.hint,
        forbidden=isinstance(error, Forbidden),
    )
    if isinstance(error, Refusal):
        row.code = error.code
    elif isinstance(error, NotRunning):
        row.code = "not-running"
    return row
