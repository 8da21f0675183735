"""Customers as rows: read with what became of them in one sunset, and written in bulk."""

from __future__ import annotations

import json
from collections.abc import Collection, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, Select, func, insert, select

from ledger import dialects
from ledger.schema import customer_changes, customer_facts, customers
from phasegate.customers import FACTS, Known, text_of

_CHUNK = 2000

_IDS = 500
"""Ids in one query: databases bound the parameters of a statement."""


class Stored(NamedTuple):
    """A customer as the tables have it, and who wrote that."""

    known: Known
    updated_at: datetime | None
    updated_by: str


def scan(connection: Connection, product: str, sunset: int) -> Iterator[Stored]:
    """Customers of a product with their facts in that sunset, in the order of their ids.

    Both tables are read along their keys and put together here, some rows at a time. A join would
    be as fast as a database's statistics are fresh: after an import they are not.
    """
    facts = select(customer_facts).where(
        customer_facts.c.product == product, customer_facts.c.sunset == sunset
    )
    of_it = select(customers).where(customers.c.product == product)
    with (
        closing(_stream(connection, of_it.order_by(customers.c.id))) as rows,
        closing(_stream(connection, facts.order_by(customer_facts.c.customer))) as said,
    ):
        fact = next(said, None)
        for row in rows:
            while fact is not None and fact.customer < row.id:  # of somebody who was erased
                fact = next(said, None)
            here = fact if fact is not None and fact.customer == row.id else None
            if here is not None:
                fact = next(said, None)
            yield _stored(row, here)


def these(
    connection: Connection, product: str, sunset: int, ids: Collection[str]
) -> Iterator[Known]:
    """Those of these customers that there are."""
    for some in batches(ids):
        said = facts_of(connection, product, sunset, some)
        of_it = select(customers).where(customers.c.product == product, customers.c.id.in_(some))
        for row in connection.execute(of_it):
            yield _stored(row, said.get(row.id)).known


def facts_of(
    connection: Connection, product: str, sunset: int, ids: Sequence[str]
) -> dict[str, Row[Any]]:
    """What became of these customers, by id, where anything did."""
    asked = select(customer_facts).where(
        customer_facts.c.product == product,
        customer_facts.c.sunset == sunset,
        customer_facts.c.customer.in_(ids),
    )
    return {row.customer: row for row in connection.execute(asked)}


def batches(ids: Collection[str]) -> Iterator[list[str]]:
    """Ids, as many at a time as a query takes."""
    listed = list(ids)
    for start in range(0, len(listed), _IDS):
        yield listed[start : start + _IDS]


def _stream(connection: Connection, asked: Select[Any]) -> Generator[Row[Any], None, None]:
    with connection.execute(asked.execution_options(yield_per=_CHUNK)) as found:
        yield from found


def _stored(row: Row[Any], facts: Row[Any] | None) -> Stored:
    known = Known(
        id=row.id,
        name=row.name,
        email=row.email,
        contract_until=_instant(row.contract_until),
        note=row.note,
        notified=_instant(facts.notified) if facts else None,
        exported=_instant(facts.exported) if facts else None,
        migrated=_instant(facts.migrated) if facts else None,
        waived=_instant(facts.waived) if facts else None,
    )
    return Stored(known, _instant(row.updated_at), row.updated_by)


def _instant(text: str | None) -> datetime | None:
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
