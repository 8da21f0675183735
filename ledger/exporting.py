"""A product's stream as it is stored, with the documents that it names: what an audit reads."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from sqlalchemy import select

from ledger.database import Database
from ledger.schema import VERSION, documents, events, streams
from phasegate.chain import Row
from phasegate.events import Anchor

_CHUNK = 500


@dataclass(frozen=True)
class RawDocument:
    """A document as stored, before anything of it is believed."""

    digest: str
    kind: str
    name: str
    body: str
    published_at: str
    published_by: str


@dataclass(frozen=True)
class Stored:
    """One state of a product's record. `head` is where its stream is said to stand."""

    head: Anchor
    rows: list[Row]
    documents: list[RawDocument]
    schema: int = VERSION


def stored(
    database: Database, product: str, named_in: Callable[[Iterable[str]], list[str]]
) -> Stored:
    """Everything of one product, in one transaction. `named_in` finds the digests of documents in
    the bodies of entries. Raises LedgerError."""
    with database.reading() as connection:
        head = connection.execute(
            select(streams.c.seq, streams.c.hash).where(streams.c.product == product)
        ).one_or_none()
        rows = [
            Row(**row._mapping)
            for row in connection.execute(
                select(events).where(events.c.product == product).order_by(events.c.seq)
            )
        ]
        digests = named_in(row.body for row in rows)
        found: list[RawDocument] = []
        for start in range(0, len(digests), _CHUNK):
            some = digests[start : start + _CHUNK]
            query = select(*(documents.c[name] for name in RawDocument.__annotations__)).where(
                documents.c.digest.in_(some)
            )
            found += [RawDocument(**row._mapping) for row in connection.execute(query)]
    return Stored(
        head=Anchor(seq=head.seq, hash=head.hash) if head else Anchor(),
        rows=rows,
        documents=sorted(found, key=lambda one: (one.kind, one.name, one.published_at, one.digest)),
    )
