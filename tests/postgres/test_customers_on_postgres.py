"""Customers in PostgreSQL: the tables of a migrated ledger, and imports that come at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
from postgres import Server
from sqlalchemy import create_engine, inspect, text
from sqlalchemy.exc import DBAPIError

from ledger import Ledger
from ledger.schema import metadata
from phasegate.customers import Row

NOW = datetime(2027, 3, 1, 9, 0, tzinfo=UTC)


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
        for column in ("events.seal", "documents.redacted", "schema_version.oldest"):
            table, name = column.split(".")
            connection.execute(text(f"ALTER TABLE {table} DROP COLUMN {name}"))
    for url in (old, new):
        ledger = Ledger(url)
        assert ledger.streams() == {}
        ledger.close()
    assert shape(old) == shape(new)
    with engine.begin() as connection:
        connection.execute(
            text("INSERT INTO customer_changes VALUES ('a', 1, 1, 'c', '{}', '', 'ana', '')")
        )
    for statement in ("DELETE FROM customer_changes", "TRUNCATE customer_changes"):
        with engine.connect() as connection, pytest.raises(DBAPIError, match="append-only"):
            connection.execute(text(statement))
    engine.dispose()


def test_customers_are_kept_counted_and_sorted_as_in_sqlite(ledger: Ledger, tmp_path: Path) -> None:
    """Ids are sorted by their bytes in both: the digest is over all of them in that order."""
    ids = ["b", "B", "a-1", "a_1", "a 1", "ä", "z", "Z", "10", "9", "\N{SNOWMAN}"]
    rows = [Row(id, name=f"The {id}", email=f"{n}@x.org") for n, id in enumerate(ids)]
    beside = Ledger(f"sqlite:///{tmp_path / 'ledger.db'}")
    for one in (ledger, beside):
        one.customers.put("atlas", 1, rows, NOW, "olga", "sha256:1")
        one.customers.put("atlas", 1, [Row("b", migrated=True), Row("z", waived=NOW)], NOW, "ana")
        assert [c.id for c in one.customers.every("atlas", 1)] == sorted(ids)
        page = one.customers.unsent("atlas", "k", "open", limit=4)
        assert [p.id for p in page] == sorted(set(ids) - {"b", "z"})[:4]
        one.customers.sent("atlas", "k", [p.id for p in page], NOW, notifies=True)
        rest = one.customers.unsent("atlas", "k", "open", page[-1].id)
        assert [p.id for p in rest] == sorted(set(ids) - {"b", "z"})[4:]
    assert ledger.customers.summary("atlas", 1) == beside.customers.summary("atlas", 1)
    assert ledger.customers.changes("atlas") == beside.customers.changes("atlas")
    beside.close()


def test_imports_that_come_at_once_are_all_there_and_numbered(ledger: Ledger) -> None:
    def bring(n: int) -> int:
        mine = [Row(f"{n}-{m:03}", email=f"{m}@x.org") for m in range(200)]
        return ledger.customers.put(
            "atlas", 1, [*mine, Row("all", migrated=True)], NOW, f"p{n}"
        ).seq

    with ThreadPoolExecutor(4) as pool:
        seqs = list(pool.map(bring, range(4)))
    found = ledger.customers.summary("atlas", 1)
    assert (found.total, found.migrated) == (801, 1)
    assert [change.seq for change in ledger.customers.changes("atlas")] == list(range(1, 802))
    assert max(seqs) == 801


def test_statistics_that_are_not_fresh_slow_nothing_down(ledger: Ledger) -> None:
    """Right after an import they say that nobody is there: a join would take minutes."""
    rows = [Row(f"{n:06}", email="a@x.org", notified=True) for n in range(20_000)]
    ledger.customers.put("atlas", 1, rows, NOW, "olga")
    assert ledger.customers.summary("atlas", 1).notified == 20_000
    assert ledger.customers.unsent("atlas", "k", after_id="019998")[0].id == "019999"
