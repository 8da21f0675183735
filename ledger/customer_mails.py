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

from sqlalchemy import Connection, func, select

from ledger import dialects
from ledger.customer_rows import Writing, facts_of, last_seq, stored, these
from ledger.database import Database
from ledger.schema import customer_mails, customers
from phasegate.customers import SETTLING, Row, merged

_PAGE = 500
"""Customers that are looked at together."""

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
        unnotified: bool = False,
    ) -> list[Addressee]:
        """The next customers, by id, that this mail was neither sent to nor refused by.

        `key` is that of the mail's act. Customers without an address are left out; with
        `unnotified` those, too, whom the notice has reached.
        """
        settled = (*(SETTLING if to == "open" else ()), *(("notified",) if unnotified else ()))
        found: list[Addressee] = []
        with self._database.reading() as connection:
            while len(found) < limit:
                page = _with_address(connection, product, after_id, _PAGE)
                found += _still(connection, product, key, sunset, settled, page)
                if len(page) < _PAGE:
                    break
                after_id = page[-1].id
        return found[:limit]

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
            for known in these(connection, product, sunset, ids):
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
        mute = select(customers.c.id).where(customers.c.product == product, customers.c.email == "")
        with self._database.reading() as connection:
            sent = connection.execute(count.where(customer_mails.c.refused == "")).scalar_one()
            total = connection.execute(count).scalar_one()
            mutes = list(connection.execute(mute).scalars())
            if to == "open":
                known = these(connection, product, sunset, mutes)
                mutes = [one.id for one in known if one.state == "open"]
        return Mailed(sent, total - sent, len(mutes))


def _with_address(connection: Connection, product: str, after: str, limit: int) -> list[Addressee]:
    asked = (
        select(customers.c.id, customers.c.name, customers.c.email)
        .where(customers.c.product == product, customers.c.id > after, customers.c.email != "")
        .order_by(customers.c.id)
        .limit(limit)
    )
    return [Addressee(*row) for row in connection.execute(asked)]


def _still(
    connection: Connection,
    product: str,
    key: str,
    sunset: int,
    settled: Collection[str],
    page: list[Addressee],
) -> Iterator[Addressee]:
    """Those of a page that the mail still has to go to: none of these facts holds for them."""
    ids = [one.id for one in page]
    noted = select(customer_mails.c.customer).where(
        customer_mails.c.product == product,
        customer_mails.c.key == _place(key),
        customer_mails.c.customer.in_(ids),
    )
    done = set(connection.execute(noted).scalars())
    if settled:
        said = facts_of(connection, product, sunset, ids)
        done |= {id for id, row in said.items() if any(getattr(row, fact) for fact in settled)}
    return (one for one in page if one.id not in done)


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
