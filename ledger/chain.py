"""The hash chain of a product's stream.

An entry's hash is the SHA-256, in hex, of the previous entry's hash (nothing before the first)
followed by the entry's body: the canonical JSON of the announcement with its `seq`. Whoever holds
the bodies can check the chain without this code.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

from ledger.errors import ChainBroken
from phasegate.base import canonical
from phasegate.events import Anchor, Announcement


@dataclass(frozen=True)
class Entry:
    """One event as the ledger holds it. `body` is what the hash was taken of."""

    seq: int
    hash: str
    prev_hash: str
    announcement: Announcement
    body: str

    @property
    def anchor(self) -> Anchor:
        return Anchor(seq=self.seq, hash=self.hash)


@dataclass(frozen=True)
class Row:
    """An entry as stored, before anything of it is believed."""

    product: str
    seq: int
    id: str
    type: str
    prev_hash: str
    hash: str
    body: str


def link(prev_hash: str, body: str) -> str:
    """The hash of an entry, in hex."""
    return sha256(prev_hash.encode() + body.encode()).hexdigest()


def entry(announcement: Announcement, after: Anchor) -> Entry:
    """The entry that follows `after`."""
    seq = after.seq + 1
    body = canonical({**announcement.model_dump(mode="json"), "seq": seq}).decode()
    return Entry(seq, link(after.hash, body), after.hash, announcement, body)


def walk(product: str, rows: Iterable[Row], start: Anchor) -> Anchor:
    """Check rows that follow `start`, in order; the last one's anchor. Raises ChainBroken."""
    for row in rows:
        if why := _fault(row, product, start):
            # A row that is missing is missed where it should have been.
            raise ChainBroken(product, min(row.seq, start.seq + 1), why)
        start = Anchor(seq=row.seq, hash=row.hash)
    return start


def _fault(row: Row, product: str, before: Anchor) -> str:
    if row.seq != before.seq + 1:
        return f"entry {before.seq + 1} is missing; entry {row.seq} follows {before.seq}"
    if row.prev_hash != before.hash:
        return "it does not follow the entry before it"
    if link(row.prev_hash, row.body) != row.hash:
        return "its content is not what its hash was taken of"
    try:
        body = json.loads(row.body)
        said = (body["product"], body["seq"], body["id"], body["type"])
    except (ValueError, LookupError, TypeError):
        return "its content is not an announcement"
    if said != (product, row.seq, row.id, row.type):
        return "it is filed under another product, number, id or type than it carries"
    return ""
