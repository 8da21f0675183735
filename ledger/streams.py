"""The end of a product's stream, for who writes to it."""

from __future__ import annotations

from sqlalchemy import Connection, insert, select, update

from ledger import dialects
from ledger.schema import events, streams
from phasegate.chain import Entry
from phasegate.events import Anchor


def lock_head(connection: Connection, product: str) -> Anchor:
    """Where the stream stands; nobody else writes to it until the transaction ends."""
    query = select(streams).where(streams.c.product == product).with_for_update()
    row = connection.execute(query).one_or_none()
    if row is None:
        empty = {"product": product, "seq": 0, "hash": ""}
        dialects.insert_if_absent(connection, streams, empty)
        row = connection.execute(query).one()
    return Anchor(seq=row.seq, hash=row.hash)


def write(connection: Connection, product: str, new: list[Entry]) -> None:
    """Write entries, of which there is one at least, behind a head that is locked."""
    connection.execute(insert(events), [_row(item) for item in new])
    head = new[-1].anchor
    connection.execute(
        update(streams).where(streams.c.product == product).values(seq=head.seq, hash=head.hash)
    )


def _row(item: Entry) -> dict[str, object]:
    return {
        "product": item.announcement.product,
        "seq": item.seq,
        "id": item.announcement.id,
        "type": item.announcement.type,
        "prev_hash": item.prev_hash,
        "hash": item.hash,
        "body": item.body,
        "seal": item.seal.text if item.seal else "",
    }
