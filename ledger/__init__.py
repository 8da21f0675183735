"""The append-only, hash-chained record of every event, and the published documents."""

from ledger.deliveries import Deliveries, Delivery
from ledger.documents import Documents, Kind, Publication
from ledger.errors import DocumentUnknown, LedgerError
from ledger.intents import Intent
from ledger.store import Appended, Ledger
from ledger.url import data_dir, ledger_url
from phasegate.chain import ChainBroken, Entry

__all__ = [
    "Appended",
    "ChainBroken",
    "Deliveries",
    "Delivery",
    "DocumentUnknown",
    "Documents",
    "Entry",
    "Intent",
    "Kind",
    "Ledger",
    "LedgerError",
    "Publication",
    "data_dir",
    "ledger_url",
]
