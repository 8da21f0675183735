"""A product's whole life, from the ledger alone: also where Temporal has forgotten it."""

from __future__ import annotations

from datetime import datetime

from ledger import ChainBroken, DocumentUnknown, Ledger
from phasegate.errors import NotRunning
from phasegate.policy import Policy
from phasegate.retrospective import retrospective_of
from phasegate.retrospective_view import Retrospective


def retrospective(ledger: Ledger, key: str, now: datetime) -> Retrospective:
    """The life of that product up to `now`, with the head of its record's hash chain.

    Raises NotRunning where this ledger has no such product, LedgerError.
    """
    entries = ledger.events(key)
    fault = ""
    try:
        ledger.verify(key, entries[-1].anchor if entries else None)
    except ChainBroken as broken:
        fault = str(broken)
    events = [entry.announcement for entry in entries]
    digests = [event.data["policy_digest"] for event in events if "policy_digest" in event.data]
    try:
        return retrospective_of(
            key,
            events,
            _policy(ledger, str(digests[-1])) if digests else None,
            entries[-1].anchor if entries else ledger.head(key),
            now,
            chain_fault=fault,
        )
    except ValueError as error:
        raise NotRunning(
            f"nothing can be told of {key}",
            str(error),
            "phasegate report portfolio --all",
        ) from error


def _policy(ledger: Ledger, digest: str) -> Policy | None:
    try:
        return ledger.documents.read_policy(digest)
    except DocumentUnknown:
        return None
