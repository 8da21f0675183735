"""The database behind the ledger: opened on first use, and again after every failure."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, func, insert, inspect, select
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from ledger import dialects, migrations, schema
from ledger.errors import LedgerError
from ledger.privacy import private_file
from ledger.server import ends_the_connection, hint_of
from ledger.sharing import share_of
from ledger.url import parse, shown


class Database:
    """Transactions on the ledger's database. Safe to share between threads, not across a fork.

    Nothing is opened before the first transaction. A failure is a LedgerError, and the next
    transaction starts from a new connection, so that a mended database is simply used again.
    """

    def __init__(self, url: str) -> None:
        """`url` is an SQLAlchemy URL. Raises LedgerError where it or its driver is unusable."""
        self._url = parse(url)
        self._path = dialects.place(self._url)
        try:
            self._engine = dialects.opened(self._url)
        except (SQLAlchemyError, ImportError) as error:
            raise LedgerError(
                f"the ledger cannot be opened at {self}",
                str(error),
                "install the driver the URL names, or mend PHASEGATE_LEDGER",
            ) from error
        self._preparing = threading.Lock()
        self._prepared = False

    def __str__(self) -> str:
        """The URL without its password."""
        return shown(self._url)

    @property
    def there(self) -> bool:
        """False for a file that is not there, and would be made. A server is asked first."""
        return self._path is None or self._path.exists()

    @property
    def share(self) -> str | None:
        """The kind of network share that an SQLite file lies on, where it must not be."""
        return share_of(self._path) if self._path else None

    def close(self) -> None:
        """Close idle connections. The next transaction opens new ones."""
        self._prepared = False
        self._engine.dispose()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """One transaction that sees one state of the ledger. Raises LedgerError."""
        with self._explained("read"):
            self._prepare()
            with self._engine.connect() as plain:
                connection = dialects.snapshot(plain)
                with connection.begin():
                    yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """One transaction that is written whole or not at all. Raises LedgerError."""
        with self._explained("written"):
            self._prepare()
            with self._write_transaction() as connection:
                yield connection

    def empty_log(self) -> None:
        """Take everything into the file and leave nothing in SQLite's log; a server keeps its own.

        While somebody reads, some of it stays until they have done. Raises LedgerError.
        """
        if self._path is None:
            return
        with self._explained("written"):
            connection = self._engine.raw_connection()  # in no transaction
            try:
                connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)").close()
            finally:
                connection.close()

    @contextmanager
    def _write_transaction(self) -> Iterator[Connection]:
        with self._engine.connect() as plain:
            connection = plain.execution_options(**{dialects.WRITES: True})
            with connection.begin():
                yield connection

    def _prepare(self) -> None:
        with self._preparing:
            if self._prepared:
                return
            if self._path:
                private_file(self._path)
            with self._engine.connect() as connection, connection.begin():
                found = _version(connection)
                oldest = _oldest(connection) if (found or 0) > schema.VERSION else 0
            if found is None:
                with self._write_transaction() as connection:
                    _create(connection)
            elif found < schema.VERSION:
                with self._write_transaction() as connection:
                    _migrate(connection)
            elif oldest > schema.VERSION:
                raise LedgerError(
                    f"the ledger at {self} cannot be used",
                    f"its schema version is {found}, which needs a phasegate that knows {oldest}; "
                    f"this one knows {schema.VERSION}",
                    "use the phasegate release that wrote it, or a newer one",
                )
            self._prepared = True

    @contextmanager
    def _explained(self, done: str) -> Iterator[None]:
        try:
            yield
        except (SQLAlchemyError, OSError) as error:
            if ends_the_connection(error):
                self.close()
            # The driver's words only: SQLAlchemy's quote statements with their values.
            cause = error.orig if isinstance(error, DBAPIError) else error
            raise LedgerError(
                f"the ledger at {self} cannot be {done}",
                " ".join(str(cause).split()),
                self._hint(error),
            ) from error

    def _hint(self, error: BaseException) -> str:
        if hint := hint_of(error):
            return hint
        if self._path:
            return (
                f"check that {self._path} is an SQLite file this user may write, "
                "and that its disk has room"
            )
        return "check that the database server is up and that this user may use the database"


def _version(connection: Connection) -> int | None:
    if not inspect(connection).has_table(schema.schema_version.name):
        return None
    return connection.execute(select(func.max(schema.schema_version.c.version))).scalar()


def _oldest(connection: Connection) -> int:
    """Whose code may use a schema that this one does not know; none, where that is not said."""
    found = connection.execute(select(func.max(schema.schema_version.c.oldest))).scalar()
    return found or 0


def _create(connection: Connection) -> None:
    dialects.lock(connection, "schema", however_long=True)
    if _version(connection) is not None:
        return
    schema.metadata.create_all(connection)
    dialects.guard(connection)
    _note(connection, schema.VERSION)


def _migrate(connection: Connection) -> None:
    """All missing steps in one transaction. Who waited for the lock finds them done."""
    dialects.lock(connection, "schema", however_long=True)
    found = _version(connection) or 0
    for version in range(found + 1, schema.VERSION + 1):
        migrations.STEPS[version].take(connection)
        _note(connection, version)
    dialects.guard(connection)


def _note(connection: Connection, version: int) -> None:
    row = {"version": version}
    if version >= migrations.OLDEST_KNOWN:
        row["oldest"] = migrations.STEPS[version].oldest
    connection.execute(insert(schema.schema_version).values(**row))
