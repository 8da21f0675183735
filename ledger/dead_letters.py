"""What could not be delivered: given up, late at present, and tried again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, exists, func, or_, select, update

from ledger.database import Database
from ledger.deliveries import Delivery, delivery_of, text_of
from ledger.schema import couriers, deliveries, streams

LATE = and_(
    couriers.c.failing_since.is_not(None),
    # Where everything was given up, nothing waits any more: dead letters say so.
    or_(
        exists().where(streams.c.product == couriers.c.product, streams.c.seq > couriers.c.seq),
        exists().where(
            deliveries.c.receiver == couriers.c.receiver,
            deliveries.c.product == couriers.c.product,
            deliveries.c.state == "again",
        ),
    ),
)


@dataclass(frozen=True)
class Late:
    """A receiver that takes nothing of a product at present; it is tried again."""

    receiver: str
    since: datetime
    why: str


@dataclass(frozen=True)
class Silent:
    """A receiver that takes nothing of some products: since when of the first, and one of them."""

    since: datetime
    product: str


class DeadLetters:
    """Every method is one transaction and raises LedgerError where the database cannot be used."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, product: str, receiver: str | None = None) -> list[Delivery]:
        """What was given up of a product, and what of that is tried again, in order."""
        query = select(deliveries).where(
            deliveries.c.product == product, deliveries.c.state.in_(("dead", "again"))
        )
        if receiver is not None:
            query = query.where(deliveries.c.receiver == receiver)
        with self._database.reading() as connection:
            rows = connection.execute(query.order_by(deliveries.c.seq, deliveries.c.receiver))
            return [delivery_of(row) for row in rows]

    def late(self, product: str) -> list[Late]:
        """Receivers that take nothing of this product now, and since when."""
        query = select(couriers).where(couriers.c.product == product, LATE)
        with self._database.reading() as connection:
            rows = connection.execute(query.order_by(couriers.c.receiver)).all()
        return [
            Late(row.receiver, datetime.fromisoformat(row.failing_since), row.why or "")
            for row in rows
        ]

    def given_up(self) -> dict[str, int]:
        """How many dead letters each product has, by key."""
        query = (
            select(deliveries.c.product, func.count().label("n"))
            .where(deliveries.c.state == "dead", deliveries.c.product != "")
            .group_by(deliveries.c.product)
            .order_by(deliveries.c.product)
        )
        with self._database.reading() as connection:
            return {row.product: row.n for row in connection.execute(query)}

    def letters(self) -> list[Delivery]:
        """The weekly letters that were given up, of the last week that had one, by receiver."""
        last = select(func.max(deliveries.c.seq)).where(deliveries.c.product == "")
        query = select(deliveries).where(
            deliveries.c.product == "",
            deliveries.c.state == "dead",
            deliveries.c.seq == last.scalar_subquery(),
        )
        with self._database.reading() as connection:
            rows = connection.execute(query.order_by(deliveries.c.receiver))
            return [delivery_of(row) for row in rows]

    def silent(self) -> dict[str, Silent]:
        """Receivers that take nothing of some product now."""
        query = (
            select(
                couriers.c.receiver,
                func.min(couriers.c.failing_since).label("since"),
                func.min(couriers.c.product).label("product"),
            )
            .where(LATE)
            .group_by(couriers.c.receiver)
            .order_by(couriers.c.receiver)
        )
        with self._database.reading() as connection:
            return {
                row.receiver: Silent(datetime.fromisoformat(row.since), row.product)
                for row in connection.execute(query)
            }

    def retry(self, chosen: Sequence[Delivery], at: datetime) -> None:
        """Have these tried again, before what is new."""
        with self._database.writing() as connection:
            for item in chosen:
                connection.execute(
                    update(deliveries)
                    .where(
                        deliveries.c.receiver == item.receiver,
                        deliveries.c.product == item.product,
                        deliveries.c.seq == item.seq,
                        deliveries.c.state == "dead",
                    )
                    .values(state="again", at=text_of(at))
                )
