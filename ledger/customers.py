"""The customers of products: imported, counted, listed, and who was written to.

Operational state beside the record: it is part of no hash. What changed is append-only.
"""

from __future__ import annotations

import json
from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select

from ledger import dialects
from ledger.customer_mails import CustomerMails
from ledger.customer_rows import Writing, last_seq, scan, these
from ledger.schema import customer_changes
from phasegate.customers import Customer, Filter, Known, Row, merged, summed
from phasegate.sunset_ports import CustomersSummary


@dataclass(frozen=True)
class Put:
    """What an import did. `seq` numbers the latest change of the product's customers."""

    new: int
    changed: int
    unchanged: int
    not_mentioned: int
    seq: int
    summary: CustomersSummary


@dataclass(frozen=True)
class Change:
    """One change of one customer."""

    seq: int
    sunset: int
    customer: str
    what: dict[str, Any]
    at: datetime
    by: str
    source: str


class Customers(CustomerMails):
    """Every method is one transaction and raises LedgerError where the database cannot be used.

    `sunset` is the how-manieth of the product: what became of a customer counts in that one.
    """

    def put(
        self,
        product: str,
        sunset: int,
        rows: Sequence[Row],
        at: datetime,
        by: str,
        source: str = "",
        *,
        dry_run: bool = False,
    ) -> Put:
        """Take rows in, all or none: each id once. With `dry_run` say what that would do.

        Customers that are not mentioned stay. The same rows again change nothing.
        """
        when = at.replace(microsecond=0)
        with self._database.reading() as connection:
            seq = last_seq(connection, product)
            writing = Writing(product, sunset, when, by, source, seq)
            done = _reckon(connection, writing, rows)
        if dry_run or not done.new + done.changed:
            return done
        with self._database.writing() as connection:
            dialects.lock(connection, f"customers/{product}")
            # Reckoned before the lock, which holds up everybody who writes to an SQLite ledger.
            if (now := last_seq(connection, product)) != seq:
                writing = Writing(product, sunset, when, by, source, now)
                done = _reckon(connection, writing, rows)
            return replace(done, seq=writing.write(connection))

    def summary(self, product: str, sunset: int) -> CustomersSummary:
        """The customers, counted, with the digest over all of them."""
        with self._database.reading() as connection:
            return summed(one.known for one in scan(connection, product, sunset))

    def every(
        self, product: str, sunset: int, wanted: Filter | None = None
    ) -> Generator[Customer, None, None]:
        """Customers in the order of their ids: all, those who are open, or those with a fact."""
        with self._database.reading() as connection:
            for known, updated_at, updated_by in scan(connection, product, sunset):
                if known.is_among(wanted):
                    fields = {name: getattr(known, name) for name in Known.__dataclass_fields__}
                    written = {"updated_at": updated_at, "updated_by": updated_by}
                    yield Customer(**fields, state=known.state, **written)

    def find(self, product: str, sunset: int, customer: str) -> Known | None:
        """One customer."""
        with self._database.reading() as connection:
            return next(these(connection, product, sunset, [customer]), None)

    def changes(self, product: str, customer: str | None = None) -> list[Change]:
        """What changed, oldest first: of one customer, or of all."""
        asked = select(customer_changes).where(customer_changes.c.product == product)
        if customer is not None:
            asked = asked.where(customer_changes.c.customer == customer)
        with self._database.reading() as connection:
            return [
                Change(
                    seq=row.seq,
                    sunset=row.sunset,
                    customer=row.customer,
                    what=json.loads(row.what),
                    at=datetime.fromisoformat(row.at),
                    by=row.by,
                    source=row.source,
                )
                for row in connection.execute(asked.order_by(customer_changes.c.seq))
            ]

    def latest_sunset(self, product: str) -> int:
        """The latest sunset that anything is known of; 1 where nothing is."""
        asked = select(func.max(customer_changes.c.sunset)).where(
            customer_changes.c.product == product
        )
        with self._database.reading() as connection:
            return connection.execute(asked).scalar() or 1


def _reckon(connection: Connection, writing: Writing, rows: Sequence[Row]) -> Put:
    """What these rows do; gathered, and not written yet."""
    known = {c.id: c for c, _, _ in scan(connection, writing.product, writing.sunset)}
    not_mentioned = len(known.keys() - {row.id for row in rows})
    new = changed = 0
    for row in rows:
        before = known.get(row.id)
        after, what = merged(before, row, writing.at)
        if not what:
            continue
        new, changed = (new + 1, changed) if before is None else (new, changed + 1)
        known[row.id] = after
        writing.add(after, what)
    return Put(
        new=new,
        changed=changed,
        unchanged=len(rows) - new - changed,
        not_mentioned=not_mentioned,
        seq=writing.seq,
        summary=summed(known[id] for id in sorted(known)),
    )
