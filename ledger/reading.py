"""Entries as they are read back from their rows."""

from __future__ import annotations

from typing import Any

from ledger.errors import LedgerError
from phasegate.chain import Entry
from phasegate.events import Announcement
from phasegate.seals import read_seal


def entry_of(row: Any) -> Entry:
    """A row of `events`. Raises LedgerError where it is no announcement."""
    try:
        seal = read_seal(row.seal)
    except ValueError as error:
        raise _unreadable(error) from error
    return Entry(row.seq, row.hash, row.prev_hash, announcement_of(row.body), row.body, seal)


def announcement_of(body: str) -> Announcement:
    """What an entry says. Raises LedgerError where it is no announcement."""
    try:
        return Announcement.model_validate_json(body)
    except ValueError as error:
        raise _unreadable(error) from error


def _unreadable(error: ValueError) -> LedgerError:
    return LedgerError("an entry of the ledger cannot be read", str(error), "phasegate doctor")
