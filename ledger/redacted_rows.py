"""What is known of somebody beside the record: customers, mails, deliveries, results of acts.

It is part of no hash: rows are rewritten or deleted. Counts hold: a customer stays one, without a
name and under a pseudonym.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, Connection, Table, and_, delete, func, select, true, update

from ledger.schema import (
    couriers,
    customer_changes,
    customer_facts,
    customer_mails,
    customers,
    deliveries,
    documents,
    intents,
    publications,
    receivers,
)
from phasegate.delivery import mailbox
from phasegate.redacted import GONE
from phasegate.redaction import Subject

_FREE = ((couriers, "why"), (deliveries, "why"), (intents, "result"))
"""Columns with words of receivers and of acts: they may hold names and addresses."""


@dataclass(frozen=True)
class _Change:
    """Rows of a table, and what becomes of them; None: they are deleted."""

    table: Table
    where: Any
    values: dict[str, Any] | None


def forget(
    connection: Connection, product: str, subject: Subject, *, whole: bool, dry_run: bool
) -> int:
    """Take the subject out of the rows of a product; how many rows that concerns.

    `whole`: also out of rows that belong to no product.
    """
    count = 0
    for change in (*_changes(product, subject, whole), *_texts(connection, product, subject)):
        if dry_run:
            counted = select(func.count()).select_from(change.table).where(change.where)
            count += connection.execute(counted).scalar_one()
        elif change.values is None:
            count += connection.execute(delete(change.table).where(change.where)).rowcount
        else:
            changed = update(change.table).where(change.where).values(**change.values)
            count += connection.execute(changed).rowcount
    return count


def _changes(product: str, subject: Subject, whole: bool) -> Iterator[_Change]:
    if subject.kind == "customer":
        yield from _of_customer(product, subject)
        return
    instead = {"published_by": subject.pseudonym}
    for table in (documents, publications):
        of_it = true() if whole else and_(table.c.kind == "product", table.c.name == product)
        yield _Change(table, and_(of_it, table.c.published_by == subject.id), instead)
    for table, name in ((customers, "updated_by"), (customer_changes, "by")):
        mine = and_(table.c.product == product, table.c[name] == subject.id)
        yield _Change(table, mine, {name: subject.pseudonym})
    receiver = mailbox(subject.id)
    for table in (couriers, deliveries):
        of_it = table.c.product.in_((product, "") if whole else (product,))
        yield _Change(table, and_(of_it, table.c.receiver == receiver), None)
    if whole:
        yield _Change(receivers, receivers.c.receiver == receiver, None)


def _of_customer(product: str, subject: Subject) -> Iterator[_Change]:
    nobody = {"id": subject.pseudonym, "name": "", "email": "", "note": ""}
    mine = and_(customers.c.product == product, customers.c.id == subject.id)
    yield _Change(customers, mine, nobody)
    refused = and_(
        customer_mails.c.product == product,
        customer_mails.c.customer == subject.id,
        customer_mails.c.refused != "",
    )
    yield _Change(customer_mails, refused, {"refused": GONE})
    for table in (customer_facts, customer_changes, customer_mails):
        its = and_(table.c.product == product, table.c.customer == subject.id)
        yield _Change(table, its, {"customer": subject.pseudonym})


def _texts(connection: Connection, product: str, subject: Subject) -> Iterator[_Change]:
    for table, name in _FREE:
        column: Column[Any] = table.c[name]
        query = select(column).where(table.c.product == product, column.is_not(None)).distinct()
        for text in list(connection.execute(query).scalars()):
            if (new := subject.hidden(text)) != text:
                where = and_(table.c.product == product, column == text)
                yield _Change(table, where, {name: new})


def names_of_customer(connection: Connection, product: str, id: str) -> tuple[str, ...]:
    """What a customer is called, and their address."""
    query = select(customers.c.name, customers.c.email).where(
        customers.c.product == product, customers.c.id == id
    )
    row = connection.execute(query).one_or_none()
    return tuple(row) if row else ()
