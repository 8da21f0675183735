"""Steps from one version of the schema to the next.

A step spells its statements out, in SQL that SQLite and PostgreSQL share: it must still do the same
when the tables of `ledger.schema` have moved on. Steps only go forwards, and never touch what is
append-only. The guards are renewed after the last step.

Workers of several releases use one ledger for as long as gates of the older ones are open. So a
step says which release's code may go on with what it leaves: adding tables, and columns with a
default, disturbs nobody. Where a step cannot be so, older code refuses the ledger.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from sqlalchemy import Connection

_DELIVERIES = (
    """
    CREATE TABLE receivers (
        receiver VARCHAR(200) NOT NULL,
        since VARCHAR(32) NOT NULL,
        gone_at VARCHAR(32),
        gone_url VARCHAR(64),
        PRIMARY KEY (receiver)
    )
    """,
    """
    CREATE TABLE couriers (
        receiver VARCHAR(200) NOT NULL,
        product VARCHAR(63) NOT NULL,
        seq INTEGER NOT NULL,
        failing_since VARCHAR(32),
        why TEXT,
        PRIMARY KEY (receiver, product)
    )
    """,
    """
    CREATE TABLE deliveries (
        receiver VARCHAR(200) NOT NULL,
        product VARCHAR(63) NOT NULL,
        seq INTEGER NOT NULL,
        event TEXT NOT NULL,
        state VARCHAR(16) NOT NULL,
        at VARCHAR(32) NOT NULL,
        why TEXT NOT NULL,
        PRIMARY KEY (receiver, product, seq)
    )
    """,
    "CREATE INDEX deliveries_by_product ON deliveries (product, state)",
)

_CUSTOMERS = (
    """
    CREATE TABLE customers (
        product VARCHAR(63) NOT NULL,
        id {customer_id} NOT NULL,
        name TEXT NOT NULL,
        email TEXT NOT NULL,
        contract_until VARCHAR(32),
        note TEXT NOT NULL,
        updated_at VARCHAR(32) NOT NULL,
        updated_by TEXT NOT NULL,
        PRIMARY KEY (product, id)
    )
    """,
    """
    CREATE TABLE customer_facts (
        product VARCHAR(63) NOT NULL,
        sunset INTEGER NOT NULL,
        customer {customer_id} NOT NULL,
        notified VARCHAR(32),
        exported VARCHAR(32),
        migrated VARCHAR(32),
        waived VARCHAR(32),
        PRIMARY KEY (product, sunset, customer)
    )
    """,
    """
    CREATE TABLE customer_changes (
        product VARCHAR(63) NOT NULL,
        seq INTEGER NOT NULL,
        sunset INTEGER NOT NULL,
        customer {customer_id} NOT NULL,
        what TEXT NOT NULL,
        at VARCHAR(32) NOT NULL,
        "by" TEXT NOT NULL,
        source TEXT NOT NULL,
        PRIMARY KEY (product, seq)
    )
    """,
    "CREATE INDEX customer_changes_by_customer ON customer_changes (product, customer)",
    """
    CREATE TABLE customer_mails (
        product VARCHAR(63) NOT NULL,
        "key" VARCHAR(200) NOT NULL,
        customer {customer_id} NOT NULL,
        at VARCHAR(32) NOT NULL,
        refused TEXT NOT NULL,
        PRIMARY KEY (product, "key", customer)
    )
    """,
    """
    CREATE TABLE intents (
        "key" VARCHAR(200) NOT NULL,
        product VARCHAR(63) NOT NULL,
        sunset INTEGER NOT NULL,
        task TEXT NOT NULL,
        begun_at VARCHAR(32) NOT NULL,
        attempt INTEGER NOT NULL,
        state VARCHAR(16) NOT NULL,
        result TEXT NOT NULL,
        updated_at VARCHAR(32) NOT NULL,
        PRIMARY KEY ("key")
    )
    """,
    "CREATE INDEX intents_by_product ON intents (product, sunset)",
)


def _add_deliveries(connection: Connection) -> None:
    """What couriers know of their deliveries."""
    for statement in _DELIVERIES:
        connection.exec_driver_sql(statement)


def _add_customers(connection: Connection) -> None:
    """Customers and what became of them in a sunset, and the intents of its acts."""
    sorted_by_bytes = ' COLLATE "C"' if connection.dialect.name == "postgresql" else ""
    for statement in _CUSTOMERS:
        connection.exec_driver_sql(statement.format(customer_id=f"VARCHAR(100){sorted_by_bytes}"))


def _add_seals(connection: Connection) -> None:
    """Entries from now on can lose words without breaking the chain; documents can, too."""
    for table, column in (("events", "seal"), ("documents", "redacted")):
        connection.exec_driver_sql(
            f"ALTER TABLE {table} ADD COLUMN {column} TEXT NOT NULL DEFAULT ''"
        )


def _add_oldest(connection: Connection) -> None:
    """Which code may use the schema, for code that does not know it."""
    connection.exec_driver_sql(
        "ALTER TABLE schema_version ADD COLUMN oldest INTEGER NOT NULL DEFAULT 0"
    )


class Step(NamedTuple):
    """To one version of the schema from the one before."""

    take: Callable[[Connection], None]
    oldest: int
    """The version whose code may still read and write a ledger that has taken the step."""


OLDEST_KNOWN = 5
"""From this version on a ledger says itself whose code may use it."""

STEPS: Mapping[int, Step] = {
    2: Step(_add_deliveries, 2),
    3: Step(_add_customers, 3),
    4: Step(_add_seals, 4),
    OLDEST_KNOWN: Step(_add_oldest, OLDEST_KNOWN),
}
"""By the version that they lead to."""
