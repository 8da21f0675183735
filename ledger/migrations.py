"""Steps from one version of the schema to the next.

A step spells its statements out, in SQL that SQLite and PostgreSQL share: it must still do the same
when the tables of `ledger.schema` have moved on. Steps only go forwards, and never touch what is
append-only. An older phasegate refuses a newer schema.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sqlalchemy import Connection

from ledger import dialects

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


def _add_deliveries(connection: Connection) -> None:
    """What couriers know of their deliveries; and the guards, which PostgreSQL had not before."""
    for statement in _DELIVERIES:
        connection.exec_driver_sql(statement)
    dialects.guard(connection)


STEPS: Mapping[int, Callable[[Connection], None]] = {2: _add_deliveries}
"""Version → the step that leads to it from the one before."""
