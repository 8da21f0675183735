"""What of the ledger is about somebody, and what is left of it without them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from phasegate.redacted import RedactedDocument, RedactedEntry, digest_of_body


@dataclass(frozen=True)
class Changed:
    """An entry that loses words: which fields, and what it is then."""

    seq: int
    type: str
    at: datetime
    fields: tuple[str, ...]
    body: str
    seal: str
    said: RedactedEntry


@dataclass
class Found:
    """What of a product's record is about somebody."""

    product: str
    entries: list[Changed] = field(default_factory=list)
    documents: list[RedactedDocument] = field(default_factory=list)
    """Those that the stream names, and that lose words."""
    unsealed: list[int] = field(default_factory=list)
    """Entries of an early ledger that name them: their words cannot be taken out."""
    rows: int = 0
    """Of the tables beside the record: customers, mails, deliveries."""
    said_in: int = 0
    """The number of the entry that says so, once it is done; it names the documents."""

    def __bool__(self) -> bool:
        return bool(self.entries or self.documents or self.rows)


@dataclass(frozen=True)
class Stored:
    """A document that names somebody, and what it is without them."""

    digest: str
    kind: str
    name: str
    without: str

    @property
    def said(self) -> RedactedDocument:
        return RedactedDocument(document=self.digest, digest=digest_of_body(self.without))


@dataclass(frozen=True)
class Asked:
    """Who asks for it, why and when."""

    by: str
    reason: str
    at: datetime
