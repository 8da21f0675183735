"""Exporting a product's record as a bundle."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from importlib.metadata import version
from typing import Any

from client.audit_heads import Head
from client.audit_histories import Kept
from client.pictures.audit import edition, html
from ledger import Ledger
from ledger.exporting import stored
from phasegate.audit.container import PAGE, RECORD, pack
from phasegate.audit.record import Record, StoredDocument, StoredEntry, named_in, written
from phasegate.audit.telling import told
from phasegate.errors import EngineError, NotRunning
from phasegate.events import Announcement
from phasegate.policy import Policy
from phasegate.retrospective import retrospective_of


def ledger_at(url: str) -> Ledger:
    """The ledger, to be read: where there is none, none is made. Raises EngineError."""
    ledger = Ledger(url)
    if not ledger.database.there:
        raise EngineError(
            f"there is no ledger at {ledger.database}",
            "nothing was ever written there, or it is somewhere else",
            "export PHASEGATE_DATA_DIR=/path/to/data  # or PHASEGATE_LEDGER, as the worker has it",
        )
    return ledger


def heads(ledger: Ledger, keys: Sequence[str]) -> list[Head]:
    """Where these products, or all, are said to stand. Raises NotRunning without a record."""
    found = ledger.streams()
    for key in keys:
        if key not in found:
            raise no_record(ledger, key)
    return [Head(key, found[key]) for key in (keys or found)]


def record_of(ledger: Ledger, key: str, now: datetime, kept: Kept | None = None) -> Record:
    """The record of a product as the ledger has it. Raises NotRunning where it has none."""
    found = stored(ledger.database, key, named_in)
    if not found.rows:
        raise no_record(ledger, key)
    return Record(
        product=key,
        release=version("phasegate"),
        exported_at=now,
        ledger_schema=found.schema,
        head=found.head,
        documents=[StoredDocument(**vars(one)) for one in found.documents],
        entries=[StoredEntry(**_entry(vars(row))) for row in found.rows],
        histories=kept.said if kept else [],
        notes=kept.notes if kept else [],
    )


def bundle_of(record: Record, kept: Kept | None = None) -> bytes:
    """The file. Raises EngineError where it would be larger than what is read again."""
    members = {RECORD: written(record), **(kept.members if kept else {})}
    if (page := page_of(record)) is not None:
        members[PAGE] = page
    about = {"page": edition(), "product": record.product, "release": record.release}
    try:
        return pack(members, about)
    except ValueError as error:
        raise EngineError(
            f"the record of {record.product} cannot be exported",
            str(error),
            f"phasegate audit export {record.product} --no-histories",
        ) from error


def page_of(record: Record) -> bytes | None:
    """The record for people; None where it cannot be told, since it is broken."""
    try:
        events = [told(row).event for row in record.rows()]
        life = retrospective_of(
            record.product, events, _policy(record, events), record.head, record.exported_at
        )
        return html(record, life, events).encode()
    except (ValueError, RecursionError, LookupError):
        return None


def _policy(record: Record, events: Sequence[Announcement]) -> Policy | None:
    digests = [event.data["policy_digest"] for event in events if "policy_digest" in event.data]
    for document in record.documents:
        if digests and document.digest == digests[-1] and document.kind == "policy":
            return Policy.model_validate_json(document.body)
    return None


def _entry(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != "product"}


def no_record(ledger: Ledger, key: str) -> NotRunning:
    return NotRunning(
        f"{key} has no record",
        f"the ledger at {ledger.database} knows no such product",
        "phasegate report portfolio --all  # what it knows; PHASEGATE_DATA_DIR says which it is",
    )
