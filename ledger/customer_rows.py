"""Customers as rows: read with what became of them in one sunset, and written in bulk."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, func, insert, select, true

from ledger import dialects
from ledger.schema import customer_changes, customer_facts, customers
from phasegate.customers import FACTS, SETTLING, Known, text_of

_CHUNK = 2000

IS_OPEN = and_(*(customer_facts.c[fact].is_(None) for fact in SETTLING))
"""Also true where nothing is known of a customer in the sunset: there is no row of facts then."""


def query(product: str, sunset: int) -> Select[Any]:
    """Customers of a product with their facts in that sunset, in the order of their ids."""
    facts = and_(
        customer_facts.c.product == customers.c.product,
        customer_facts.c.sunset == sunset,
        customer_facts.c.customer == customers.c.id,
    )
    return (
        select(customers, *(customer_facts.c[fact] for fact in FACTS))
        .outerjoin(customer_facts, facts)
        .where(customers.c.product == product)
        .order_by(customers.c.id)
    )


def among(wanted: str | None) -> ColumnElement[bool]:
    """The condition of a list: open, or a fact. None for all."""
    if wanted is None:
        return true()
    return IS_OPEN if wanted == "open" else customer_facts.c[wanted].is_not(None)


def stream(connection: Connection, asked: Select[Any]) -> Iterator[Row[Any]]:
    """The rows, never more than some of them in memory."""
    with connection.execute(asked.execution_options(yield_per=_CHUNK)) as found:
        yield from found


def known_of(row: Row[Any]) -> Known:
    return Known(
        id=row.id,
        name=row.name,
        email=row.email,
        contract_until=instant_of(row.contract_until),
        note=row.note,
        notified=instant_of(row.notified),
        exported=instant_of(row.exported),
        migrated=instant_of(row.migrated),
        waived=instant_of(row.waived),
    )


def instant_of(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def stored(at: datetime) -> str:
    """An instant as these tables have it, in UTC."""
    return text_of(at.astimezone(UTC))


def last_seq(connection: Connection, product: str) -> int:
    """The number of the latest change of a product's customers."""
    asked = select(func.max(customer_changes.c.seq)).where(customer_changes.c.product == product)
    return connection.execute(asked).scalar() or 0


@dataclass
class Writing:
    """Changes of one product's customers in one transaction: gathered, then written in bulk.

    Written only by who holds the lock on the product's customers, and has seen change `seq`.
    """

    product: str
    sunset: int
    at: datetime
    by: str
    source: str
    seq: int = 0
    """The latest change before these."""
    _customers: list[dict[str, Any]] = field(default_factory=list)
    _facts: list[dict[str, Any]] = field(default_factory=list)
    _changes: list[dict[str, Any]] = field(default_factory=list)

    def add(self, after: Known, what: dict[str, Any]) -> None:
        """A customer as it is from now on, and what of it is new."""
        at = stored(self.at)
        until = after.contract_until
        self._customers.append(
            {
                "product": self.product,
                "id": after.id,
                "name": after.name,
                "email": after.email,
                "contract_until": stored(until) if until else None,
                "note": after.note,
                "updated_at": at,
                "updated_by": self.by,
            }
        )
        if what.keys() & set(FACTS):
            facts = {fact: getattr(after, fact) for fact in FACTS}
            self._facts.append(
                {
                    "product": self.product,
                    "sunset": self.sunset,
                    "customer": after.id,
                    **{fact: stored(value) if value else None for fact, value in facts.items()},
                }
            )
        self._changes.append(
            {
                "product": self.product,
                "sunset": self.sunset,
                "customer": after.id,
                "what": json.dumps(what, sort_keys=True),
                "at": at,
                "by": self.by,
                "source": self.source,
            }
        )

    def write(self, connection: Connection) -> int:
        """Write them; the number of the latest change."""
        for seq, change in enumerate(self._changes, self.seq + 1):
            change["seq"] = seq
        dialects.upsert(connection, customers, self._customers)
        dialects.upsert(connection, customer_facts, self._facts)
        if self._changes:
            connection.execute(insert(customer_changes), self._changes)
        return self.seq + len(self._changes)
