"""A ledger on a database server: connections that are bounded, notice what is dead, and hold no
lock for ever.

What the bounds end is a transaction, whole: activities are retried by Temporal, and a person is
asked to repeat a command. So nothing here tries again by itself.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, func, select
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

CONNECTIONS = 20
"""To a database server at most, for each process."""

KEPT = 5
"""Of them stay open while nobody uses them."""

PATIENCE = 10.0
"""Seconds that a thread waits for one of them."""

CONNECT = {
    "connect_timeout": 5,
    # The server then says what its encoding has no place for; the driver would only fail.
    "client_encoding": "utf8",
    # A server that went without a word, with its machine or its network: gone after a minute, not
    # after the two hours of the operating system.
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
}
"""For libpq. What the URL says prevails."""

BOUNDS = {"lock_timeout": "10s", "idle_in_transaction_session_timeout": "30s"}
"""For transactions that write. A worker that hangs with a stream locked loses its transaction, and
who waits for it does not wait for ever. Set in each, not in the session: poolers share sessions."""

_IN_UTF8 = "make another database: CREATE DATABASE phasegate ENCODING 'UTF8' TEMPLATE template0"

HINTS = {
    "22021": _IN_UTF8,  # it knows no characters
    "22P05": _IN_UTF8,  # it has no place for this one
    "25006": "it is a standby: name the primary, or all hosts with target_session_attrs=read-write",
    "42501": "make and change its tables as their owner, with phasegate doctor; "
    "see docs/connections.md",
    "55P03": "somebody holds what is to be written: do it again, or look at pg_stat_activity",
    "40P01": "somebody wrote at the same moment: do it again",
    "40001": "somebody wrote at the same moment: do it again",
}
"""By the server's own code for what went wrong (SQLSTATE)."""

_STATES_OF_A_SOUND_CONNECTION = ("42501", "55P03", "40P01", "40001")


class ReadOnly(SQLAlchemyError):
    """The server takes no writes: a standby, or set so."""

    sqlstate = "25006"


class Unencoded(SQLAlchemyError):
    """The database keeps bytes, whatever they mean; the driver then hands out bytes for text."""

    sqlstate = "22021"


def server_engine(url: URL, writes: str) -> Engine:
    """`writes` is the execution option of connections whose transaction is going to write.

    Raises SQLAlchemyError, and ImportError without a driver.
    """
    known: dict[str, Any] = {}
    if url.get_driver_name() == "psycopg":
        known = {name: value for name, value in CONNECT.items() if name not in url.query}
    engine = create_engine(
        url,
        connect_args=known,
        # As the rules of streams and intents are written; a database may have another default.
        isolation_level="READ COMMITTED",
        pool_size=KEPT,
        max_overflow=CONNECTIONS - KEPT,
        pool_timeout=PATIENCE,
        # One question before each use: a restart of the server is then noticed by nobody.
        pool_pre_ping=True,
    )

    @event.listens_for(engine, "connect", insert=True)  # SQLAlchemy's own asks for text at once
    def _connect(connection: Any, record: Any) -> None:
        del record
        said = getattr(connection.info, "parameter_status", lambda _: None)
        if said("server_encoding") == "SQL_ASCII":
            connection.close()
            raise Unencoded("its encoding is SQL_ASCII, which does not know what a letter is")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        if connection.get_execution_options().get(writes):
            bounds = "".join(f"set_config('{k}', '{v}', true), " for k, v in BOUNDS.items())
            asked = f"SELECT {bounds}current_setting('transaction_read_only')"
            if connection.exec_driver_sql(asked).one()[-1] == "on":
                raise ReadOnly("the database server takes no writes: it is a standby, or set so")

    return engine


def lock(connection: Connection, name: str, *, however_long: bool) -> None:
    """Wait for the lock of that name, which is given back when the transaction ends."""
    if however_long:
        connection.exec_driver_sql("SET LOCAL lock_timeout = 0")
    connection.execute(select(func.pg_advisory_xact_lock(func.hashtext(f"phasegate/{name}"))))
    if however_long:
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{BOUNDS['lock_timeout']}'")


def hint_of(error: BaseException) -> str | None:
    """What helps, where the server said what is wrong."""
    return HINTS.get(_state(error) or "")


def ends_the_connection(error: BaseException) -> bool:
    """Whether the next transaction had better have a new one."""
    return _state(error) not in _STATES_OF_A_SOUND_CONNECTION


def _state(error: BaseException) -> str | None:
    cause = error.orig if isinstance(error, DBAPIError) else error
    state = getattr(cause, "sqlstate", None)
    return state if isinstance(state, str) else None
