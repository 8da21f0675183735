"""The hash chain of a product's stream.

An entry's hash is the SHA-256, in hex, of the previous entry's hash (nothing before the first)
followed by what its seal makes of the entry's body (phasegate.seals): the canonical JSON of the
announcement with its `seq`. Whoever holds bodies and seals can check the chain.

Words that were taken out of an entry leave its hash as it was. So a chain holds only where a later
entry says of each that it lost them, and what it is now (phasegate.redacted).
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

from pydantic import ValidationError

from phasegate.base import canonical
from phasegate.errors import PhasegateError
from phasegate.events import Anchor, Announcement
from phasegate.redacted import REDACTED, Account, Redacted
from phasegate.seals import Seal, read_seal, sealed


class ChainBroken(PhasegateError):
    """A product's stream does not hold from `seq` on: somebody or something changed it."""

    def __init__(self, product: str, seq: int, why: str) -> None:
        super().__init__(
            f"the record of {product} is broken at entry {seq}",
            why,
            "keep the database as it is, and compare it with an export or a backup",
        )
        self.product = product
        self.seq = seq


@dataclass(frozen=True)
class Entry:
    """One event as the ledger holds it. `body` and `seal` are what the hash was taken of."""

    seq: int
    hash: str
    prev_hash: str
    announcement: Announcement
    body: str
    seal: Seal | None

    @property
    def anchor(self) -> Anchor:
        return Anchor(seq=self.seq, hash=self.hash)


@dataclass(frozen=True)
class Row:
    """An entry as stored, before anything of it is believed. `seal` is JSON, or empty."""

    product: str
    seq: int
    id: str
    type: str
    prev_hash: str
    hash: str
    body: str
    seal: str = ""


def link(prev_hash: str, body: str, seal: Seal | None) -> str:
    """The hash of an entry, in hex. Raises ValueError where the seal is not this body's.

    Entries of early ledgers have no seal: their hash is taken of the body itself.
    """
    hashed = body.encode() if seal is None else b"seal/1" + sealed(body, seal)
    return sha256(prev_hash.encode() + hashed).hexdigest()


def entry(announcement: Announcement, after: Anchor, salt: str) -> Entry:
    """The entry that follows `after`. `salt` is random, 64 hex digits, of this entry only."""
    seq, seal = after.seq + 1, Seal(root=salt)
    body = canonical({**announcement.model_dump(mode="json"), "seq": seq}).decode()
    return Entry(seq, link(after.hash, body, seal), after.hash, announcement, body, seal)


def walk(product: str, rows: Iterable[Row], start: Anchor) -> Anchor:
    """Check rows that follow `start`, in order; the last one's anchor. Raises ChainBroken."""
    account, first = Account(), start.seq
    for row in rows:
        if why := _fault(row, product, start, account):
            # A row that is missing is missed where it should have been.
            raise ChainBroken(product, min(row.seq, start.seq + 1), why)
        start = Anchor(seq=row.seq, hash=row.hash)
    if found := account.fault(first):
        raise ChainBroken(product, *found)
    return start


def _fault(row: Row, product: str, before: Anchor, account: Account) -> str:
    if row.seq != before.seq + 1:
        return f"entry {before.seq + 1} is missing; entry {row.seq} follows {before.seq}"
    if row.prev_hash != before.hash:
        return "it does not follow the entry before it"
    try:
        seal = read_seal(row.seal)
        taken = link(row.prev_hash, row.body, seal)
    except ValueError as error:
        return f"its content and its seal cannot be read together: {_first_line(error)}"
    if taken != row.hash:
        return "its content is not what its hash was taken of"
    try:
        body = json.loads(row.body)
        said = (body["product"], body["seq"], body["id"], body["type"])
        erased = Redacted.model_validate(body["data"]) if row.type == REDACTED else None
    except (ValueError, LookupError, TypeError, RecursionError):
        return "its content is not an announcement"
    if said != (product, row.seq, row.id, row.type):
        return "it is filed under another product, number, id or type than it carries"
    if seal and seal.redacted and not account.lost(row.seq, row.body, seal):
        return "other words stand in the place of words that were taken out of it"
    if erased:
        account.said(row.seq, erased.entries)
    return ""


def _first_line(error: ValueError) -> str:
    """Why, without the values that a model's error quotes: they may be salts."""
    if isinstance(error, ValidationError):
        found = error.errors(include_url=False, include_input=False)[0]
        return f"{'.'.join(map(str, found['loc'])) or 'seal'}: {found['msg']}"
    return str(error)
