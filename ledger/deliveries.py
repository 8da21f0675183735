"""What is known of deliveries: how far each courier is, what was sent, and what was given up.

Operational state beside the record: it is part of no hash, and it may be changed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from sqlalchemy import Connection, Row, and_, func, or_, select, update

from ledger import dialects
from ledger.database import Database
from ledger.reading import entry_of
from ledger.schema import couriers, deliveries, events, streams
from phasegate.chain import Entry

State = Literal["sent", "dead", "again"]
"""`dead`: given up. `again`: somebody asked for another try of what was dead."""


@dataclass(frozen=True)
class Delivery:
    """One event on its way to one receiver, as last known."""

    receiver: str
    product: str
    seq: int
    event: str
    state: State
    at: datetime
    why: str


@dataclass(frozen=True)
class Due:
    """An event to be sent. Its days count from when it happened, or from when somebody asked for
    another try of it (`again`)."""

    entry: Entry
    again: bool
    since: datetime


@dataclass(frozen=True)
class Behind:
    """A product of which a receiver has not been sent everything."""

    product: str
    seq: int
    head: int


class Deliveries:
    """Every method is one transaction and raises LedgerError where the database cannot be used."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def due(self, receiver: str, product: str, limit: int = 100) -> list[Due]:
        """What is to be sent next, in order: first what somebody asked for again."""
        mine = and_(deliveries.c.product == product, deliveries.c.receiver == receiver)
        again = (
            select(events, deliveries.c.at.label("asked"))
            .join(
                deliveries,
                and_(deliveries.c.product == events.c.product, deliveries.c.seq == events.c.seq),
            )
            .where(mine, deliveries.c.state == "again")
        )
        with self._database.reading() as connection:
            after = _seq(connection, receiver, product)
            later = select(events).where(events.c.product == product, events.c.seq > after)
            found: list[Due] = []
            for row in connection.execute(again.order_by(events.c.seq).limit(limit)):
                found.append(Due(entry_of(row), True, datetime.fromisoformat(row.asked)))
            rest = later.order_by(events.c.seq).limit(max(limit - len(found), 0))
            for row in connection.execute(rest):
                entry = entry_of(row)
                found.append(Due(entry, False, entry.announcement.at))
        return found

    def settle(
        self,
        receiver: str,
        product: str,
        entries: Iterable[Entry],
        state: State | None,
        at: datetime,
        why: str = "",
    ) -> None:
        """Note that these were sent or given up; None: that they do not concern the receiver.

        Only what was sent ends `failing`: what waits behind an event that was given up has waited
        as long, and is given up with it.
        """
        with self._database.writing() as connection:
            for entry in entries:
                if state is not None:
                    id = entry.announcement.id
                    _note(connection, receiver, product, entry.seq, id, state, at, why)
                _advance(connection, receiver, product, entry.seq)
                if state == "sent":
                    _recover(connection, _mine(receiver, product))

    def note(
        self, receiver: str, entries: Iterable[Entry], state: State, at: datetime, why: str = ""
    ) -> None:
        """The same for a receiver that keeps no order, such as a person's mail: `failing` ends, as
        nothing waits behind these."""
        with self._database.writing() as connection:
            for entry in entries:
                said = entry.announcement
                _note(connection, receiver, said.product, entry.seq, said.id, state, at, why)
            _recover(connection, couriers.c.receiver == receiver)

    def recovered(self, receiver: str) -> None:
        """Nothing waits for this receiver, of no product: it fails no more."""
        with self._database.writing() as connection:
            _recover(connection, couriers.c.receiver == receiver)

    def mark(
        self,
        receiver: str,
        product: str,
        seq: int,
        event: str,
        state: State,
        at: datetime,
        why: str,
    ) -> None:
        """The same for what is no entry of the record, such as the letter of a week."""
        with self._database.writing() as connection:
            _note(connection, receiver, product, seq, event, state, at, why)

    def sent(self, receiver: str, places: Collection[tuple[str, int]]) -> set[tuple[str, int]]:
        """Which of these (product, number) the receiver is known to have been sent."""
        if not places:
            return set()
        same = or_(*(and_(deliveries.c.product == p, deliveries.c.seq == seq) for p, seq in places))
        query = select(deliveries.c.product, deliveries.c.seq).where(
            deliveries.c.receiver == receiver, deliveries.c.state == "sent", same
        )
        with self._database.reading() as connection:
            return {(row.product, row.seq) for row in connection.execute(query)}

    def known(self, product: str, seq: int, receivers: Collection[str]) -> dict[str, Delivery]:
        """What is known of one event, or of one week's letter, by receiver: of these."""
        query = select(deliveries).where(
            deliveries.c.product == product,
            deliveries.c.seq == seq,
            deliveries.c.receiver.in_(receivers),
        )
        with self._database.reading() as connection:
            found = [delivery_of(row) for row in connection.execute(query)]
        return {delivery.receiver: delivery for delivery in found}

    def failing(self, receiver: str, product: str, at: datetime, why: str) -> datetime:
        """Note that the receiver took nothing now; since when that is so: until it takes something,
        whatever is given up meanwhile."""
        with self._database.writing() as connection:
            _courier(connection, receiver, product)
            mine = _mine(receiver, product)
            since = connection.execute(select(couriers.c.failing_since).where(mine)).scalar_one()
            since = since or text_of(at)
            connection.execute(update(couriers).where(mine).values(failing_since=since, why=why))
        return datetime.fromisoformat(since)

    def behind(self, receiver: str, after: str = "", limit: int = 500) -> list[Behind]:
        """Products with something to send to it, sorted by key, those after `after`."""
        seq = func.coalesce(couriers.c.seq, 0)
        mine = and_(couriers.c.product == streams.c.product, couriers.c.receiver == receiver)
        wanted = (
            select(deliveries.c.product)
            .where(deliveries.c.receiver == receiver, deliveries.c.state == "again")
            .scalar_subquery()
        )
        query = (
            select(streams.c.product, seq.label("seq"), streams.c.seq.label("head"))
            .outerjoin(couriers, mine)
            .where(
                streams.c.product > after,
                or_(streams.c.seq > seq, streams.c.product.in_(wanted)),
            )
            .order_by(streams.c.product)
            .limit(limit)
        )
        with self._database.reading() as connection:
            return [Behind(**row._mapping) for row in connection.execute(query)]


def _mine(receiver: str, product: str) -> Any:
    return and_(couriers.c.receiver == receiver, couriers.c.product == product)


def _seq(connection: Connection, receiver: str, product: str) -> int:
    query = select(couriers.c.seq).where(_mine(receiver, product))
    return connection.execute(query).scalar_one_or_none() or 0


def _courier(connection: Connection, receiver: str, product: str) -> None:
    empty = {"receiver": receiver, "product": product, "seq": 0}
    dialects.insert_if_absent(connection, couriers, empty)


def _advance(connection: Connection, receiver: str, product: str, seq: int) -> None:
    _courier(connection, receiver, product)
    behind = and_(_mine(receiver, product), couriers.c.seq < seq)
    connection.execute(update(couriers).where(behind).values(seq=seq))


def _recover(connection: Connection, whose: Any) -> None:
    connection.execute(update(couriers).where(whose).values(failing_since=None, why=None))


def _note(
    connection: Connection,
    receiver: str,
    product: str,
    seq: int,
    event: str,
    state: State,
    at: datetime,
    why: str,
) -> None:
    place = {"receiver": receiver, "product": product, "seq": seq}
    said = {"event": event, "state": state, "at": text_of(at), "why": why}
    dialects.insert_if_absent(connection, deliveries, {**place, **said})
    connection.execute(
        update(deliveries)
        .where(*(deliveries.c[name] == value for name, value in place.items()))
        .values(**said)
    )


def delivery_of(row: Row[Any]) -> Delivery:
    """A row of `deliveries`."""
    return Delivery(**{**row._mapping, "at": datetime.fromisoformat(row.at)})


def text_of(at: datetime) -> str:
    """An instant as these tables keep it."""
    return at.astimezone(UTC).isoformat(timespec="seconds")
