"""The record in PostgreSQL: one chain whoever writes, defended by the database, kept by faults."""

from __future__ import annotations

import multiprocessing
import re
import signal
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from postgres import Server, processes
from sqlalchemy import create_engine, insert, inspect, text
from sqlalchemy.exc import DBAPIError

from client.redactions import Order, Redaction
from ledger import ChainBroken, Ledger, LedgerError, migrations, schema
from phasegate.customers import Row as CustomerRow
from phasegate.directory import Directory
from phasegate.events import Announcement

WRITTEN = Path(__file__).parents[1] / "unit"

AT = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


def event(n: int, who: str = "a", product: str = "atlas") -> Announcement:
    return Announcement(
        id=f"{product}/{who}#{n}", type="gate.vote", product=product, source="test", at=AT,
        actor="märia", text=f"the {n}th — événement \N{SNOWMAN}", data={"n": n, "b": [1.5, None]},
    )  # fmt: skip


def execute(url: str, *statements: str) -> None:
    engine = create_engine(url)
    try:
        with engine.begin() as connection:
            for statement in statements:
                connection.execute(text(statement))
    finally:
        engine.dispose()


def test_what_is_written_is_read_again_and_verifies(ledger: Ledger) -> None:
    head = ledger.append("atlas", [event(1), event(2)])
    assert ledger.append("atlas", [event(2), event(3)]).seq == 3
    assert [entry.announcement for entry in ledger.events("atlas")] == [event(n) for n in (1, 2, 3)]
    assert [e.seq for e in ledger.events("atlas", after_seq=1, types=("gate.vote",))] == [2, 3]
    assert ledger.verify("atlas", head) == 3
    assert ledger.streams()["atlas"] == ledger.head("atlas")
    assert ledger.events("none") == []


def test_documents_have_their_history(ledger: Ledger) -> None:
    one = Directory.model_validate({"people": {"ann": {}}, "groups": {}})
    two = Directory.model_validate({"people": {"ann": {}, "bob": {}}, "groups": {}})
    for document in (one, two, one):
        ledger.documents.publish("directory", "default", document, AT, "maria")
    assert [entry.n for entry in ledger.documents.history("directory", "default")] == [1, 2, 3]
    current = ledger.documents.current("directory", "default")
    assert current is not None
    assert ledger.documents.read_directory(current.digest) == one


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE events SET body = '{}' WHERE seq = 1",
        "DELETE FROM events",
        "TRUNCATE events CASCADE",
        "UPDATE streams SET seq = 0",
        "UPDATE streams SET product = 'other'",
        "DELETE FROM streams",
        "DELETE FROM schema_version",
        "UPDATE events SET body = '{}', seal = 'x'",
        'UPDATE events SET seal = \'{"redacted":{"0":"x"}}\', hash = \'x\'',
        "UPDATE documents SET body = '{}'",
        "UPDATE documents SET body = '{}', redacted = 'atlas/1', name = 'other'",
        "UPDATE publications SET published_by = 'eve'",
        "DELETE FROM publications",
    ],
)
def test_the_database_refuses_to_change_the_record(
    ledger: Ledger, url: str, statement: str
) -> None:
    ledger.append("atlas", [event(1)])
    document = Directory.model_validate({"people": {}, "groups": {}})
    ledger.documents.publish("directory", "default", document, AT, "maria")
    with pytest.raises(DBAPIError, match=r"append-only|foreign key"):
        execute(url, statement)
    assert ledger.verify("atlas") == 1


def test_somebody_is_taken_out_of_the_record_and_of_nothing_else(ledger: Ledger, url: str) -> None:
    old = Directory.model_validate(
        {"people": {"maria": {"name": "Märia"}}, "groups": {"eng": {"members": ["maria"]}}}
    )
    digest = ledger.documents.publish("directory", "default", old, AT, "maria")
    without = Directory.model_validate({"people": {}, "groups": {}})
    ledger.documents.publish("directory", "default", without, AT, "ana")
    head = ledger.append("atlas", [event(1), event(2)])
    ledger.customers.put("atlas", 1, [CustomerRow("c1", name="Lights")], AT, "maria")
    order = Order(kind="person", id="maria", by="ana", reason="asked", also=("märia",))
    who = Redaction(ledger, order).do().pseudonym
    assert [entry.announcement.actor for entry in ledger.events("atlas")] == [who, who, "ana"]
    assert ledger.verify("atlas", head) == 3
    assert ledger.documents.read_directory(digest).members("eng") == (who,)
    assert ledger.customers.changes("atlas")[0].by == who
    assert Redaction(ledger, order).do().products == []
    order = Order(kind="customer", id="c1", by="ana", reason="asked", key="atlas")
    assert Redaction(ledger, order).do().products[0].rows == 2
    assert ledger.customers.summary("atlas", 1).total == 1


def test_what_its_owner_changes_all_the_same_is_found(ledger: Ledger, url: str) -> None:
    ledger.append("atlas", [event(1), event(2)])
    execute(
        url,
        "DROP TRIGGER events_update ON events",
        "UPDATE events SET body = replace(body, 'märia', 'erwin') WHERE seq = 1",
    )
    with pytest.raises(ChainBroken):
        ledger.verify("atlas")


def _write(url: str, who: str, count: int) -> None:
    ledger = Ledger(url)
    for n in range(count):
        ledger.append("atlas", [event(n, who), event(n, who + "'")])
    ledger.close()


def test_processes_that_open_a_new_ledger_together_never_fork_its_stream(url: str) -> None:
    context = processes()
    writers = [context.Process(target=_write, args=(url, who, 25)) for who in "abcd"]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(180)
        assert writer.exitcode == 0
    ledger = Ledger(url)
    assert ledger.verify("atlas") == 4 * 25 * 2
    entries = ledger.events("atlas")
    assert [entry.seq for entry in entries] == list(range(1, 201))
    for who in "abcd":
        mine = [e.announcement.data["n"] for e in entries if e.announcement.id.startswith(f"atlas/{who}#")]  # fmt: skip  # noqa: E501
        assert mine == list(range(25)), "each writer's events stay in their order"
    ledger.close()


def test_nobody_notices_that_an_idle_connection_was_cut(ledger: Ledger, url: str) -> None:
    ledger.append("atlas", [event(1)])
    execute(
        url,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()",
    )
    assert ledger.append("atlas", [event(2)]).seq == 2
    assert ledger.verify("atlas") == 2


def test_a_server_that_crashed_and_is_back_has_all_that_was_acknowledged() -> None:
    from postgres import running_postgres

    with running_postgres() as mine:
        ledger = Ledger(mine.database())
        head = ledger.append("atlas", [event(1), event(2)])
        mine.stop(signal.SIGQUIT)
        with pytest.raises(LedgerError, match="cannot be") as error:
            ledger.append("atlas", [event(3)])
        assert "database server is up" in error.value.hint
        mine.start()
        assert ledger.head("atlas") == head
        assert ledger.append("atlas", [event(3)]).seq == 3
        assert ledger.verify("atlas", head) == 3
        ledger.close()


def test_no_password_is_shown(server: Server) -> None:
    url = f"postgresql+psycopg://who:s3cret@127.0.0.1:{server.port}/nowhere-{AT:%f}"
    with pytest.raises(LedgerError) as error:
        Ledger(url).append("atlas", [event(1)])
    shown = f"{error.value} {error.value.hint}"
    assert "s3cret" not in shown
    assert "postgresql+psycopg://who:***@127.0.0.1" in shown


def _open(url: str, started: Any) -> None:
    started.wait(60)
    ledger = Ledger(url)
    ledger.append("atlas", [event(1, str(multiprocessing.current_process().pid))])
    ledger.close()


def _as_written(version: int) -> list[str]:
    """What phasegate with that version wrote, in words that PostgreSQL knows, too."""
    text = (WRITTEN / f"ledger_version_{min(version, 2)}.sql").read_text()
    # Triggers are SQLite's own; a table comes before those that refer to it, and its rows after it.
    found = re.findall(r"^(?:CREATE TABLE|INSERT INTO|CREATE INDEX).*?;$", text, re.M | re.S)
    order = ["CREATE TABLE streams", "CREATE TABLE documents", "CREATE TABLE", "CREATE INDEX"]
    order += ['INSERT INTO "streams"', 'INSERT INTO "documents"', "INSERT"]
    return sorted(
        found, key=lambda words: next(n for n, o in enumerate(order) if words.startswith(o))
    )


@pytest.mark.parametrize("version", range(1, schema.VERSION))
def test_processes_that_open_an_older_ledger_together_migrate_it_once(
    url: str, version: int
) -> None:
    engine = create_engine(url)
    with engine.begin() as connection:
        for statement in _as_written(version):
            connection.exec_driver_sql(statement)
        for step in range(3, version + 1):
            migrations.STEPS[step].take(connection)
            connection.execute(insert(schema.schema_version).values(version=step))
        before = connection.execute(text("SELECT * FROM events ORDER BY product, seq")).all()
    context = processes()
    started = context.Event()
    openers = [context.Process(target=_open, args=(url, started)) for _ in "ab"]
    for opener in openers:
        opener.start()
    started.set()
    for opener in openers:
        opener.join(180)
        assert opener.exitcode == 0
    ledger = Ledger(url)
    assert (ledger.verify("atlas"), ledger.verify("kite")) == (5, 1)
    assert ledger.documents.current("directory", "default") is not None
    due = ledger.deliveries.due("subscriber/crm", "atlas")
    assert due[0].entry.seq == (1 if version == 1 else 3)
    with engine.connect() as connection:
        query = "SELECT * FROM events WHERE id LIKE 'product/%' ORDER BY product, seq"
        after = connection.execute(text(query)).all()
        versions = connection.execute(text("SELECT version FROM schema_version ORDER BY 1")).all()
    assert [row[: len(before[0])] for row in after] == before
    assert versions == [(n,) for n in range(min(version, 2), schema.VERSION + 1)]
    assert set(inspect(engine).get_table_names()) == set(schema.metadata.tables)
    engine.dispose()
    with pytest.raises(DBAPIError, match="append-only"):
        execute(url, "DELETE FROM events")
    ledger.close()


def test_a_ledger_of_a_later_version_is_left_alone(ledger: Ledger, url: str) -> None:
    ledger.append("atlas", [event(1)])
    ledger.close()
    execute(url, "INSERT INTO schema_version VALUES (99, 98)")
    with pytest.raises(LedgerError, match="schema version is 99") as error:
        ledger.append("atlas", [event(2)])
    assert "newer" in error.value.hint


@pytest.mark.parametrize(
    ("encoding", "why"),
    [("SQL_ASCII", "its encoding is SQL_ASCII"), ("LATIN1", 'no equivalent in encoding "LATIN1"')],
)
def test_a_database_that_cannot_keep_names_is_refused(
    server: Server, encoding: str, why: str
) -> None:
    ledger = Ledger(server.database(f"ENCODING '{encoding}' TEMPLATE template0"))
    with pytest.raises(LedgerError, match=why) as error:
        ledger.append("atlas", [event(1)])
    assert "ENCODING 'UTF8' TEMPLATE template0" in error.value.hint
    ledger.close()
