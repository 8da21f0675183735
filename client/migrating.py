"""Putting many products under another policy, once somebody has looked: one Update each."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from datetime import datetime

from client import changing, products
from client.engine import Engine
from client.migrations import Migration, MigrationRow, failed, look, waits_for_ever
from phasegate.errors import EngineError, Refusal
from phasegate.migration_ports import MigrateRequest, Standing


def publish(engine: Engine, migration: Migration, now: datetime) -> None:
    """Publish the policy where it never was. An older version that products go back to must not
    become the one that new products start under. Raises EngineError, LedgerError."""
    name = migration.policy.policy
    published = {known.digest for known in engine.ledger.documents.history("policy", name)}
    if migration.digest not in published:
        products.publish_policy(engine, migration.policy, now, migration.actor)


async def carry_out(
    engine: Engine,
    migration: Migration,
    found: Sequence[Standing],
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> AsyncIterator[MigrationRow]:
    """Migrate each, one after the other. Each judges by itself whether it can.

    What was begun and broken off is begun again in the same way: a product that was done says so.
    Stops where the engine gives no answer: so it would for the next.
    """
    for done, standing in enumerate(found):
        progress(done, len(found))
        row = await _one(engine, migration, standing)
        yield row
        if row.code == "no-answer":
            return


async def _one(engine: Engine, migration: Migration, standing: Standing) -> MigrationRow:
    key = standing.key
    if standing.policy_digest == migration.digest:
        return await look(engine, migration, standing)
    if waits := await waits_for_ever(engine, migration, standing):
        error = EngineError(f"{key} cannot be migrated", waits[0].text, waits[0].hint)
        return failed(migration, key, error, code=waits[0].code)
    request = MigrateRequest(
        actor=migration.actor,
        to=migration.digest,
        from_=standing.policy_digest,
        reason=migration.reason,
        terms=migration.terms,
        migration=migration.id,
        request_id=f"{migration.id}.{standing.migrations}",
    )
    try:
        receipt = await products.request(engine, key, "migrate", request)
    except (Refusal, EngineError) as error:
        return failed(migration, key, error)
    if migration.terms.phases:
        # The product has it by now, and its record too: the next change publishes it at the latest.
        with suppress(EngineError):
            await changing.publish_definition(engine, key, migration.actor)
    return MigrationRow(migration=migration.id, product=key, state="done", text=receipt.text)
