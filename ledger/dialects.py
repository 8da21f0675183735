"""All that differs between databases: how they are opened, locked and guarded."""

from __future__ import annotations

import os
import sqlite3
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import URL, Connection, Engine, Table, create_engine, event
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import DisconnectionError

from ledger import server
from ledger.errors import LedgerError
from ledger.schema import APPEND_ONLY, REDACTABLE

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql

WRITES = "ledger_writes"
"""Execution option of a connection whose transaction is going to write."""

BUSY_SECONDS = 5.0


def is_sqlite(url: URL) -> bool:
    return url.get_backend_name() == "sqlite"


def place(url: URL) -> Path | None:
    """The file of an SQLite ledger; None for a database server. Raises LedgerError for memory."""
    if not is_sqlite(url):
        return None
    if not url.database or url.database.startswith((":memory:", "file:")):
        raise LedgerError(
            "the ledger must be a file",
            "an SQLite database in memory ends with the process, and the record with it",
            "set PHASEGATE_LEDGER to sqlite:////path/to/ledger.db",
        )
    return Path(url.database)


def opened(url: URL) -> Engine:
    """An engine whose connections are set up. Raises SQLAlchemyError or ImportError."""
    path = place(url)
    if path is None:
        return server.server_engine(url, WRITES)
    engine = create_engine(url)
    _tune(engine, path)
    return engine


def _tune(engine: Engine, path: Path) -> None:
    @event.listens_for(engine, "connect")
    def _connect(connection: sqlite3.Connection, record: Any) -> None:
        # SQLAlchemy says BEGIN (below); the driver's own would come too late to lock.
        connection.isolation_level = None
        connection.execute(f"PRAGMA busy_timeout = {int(BUSY_SECONDS * 1000)}")
        _use_wal(connection)
        # An event that an activity reported as written must survive a power cut.
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        record.info["file"] = _identity(path)

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # A transaction that reads first and writes later can fail in between; lock at once.
        writes = connection.get_execution_options().get(WRITES)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    @event.listens_for(engine, "checkout")
    def _checkout(connection: sqlite3.Connection, record: Any, proxy: Any) -> None:
        # A restored backup replaces the file; an old connection would write to the deleted one.
        if record.info["file"] != _identity(path):
            raise DisconnectionError("the ledger's file was replaced")


def snapshot(connection: Connection) -> Connection:
    """Let the coming transaction see one state of the database in all its statements."""
    if connection.dialect.name == "postgresql":
        return connection.execution_options(isolation_level="REPEATABLE READ")
    return connection


def lock(connection: Connection, name: str, *, however_long: bool = False) -> None:
    """Wait for the lock of that name, which is given back when the transaction ends (SQLite has
    locked everything): within the bounds of the transaction, or `however_long`."""
    if connection.dialect.name == "postgresql":
        server.lock(connection, name, however_long=however_long)


def forget_freed(connection: Connection) -> None:
    """Let this connection overwrite what it frees (a server's storage is its own affair)."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA secure_delete = ON")


def insert_if_absent(connection: Connection, table: Table, values: dict[str, Any]) -> None:
    """Insert a row unless one with its primary key is there, also if it appears meanwhile."""
    insert_absent(connection, table, [values])


def insert_absent(connection: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
    """The same for many rows."""
    if rows:
        connection.execute(_insert(connection, table).on_conflict_do_nothing(), rows)


def upsert(connection: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
    """Insert rows; those whose primary key is there replace what the table has."""
    if not rows:
        return
    statement = _insert(connection, table)
    keys = {column.name for column in table.primary_key}
    rest = {name: statement.excluded[name] for name in rows[0] if name not in keys}
    connection.execute(
        statement.on_conflict_do_update(index_elements=sorted(keys), set_=rest), rows
    )


def _insert(connection: Connection, table: Table) -> postgresql.Insert | sqlite.Insert:
    if connection.dialect.name == "postgresql":
        from sqlalchemy.dialects import postgresql  # noqa: PLC0415  # takes time to load

        return postgresql.insert(table)
    return sqlite.insert(table)


def guard(connection: Connection) -> None:
    """Make the database itself refuse to change what was written. Doing it twice does no harm."""
    if connection.dialect.name == "postgresql":
        _guard_postgresql(connection)
        return
    for table, same in APPEND_ONLY.items():
        _refuse(connection, table, "UPDATE", "are never changed", when=_other_than_redacted(table))
        _refuse(connection, table, "DELETE", "are never deleted")
        # INSERT OR REPLACE deletes the old row without running its DELETE triggers.
        _refuse(
            connection,
            table,
            "INSERT",
            "are never replaced",
            when=f"EXISTS (SELECT 1 FROM {table} WHERE {same})",  # noqa: S608  # our own names
        )
    _refuse(connection, "streams", "DELETE", "are never deleted")
    _refuse(
        connection,
        "streams",
        "UPDATE",
        "only grow",
        when="NEW.product IS NOT OLD.product OR NEW.seq <= OLD.seq",
    )
    _refuse(
        connection,
        "streams",
        "INSERT",
        "are never replaced",
        when="EXISTS (SELECT 1 FROM streams WHERE product = NEW.product)",
    )


def _other_than_redacted(table: str) -> str:
    """When a change of a row is more than that words were taken out of it; empty: always."""
    if table not in REDACTABLE:
        return ""
    stays, looks = REDACTABLE[table]
    same = " AND ".join(f"NEW.{column} = OLD.{column}" for column in stays)
    return f"NOT ({same} AND {looks})"


def _guard_postgresql(connection: Connection) -> None:
    """Owners of a table may drop its triggers; nobody changes the record by mistake."""
    redacts = {f"phasegate_redacts_{table}": _other_than_redacted(table) for table in REDACTABLE}
    for name, condition in {**_POSTGRESQL_RULES, **redacts}.items():
        connection.exec_driver_sql(
            f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            f"IF {condition} THEN RAISE EXCEPTION 'the ledger is append-only: "
            "%% takes no %%', TG_TABLE_NAME, lower(TG_OP); END IF; RETURN NEW; END $$"
        )
    for table in (*APPEND_ONLY, "streams"):
        update = "phasegate_only_grows" if table == "streams" else "phasegate_append_only"
        update = f"phasegate_redacts_{table}" if table in REDACTABLE else update
        _trigger(connection, table, "BEFORE UPDATE", "ROW", update)
        _trigger(connection, table, "BEFORE DELETE", "ROW", "phasegate_append_only")
        _trigger(connection, table, "BEFORE TRUNCATE", "STATEMENT", "phasegate_append_only")


_POSTGRESQL_RULES = {
    "phasegate_append_only": "true",
    "phasegate_only_grows": "NEW.product IS DISTINCT FROM OLD.product OR NEW.seq <= OLD.seq",
}


def _trigger(connection: Connection, table: str, when: str, each: str, function: str) -> None:
    name = f"{table}_{when.rsplit(maxsplit=1)[-1].lower()}"
    connection.exec_driver_sql(
        f"CREATE OR REPLACE TRIGGER {name} {when} ON {table} FOR EACH {each} "
        f"EXECUTE FUNCTION {function}()"
    )


def _refuse(connection: Connection, table: str, verb: str, words: str, *, when: str = "") -> None:
    condition = f"WHEN {when} " if when else ""
    connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {table}_{verb.lower()}")
    connection.exec_driver_sql(
        f"CREATE TRIGGER {table}_{verb.lower()} BEFORE {verb} ON {table} "
        f"{condition}BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: {table} {words}'); END"
    )


def _use_wal(connection: sqlite3.Connection) -> None:
    # Switching does not wait for busy_timeout when two processes open a new file together.
    patience = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > patience:
                raise
            time.sleep(0.02)


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = os.stat(path)
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino
