"""A ledger that an older phasegate wrote is used, and its record stays as it was."""

import sqlite3
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import create_engine, inspect

from client.redactions import Order, Redaction
from ledger import Ledger, LedgerError, migrations, schema
from phasegate.events import Announcement

WRITTEN = Path(__file__).parent
"""In ledger_version_N.sql is what phasegate with version N wrote: three events of atlas, one of
kite, a directory; in version 2 two of atlas were delivered to subscriber/crm."""


@pytest.fixture(params=[1, 2])
def version(request: pytest.FixtureRequest) -> int:
    number: int = request.param
    return number


@pytest.fixture
def old(tmp_path: Path, version: int) -> Path:
    path = tmp_path / "ledger.db"
    connection = sqlite3.connect(path)
    connection.executescript((WRITTEN / f"ledger_version_{version}.sql").read_text())
    connection.execute("PRAGMA journal_mode = WAL")
    connection.close()
    return path


def event(n: int) -> Announcement:
    return Announcement(
        id=f"e{n}",
        type="gate.vote",
        product="atlas",
        source="product/atlas",
        at=datetime(2026, 12, 1, tzinfo=UTC),
        text="after the migration",
    )


def rows(path: Path, table: str) -> list[tuple[object, ...]]:
    connection = sqlite3.connect(path)
    try:
        return connection.execute(f"SELECT * FROM {table} ORDER BY 1, 2").fetchall()  # noqa: S608
    finally:
        connection.close()


def shape(url: str) -> dict[str, object]:
    """Tables, columns, keys and indexes, by name."""
    engine = create_engine(url)
    found = inspect(engine)
    try:
        return {
            table: (
                {c["name"]: (str(c["type"]), c["nullable"]) for c in found.get_columns(table)},
                found.get_pk_constraint(table)["constrained_columns"],
                sorted((i["name"], tuple(i["column_names"])) for i in found.get_indexes(table)),
            )
            for table in found.get_table_names()
        }
    finally:
        engine.dispose()


def test_the_record_stays_and_goes_on(old: Path, version: int) -> None:
    kept = ["events", "streams", "documents"]
    kept += ["receivers", "couriers", "deliveries"] if version > 1 else []
    before = {table: rows(old, table) for table in kept}
    ledger = Ledger(f"sqlite:///{old}")
    assert ledger.verify("atlas") == 3
    after = {table: rows(old, table) for table in before}
    # What is new in them is empty.
    for table, was in before.items():
        assert [row[: len(was[0])] for row in after[table]] == was
        assert not any(any(row[len(was[0]) :]) for row in after[table])
    assert ledger.documents.current("directory", "default") is not None
    assert ledger.append("atlas", [event(1)]).seq == 4
    assert ledger.verify("atlas") == 4
    due = ledger.deliveries.due("subscriber/crm", "atlas")
    assert due[0].entry.seq == (1 if version == 1 else 3)
    ledger.close()


def test_a_migrated_ledger_has_the_tables_of_a_new_one(old: Path, tmp_path: Path) -> None:
    for path in (old, tmp_path / "new.db"):
        ledger = Ledger(f"sqlite:///{path}")
        ledger.streams()
        ledger.close()
    assert shape(f"sqlite:///{old}") == shape(f"sqlite:///{tmp_path / 'new.db'}")
    assert set(migrations.STEPS) == set(range(2, schema.VERSION + 1))


def test_what_was_append_only_still_is(old: Path, version: int) -> None:
    ledger = Ledger(f"sqlite:///{old}")
    ledger.streams()
    ledger.close()
    connection = sqlite3.connect(old)
    connection.execute(
        "INSERT INTO customer_changes VALUES ('atlas', 1, 1, 'c1', '{}', '', 'ana', '')"
    )
    for statement in (
        "UPDATE events SET body = '{}'",
        "DELETE FROM events",
        "DELETE FROM schema_version",
        "UPDATE schema_version SET version = 1",
        "UPDATE customer_changes SET at = ''",
        "DELETE FROM customer_changes",
    ):
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            connection.execute(statement)
    assert connection.execute("SELECT version FROM schema_version").fetchall() == [
        (n,) for n in range(version, schema.VERSION + 1)
    ]
    connection.close()


def test_what_is_written_from_now_on_can_be_redacted(old: Path) -> None:
    ledger = Ledger(f"sqlite:///{old}")
    ledger.append("atlas", [event(1).model_copy(update={"actor": "zoe"})])
    order = Order(kind="person", id="zoe", by="ana", reason="asked", key="atlas")
    view = Redaction(ledger, order).do()
    assert ledger.events("atlas")[3].announcement.actor == view.pseudonym
    assert ledger.verify("atlas") == 5
    ledger.close()


def test_a_step_that_fails_leaves_the_old_version(
    old: Path, version: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def half(connection: object) -> None:
        migrations._add_customers(connection)  # type: ignore[arg-type]
        raise OSError("the power went")

    ledger = Ledger(f"sqlite:///{old}")
    with monkeypatch.context() as patch:
        patch.setattr(migrations, "STEPS", {**migrations.STEPS, 3: migrations.Step(half, 3)})
        with pytest.raises(LedgerError, match="the power went"):
            ledger.head("atlas")
    connection = sqlite3.connect(old)
    assert connection.execute("SELECT max(version) FROM schema_version").fetchone() == (version,)
    connection.close()
    assert "customers" not in shape(f"sqlite:///{old}")
    assert ("couriers" in shape(f"sqlite:///{old}")) is (version == 2)
    assert ledger.head("atlas").seq == 3  # and once more, now that the power is back
    ledger.close()


def newer(ledger: Path, oldest: int) -> None:
    """What a later release makes of it: one more column, which has a default."""
    connection = sqlite3.connect(ledger)
    connection.execute("ALTER TABLE events ADD COLUMN mood TEXT NOT NULL DEFAULT 'calm'")
    row = (schema.VERSION + 1, oldest)
    connection.execute("INSERT INTO schema_version (version, oldest) VALUES (?, ?)", row)
    connection.commit()
    connection.close()


def test_builds_of_this_release_go_on_with_a_later_schema_that_lets_them(old: Path) -> None:
    Ledger(f"sqlite:///{old}").head("atlas")
    newer(old, schema.VERSION)
    ledger = Ledger(f"sqlite:///{old}")
    ledger.append("atlas", [event(1)])
    assert ledger.verify("atlas") == 4
    ledger.close()


def test_a_later_schema_that_needs_later_code_is_refused(old: Path) -> None:
    Ledger(f"sqlite:///{old}").head("atlas")
    newer(old, schema.VERSION + 1)
    with pytest.raises(LedgerError, match=f"knows {schema.VERSION + 1}; this one"):
        Ledger(f"sqlite:///{old}").head("atlas")


OPEN = """
import sys
from ledger import Ledger
ledger = Ledger("sqlite:///" + sys.argv[1])
assert ledger.head("atlas").seq == 3
ledger.close()
"""


def test_processes_that_migrate_at_once_do_it_once(old: Path) -> None:
    command = [sys.executable, "-c", OPEN, str(old)]
    running = [subprocess.Popen(command) for _ in range(4)]
    assert [process.wait(timeout=180) for process in running] == [0, 0, 0, 0]
    ledger = Ledger(f"sqlite:///{old}")
    assert ledger.verify("kite") == 1
    ledger.close()
