"""Exporting a product's record, and verifying one: a bundle, or the ledger in place."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from integrations.judging import judge
from integrations.ssh_keygen import verify as verify_signature
from ledger import Ledger
from ledger.exporting import stored
from phasegate.audit.findings import Verified
from phasegate.audit.record import Record, StoredDocument, StoredEntry, named_in
from phasegate.audit.verifying import verify
from phasegate.directory import Key
from phasegate.errors import NotRunning
from phasegate.events import Anchor
from phasegate.expressions import facts


def record_of(ledger: Ledger, key: str, now: datetime, release: str) -> Record:
    """The record of a product as the ledger has it. Raises NotRunning where it has none."""
    found = stored(ledger.database, key, named_in)
    if not found.rows:
        raise NotRunning(
            f"{key} has no record",
            "this ledger knows no such product",
            "phasegate report portfolio --all",
        )
    return Record(
        product=key,
        release=release,
        exported_at=now,
        ledger_schema=found.schema,
        head=found.head,
        documents=[StoredDocument(**vars(one)) for one in found.documents],
        entries=[StoredEntry(**_entry(vars(row))) for row in found.rows],
    )


def _entry(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != "product"}


def verified(record: Record, heads: Collection[Anchor], source: str) -> Verified:
    """Derive everything again. Raises DoesNotAddUp and BundleBroken; KeygenError where a
    signature cannot be checked on this machine."""
    return verify(record, heads, signature=_signature, judge=_judge, source=source)


def _signature(
    statement: str, signature: str, person: str, keys: tuple[Key, ...], at: datetime
) -> str:
    return verify_signature(keys, person, statement, signature, at=at).problem


def _judge(expression: str, variables: Mapping[str, Any]) -> bool:
    known = facts(variables["product"], variables.get("evidence"))
    return bool(judge(expression, known))
