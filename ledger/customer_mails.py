"""Mails to customers: who is still to be written to, and who was.

A mail is known by the key of its act, so that a worker that comes after another one writes to
nobody twice.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Literal

from sqlalchemy import ColumnElement, Connection, and_, exists, func, select, true

from ledger import dialects
from ledger.customer_rows import IS_OPEN, Writing, known_of, last_seq, query, stored
from ledger.database import Database
from ledger.schema import customer_mails, customers
from phasegate.customers import Known, Row, merged

_IDS = 500
"""Ids in one query: databases bound the parameters of a statement."""

_KEY = 200


@dataclass(frozen=True)
class Addressee:
    """Somebody to write to."""

    id: str
    name: str
    email: str


@dataclass(frozen=True)
class Mailed:
    """How far a mail is: sent to, refused by the address, and customers that have no address."""

    sent: int
    refused: int
    no_address: int


class CustomerMails:
    """The part of `ledger.customers.Customers` that is about mail."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def unsent(
        self,
        product: str,
        key: str,
        to: Literal["all", "open"] = "open",
        after_id: str = "",
        limit: int = 500,
        *,
        sunset: int = 1,
    ) -> list[Addressee]:
        """The next customers, by id, that this mail was neither sent to nor refused by.

        `key` is that of the mail's act. Customers without an address are left out.
        """
        asked = (
            query(product, sunset)
            .where(
                customers.c.id > after_id,
                customers.c.email != "",
                ~_mail(product, key),
                _concerned(to),
            )
            .limit(limit)
        )
        with self._database.reading() as connection:
            return [Addressee(row.id, row.name, row.email) for row in connection.execute(asked)]

    def sent(
        self,
        product: str,
        key: str,
        ids: Collection[str],
        at: datetime,
        notifies: bool = False,
        *,
        sunset: int = 1,
    ) -> None:
        """Note that the mail was sent to these; `notifies`: and that they are thereby notified."""
        with self._database.writing() as connection:
            _note(connection, product, key, ids, at, "")
            if not notifies:
                return
            dialects.lock(connection, f"customers/{product}")
            when, seq = at.replace(microsecond=0), last_seq(connection, product)
            writing = Writing(product, sunset, when, "phasegate", key, seq)
            for known in _these(connection, product, sunset, ids):
                after, what = merged(known, Row(known.id, notified=True), when)
                if what:
                    writing.add(after, what)
            writing.write(connection)

    def refused(self, product: str, key: str, id: str, why: str, at: datetime) -> None:
        """Note that the address takes no mail, for good: the mail is not tried again there."""
        with self._database.writing() as connection:
            _note(connection, product, key, [id], at, why or "refused")

    def refusals(self, product: str, key: str, limit: int) -> list[str]:
        """Who could not be written to and why, the first by id: `ID (why)`."""
        asked = (
            select(customer_mails.c.customer, customer_mails.c.refused)
            .where(
                customer_mails.c.product == product,
                customer_mails.c.key == _place(key),
                customer_mails.c.refused != "",
            )
            .order_by(customer_mails.c.customer)
            .limit(limit)
        )
        with self._database.reading() as connection:
            return [f"{row.customer} ({row.refused})" for row in connection.execute(asked)]

    def mailed(
        self, product: str, key: str, to: Literal["all", "open"] = "open", *, sunset: int = 1
    ) -> Mailed:
        """How far a mail is."""
        mine = (customer_mails.c.product == product, customer_mails.c.key == _place(key))
        count = select(func.count()).select_from(customer_mails).where(*mine)
        mute = query(product, sunset).where(customers.c.email == "", _concerned(to)).order_by(None)
        with self._database.reading() as connection:
            sent = connection.execute(count.where(customer_mails.c.refused == "")).scalar_one()
            total = connection.execute(count).scalar_one()
            mutes = select(func.count()).select_from(mute.subquery())
            return Mailed(sent, total - sent, connection.execute(mutes).scalar_one())


def _these(
    connection: Connection, product: str, sunset: int, ids: Collection[str]
) -> Iterator[Known]:
    listed = list(ids)
    for start in range(0, len(listed), _IDS):
        these = customers.c.id.in_(listed[start : start + _IDS])
        yield from map(known_of, connection.execute(query(product, sunset).where(these)))


def _concerned(to: str) -> ColumnElement[bool]:
    return IS_OPEN if to == "open" else true()


def _mail(product: str, key: str) -> ColumnElement[bool]:
    return exists().where(
        and_(
            customer_mails.c.product == product,
            customer_mails.c.key == _place(key),
            customer_mails.c.customer == customers.c.id,
        )
    )


def _note(
    connection: Connection, product: str, key: str, ids: Collection[str], at: datetime, why: str
) -> None:
    noted = {"product": product, "key": _place(key), "at": stored(at), "refused": why[:500]}
    dialects.insert_absent(connection, customer_mails, [{**noted, "customer": id} for id in ids])


def _place(key: str) -> str:
    """The key as the table holds it: tasks of sub-plans have long ids."""
    if len(key) <= _KEY:
        return key
    return f"{key[: _KEY - 65]}#{sha256(key.encode()).hexdigest()}"
