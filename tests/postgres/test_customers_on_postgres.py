"""Customers in PostgreSQL: the tables of a migrated ledger, and imports that come at once."""

from __future__ import annotations

import pytest
from postgres import Server
from sqlalchemy import create_engine, inspect, text
from sqlalchemy.exc import DBAPIError

from ledger import Ledger
from ledger.schema import metadata


def shape(url: str) -> dict[str, object]:
    """Columns with their collations, keys and indexes of every table."""
    engine = create_engine(url)
    found = inspect(engine)
    try:
        return {
            table: (
                {
                    c["name"]: (str(c["type"]), getattr(c["type"], "collation", None))
                    for c in found.get_columns(table)
                },
                found.get_pk_constraint(table)["constrained_columns"],
                sorted((i["name"], tuple(i["column_names"])) for i in found.get_indexes(table)),
            )
            for table in found.get_table_names()
        }
    finally:
        engine.dispose()


def test_a_migrated_ledger_has_the_tables_of_a_new_one(server: Server) -> None:
    old, new = server.database(), server.database()
    engine = create_engine(old)
    first = ("schema_version", "streams", "events", "documents", "publications")
    metadata.create_all(engine, tables=[metadata.tables[name] for name in first])
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO schema_version VALUES (1)"))
    for url in (old, new):
        ledger = Ledger(url)
        assert ledger.streams() == {}
        ledger.close()
    assert shape(old) == shape(new)
    for statement in ("DELETE FROM customer_changes", "TRUNCATE customer_changes"):
        with pytest.raises(DBAPIError, match="append-only"), engine.begin() as connection:
            connection.execute(
                text("INSERT INTO customer_changes VALUES ('a', 1, 1, 'c', '{}', '', 'ana', '')")
            )
            connection.execute(text(statement))
    engine.dispose()
