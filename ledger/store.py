"""The ledger: every product's append-only, hash-chained stream of events."""

from __future__ import annotations

from collections.abc import Collection, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from secrets import token_hex

import structlog
from sqlalchemy import Connection, select

from ledger.customers import Customers
from ledger.database import Database
from ledger.dead_letters import DeadLetters
from ledger.deliveries import Deliveries
from ledger.documents import Documents
from ledger.errors import LedgerError
from ledger.intents import Intents
from ledger.reading import announcement_of, entry_of
from ledger.receivers import Receivers
from ledger.redactions import Redactions
from ledger.schema import events, streams
from ledger.streams import lock_head, write
from phasegate import chain
from phasegate.base import digest_of
from phasegate.chain import ChainBroken, Entry, Row
from phasegate.events import Anchor, Announcement

log = structlog.get_logger(__name__)

_CHUNK = 500


@dataclass(frozen=True)
class Appended:
    """Where the stream stands now, and what of the batch was not there before."""

    head: Anchor
    new: list[Entry]


class Ledger:
    """The append-only record, the published documents (`documents`), and what is known of those
    who are told (`receivers`, `deliveries`, `dead_letters`), of a product's customers
    (`customers`) and of acts under way (`intents`). `redactions` takes words out of all of it.

    Every method is one transaction and raises LedgerError where the database cannot be used. Safe
    to share between threads; processes open their own.
    """

    def __init__(self, url: str) -> None:
        """`url` is an SQLAlchemy URL (see `ledger.url.ledger_url`); opened on first use."""
        self.database = Database(url)
        self.documents = Documents(self.database)
        self.deliveries = Deliveries(self.database)
        self.dead_letters = DeadLetters(self.database)
        self.receivers = Receivers(self.database)
        self.customers = Customers(self.database)
        self.intents = Intents(self.database)
        self.redactions = Redactions(self.database)

    def __repr__(self) -> str:
        return f"Ledger({str(self.database)!r})"

    def close(self) -> None:
        """Close idle connections."""
        self.database.close()

    def append(self, product: str, events: Sequence[Announcement]) -> Anchor:
        """Write events to a product's stream, in this order; the head afterwards.

        Events whose id is already there are skipped, so that a batch can be repeated.
        """
        return self.record(product, events).head

    def record(self, product: str, batch: Sequence[Announcement]) -> Appended:
        """`append`, also telling which events were new."""
        for event in batch:
            if event.product != product:
                raise LedgerError(
                    f"event {event.id} cannot be written to the record of {product}",
                    f"it belongs to {event.product}",
                )
        with self.database.writing() as connection:
            head = lock_head(connection, product)
            known, erased = _known(connection, batch)
            new: list[Entry] = []
            for event in batch:
                if stored := known.get(event.id):
                    if event.id not in erased:  # a digest in the log would tell what it was
                        _compare(stored, event)
                    continue
                new.append(chain.entry(event, head, token_hex(32)))
                head = new[-1].anchor
                known[event.id] = event
            if new:
                write(connection, product, new)
        return Appended(head, new)

    def events(
        self, product: str, after_seq: int = 0, types: Collection[str] | None = None
    ) -> list[Entry]:
        """A product's entries after `after_seq`, oldest first; only of `types` if given."""
        query = select(events).where(events.c.product == product, events.c.seq > after_seq)
        if types is not None:
            query = query.where(events.c.type.in_(types))
        with self.database.reading() as connection:
            rows = connection.execute(query.order_by(events.c.seq)).all()
        return [entry_of(row) for row in rows]

    def scan(self, types: Collection[str]) -> Generator[tuple[str, list[Announcement]], None, None]:
        """Every product that has announcements of `types`, sorted by key, with these, oldest first.

        One pass over one state of the ledger, never more than one product in memory. Hashes are
        not checked: see `verify`.
        """
        query = select(events.c.product, events.c.body).where(events.c.type.in_(types))
        query = query.order_by(events.c.product, events.c.seq)
        with self.database.reading() as connection:
            rows = connection.execution_options(yield_per=_CHUNK).execute(query)
            for product, of_it in groupby(rows, key=itemgetter(0)):
                yield product, [announcement_of(row.body) for row in of_it]

    def absent(self, ids: Sequence[str]) -> set[str]:
        """Those of these event ids that were never written."""
        known: set[str] = set()
        with self.database.reading() as connection:
            for start in range(0, len(ids), _CHUNK):
                query = select(events.c.id).where(events.c.id.in_(ids[start : start + _CHUNK]))
                known |= {*connection.execute(query).scalars()}
        return {*ids} - known

    def entry(self, product: str, seq: int) -> Entry | None:
        """One entry of a product, by its number."""
        query = select(events).where(events.c.product == product, events.c.seq == seq)
        with self.database.reading() as connection:
            row = connection.execute(query).one_or_none()
        return entry_of(row) if row else None

    def streams(self) -> dict[str, Anchor]:
        """Every product with a stream, sorted by key, and where its stream stands."""
        with self.database.reading() as connection:
            rows = connection.execute(select(streams).order_by(streams.c.product)).all()
        return {row.product: Anchor(seq=row.seq, hash=row.hash) for row in rows if row.seq}

    def head(self, product: str) -> Anchor:
        """Where a product's stream stands; an empty anchor for a product without events."""
        with self.database.reading() as connection:
            return _head(connection, product)

    def verify(self, product: str, anchor: Anchor | None = None) -> int:
        """Check a product's chain from its first entry; how many entries it has.

        An `anchor` kept elsewhere (a workflow, an export) must lie on the chain: only that shows
        that nobody cut off or wrote anew the end of it. Raises ChainBroken.
        """
        with self.database.reading() as connection:
            head = _head(connection, product)
            with closing(_stored(connection, product, anchor)) as rows:
                last = chain.walk(product, rows, Anchor())
        if last.seq != head.seq:
            why = f"{head.seq} entries were written, but {last.seq} are there"
            raise ChainBroken(product, min(last.seq, head.seq) + 1, why)
        if last.hash != head.hash:
            raise ChainBroken(product, last.seq, "another entry was written in its place")
        if anchor and anchor.seq > last.seq:
            raise ChainBroken(product, last.seq + 1, f"entry {anchor.seq} was written, but is gone")
        return last.seq


def _stored(
    connection: Connection, product: str, anchor: Anchor | None
) -> Generator[Row, None, None]:
    query = select(events).where(events.c.product == product).order_by(events.c.seq)
    # Closed also where a link does not hold: a server keeps a cursor for what was not fetched.
    with connection.execution_options(yield_per=_CHUNK).execute(query) as found:
        for row in found:
            if anchor and row.seq == anchor.seq and row.hash != anchor.hash:
                raise ChainBroken(product, row.seq, "another entry was written in its place")
            yield Row(**row._mapping)


def _head(connection: Connection, product: str) -> Anchor:
    row = connection.execute(select(streams).where(streams.c.product == product)).one_or_none()
    return Anchor(seq=row.seq, hash=row.hash) if row else Anchor()


def _known(
    connection: Connection, batch: Sequence[Announcement]
) -> tuple[dict[str, Announcement], set[str]]:
    """Those of the batch's ids that are already written, and which of them have lost words."""
    ids = [event.id for event in batch]
    known: dict[str, Announcement] = {}
    erased: set[str] = set()
    for start in range(0, len(ids), _CHUNK):
        query = select(events).where(events.c.id.in_(ids[start : start + _CHUNK]))
        for row in connection.execute(query):
            entry = entry_of(row)
            known[row.id] = entry.announcement
            if entry.seal and entry.seal.redacted:
                erased.add(row.id)
    return known, erased


def _compare(stored: Announcement, event: Announcement) -> None:
    # Asked again by a retry, it is the same event in another trace.
    event = event.model_copy(update={"traceparent": stored.traceparent})
    kept, dropped = digest_of(stored), digest_of(event)
    if kept != dropped:
        log.warning(
            "event id already in the ledger with other content; the first one stays",
            id=event.id,
            product=event.product,
            kept=kept,
            dropped=dropped,
        )
