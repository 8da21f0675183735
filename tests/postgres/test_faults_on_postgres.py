"""What goes wrong with a database server while several processes write: nothing is lost, nothing is
there twice, and nobody waits for ever."""

from __future__ import annotations

import signal
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from insisting import persistently
from postgres import Server, processes, running_postgres

from client.dev_server import free_port
from ledger import Ledger, LedgerError
from ledger import server as bounds
from ledger.streams import lock_head
from phasegate.events import Anchor, Announcement

AT = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


def event(n: int, who: str = "a") -> Announcement:
    return Announcement(
        id=f"atlas/{who}#{n}", type="gate.vote", product="atlas", source="test", at=AT, text=str(n)
    )


def _write(url: str, who: str, count: int, begun: Any) -> None:
    ledger = Ledger(url)
    for n in range(count):
        batch = [event(n, who), event(n, f"{who}'")]
        persistently(partial(ledger.append, "atlas", batch))
        begun.set()
    ledger.close()


def test_a_server_that_crashes_while_processes_write_has_every_event_once() -> None:
    context = processes()
    with running_postgres() as mine:
        url = mine.database()
        begun = [context.Event() for _ in "abc"]
        writers = [
            context.Process(target=_write, args=(url, who, 60, flag))
            for who, flag in zip("abc", begun, strict=True)
        ]
        for writer in writers:
            writer.start()
        for flag in begun:
            assert flag.wait(120)
        for how in (signal.SIGQUIT, signal.SIGINT):
            mine.stop(how)
            mine.start()
        for writer in writers:
            writer.join(180)
            assert writer.exitcode == 0
        ledger = Ledger(url)
        assert ledger.verify("atlas") == 3 * 60 * 2
        ids = [entry.announcement.id for entry in ledger.events("atlas")]
        assert len(set(ids)) == len(ids)
        for who in "abc":
            mine_only = [id for id in ids if id.startswith(f"atlas/{who}#")]
            assert mine_only == [f"atlas/{who}#{n}" for n in range(60)]
        ledger.close()


def copied(copy: Ledger, head: Anchor) -> None:
    """A standby is a moment behind. Raises LedgerError until it has this, too."""
    if copy.head("atlas") != head:
        raise LedgerError("the standby is behind", "it has not been told yet", "ask again")


def test_the_standby_that_takes_over_goes_on_with_the_record(tmp_path: Path) -> None:
    with running_postgres() as primary:
        standby = Server(primary.bin, primary.data.parent / "standby", free_port())
        account = primary.account
        subprocess.run(
            [
                *(str(primary.bin / "pg_basebackup"), "-h", "127.0.0.1", "-p", str(primary.port)),
                *("-U", "phasegate", "-D", str(standby.data), "-R", "-X", "stream", "-c", "fast"),
            ],
            user=account,
            check=True,
            capture_output=True,
            cwd="/",
        )
        standby.start()
        try:
            hosts = f"host=127.0.0.1:{primary.port}&host=127.0.0.1:{standby.port}"
            here = "postgresql+psycopg://phasegate@/postgres"
            ledger = Ledger(f"{here}?{hosts}&target_session_attrs=read-write")
            head = ledger.append("atlas", [event(1), event(2)])
            copy = Ledger(standby.url("postgres"))
            persistently(lambda: copied(copy, head))
            assert copy.verify("atlas", head) == 2
            with pytest.raises(LedgerError, match="standby") as refused:
                copy.append("atlas", [event(3)])
            assert "target_session_attrs" in refused.value.hint
            copy.close()
            primary.stop(signal.SIGQUIT)
            with pytest.raises(LedgerError):
                ledger.append("atlas", [event(3)])
            promoted = standby.sql("postgres", "SELECT pg_promote()")
            assert promoted.returncode == 0, promoted.stderr
            assert persistently(lambda: ledger.append("atlas", [event(2), event(3)])).seq == 3
            assert ledger.verify("atlas", head) == 3
            ledger.close()
        finally:
            standby.stop()


class Cutting:
    """Stands before a server, and hides from a client that its transaction was written."""

    def __init__(self, port: int) -> None:
        self._to, self.cut = port, False
        self._sockets = [socket.create_server(("127.0.0.1", 0))]
        self.port = self._sockets[0].getsockname()[1]
        self._threads: list[threading.Thread] = []
        self._run(self._accept)

    def _run(self, work: Callable[..., None], *args: Any) -> None:
        self._threads.append(threading.Thread(target=work, args=args, daemon=True))
        self._threads[-1].start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._sockets[0].accept()
                server = socket.create_connection(("127.0.0.1", self._to))
                self._sockets += [client, server]
                self._run(self._pass, client, server, False)
                self._run(self._pass, server, client, True)

    def _pass(self, here: socket.socket, there: socket.socket, answers: bool) -> None:
        with suppress(OSError):
            while data := here.recv(65536):
                if answers and self.cut and b"COMMIT\0" in data:
                    self.cut = False
                    break
                there.sendall(data)
        for end in (here, there):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        for end in self._sockets:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(10)
        for end in self._sockets:
            end.close()


@contextmanager
def cutting(server: Server) -> Iterator[Cutting]:
    proxy = Cutting(server.port)
    try:
        yield proxy
    finally:
        proxy.close()


def test_a_commit_whose_answer_is_lost_is_written_once(server: Server, url: str) -> None:
    with cutting(server) as proxy:
        ledger = Ledger(url.replace(f":{server.port}/", f":{proxy.port}/"))
        ledger.append("atlas", [event(1)])
        proxy.cut = True
        with pytest.raises(LedgerError):
            ledger.append("atlas", [event(2), event(3)])
        assert ledger.head("atlas").seq == 3, "it was written all the same"
        assert ledger.append("atlas", [event(2), event(3), event(4)]).seq == 4
        proxy.cut = True
        with pytest.raises(LedgerError):
            ledger.intents.begin("key", "atlas", 1, "destroy", AT)
        intent, mine = ledger.intents.begin("key", "atlas", 1, "destroy", AT)
        assert (intent.state, mine) == ("begun", False), "nobody may believe that it was not begun"
        assert ledger.verify("atlas") == 4
        ledger.close()


def test_who_hangs_with_a_stream_locked_loses_it_and_the_others_go_on(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(bounds.BOUNDS, "lock_timeout", "30s")
    monkeypatch.setitem(bounds.BOUNDS, "idle_in_transaction_session_timeout", "2s")
    hanging, other = Ledger(url), Ledger(url)
    hanging.append("atlas", [event(1)])

    def hang() -> None:
        with hanging.database.writing() as connection:
            lock_head(connection, "atlas")
            assert other.append("atlas", [event(2)]).seq == 2
            lock_head(connection, "atlas")

    with pytest.raises(LedgerError):
        hang()
    assert hanging.append("atlas", [event(3)]).seq == 3
    assert other.verify("atlas") == 3
    hanging.close()
    other.close()


def test_nobody_waits_for_a_stream_for_ever(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(bounds.BOUNDS, "lock_timeout", "200ms")
    holding, other = Ledger(url), Ledger(url)
    holding.append("atlas", [event(1)])
    other.head("atlas")
    with holding.database.writing() as connection:
        lock_head(connection, "atlas")
        with pytest.raises(LedgerError, match="lock timeout") as error:
            other.append("atlas", [event(2)])
        assert "pg_stat_activity" in error.value.hint
    assert other.append("atlas", [event(2)]).seq == 2
    holding.close()
    other.close()


def test_of_two_that_wait_for_each_other_one_is_told_to_do_it_again(url: str) -> None:
    ledgers = [Ledger(url), Ledger(url)]
    ledgers[0].head("atlas")
    both = threading.Barrier(2, timeout=30)
    failed: list[LedgerError] = []

    def write(ledger: Ledger, *products: str) -> None:
        try:
            with ledger.database.writing() as connection:
                lock_head(connection, products[0])
                both.wait()
                lock_head(connection, products[1])
        except LedgerError as error:
            failed.append(error)

    threads = [
        threading.Thread(target=write, args=(ledgers[0], "atlas", "kite")),
        threading.Thread(target=write, args=(ledgers[1], "kite", "atlas")),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    (error,) = failed
    assert "deadlock" in error.why
    assert "do it again" in error.hint
    for ledger in ledgers:
        ledger.close()


def test_a_database_with_another_isolation_is_written_like_any(server: Server, url: str) -> None:
    name = url.rsplit("/", 1)[1]
    asked = f"ALTER DATABASE {name} SET default_transaction_isolation = 'serializable'"
    assert server.sql("postgres", asked).returncode == 0
    ledgers = [Ledger(url) for _ in range(4)]
    ledgers[0].head("atlas")

    def write(ledger: Ledger, who: str) -> None:
        for n in range(10):
            ledger.append("atlas", [event(n, who)])

    failed: list[BaseException] = []

    def writing(ledger: Ledger, who: str) -> None:
        try:
            write(ledger, who)
        except LedgerError as error:
            failed.append(error)

    threads = [
        threading.Thread(target=writing, args=(ledger, who))
        for ledger, who in zip(ledgers, "abcd", strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failed == []
    assert ledgers[0].verify("atlas") == 40
    for ledger in ledgers:
        ledger.close()


def test_a_process_takes_no_more_connections_than_it_may(
    server: Server, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounds, "PATIENCE", 60.0)
    ledger = Ledger(url)
    ledger.append("atlas", [event(1)])
    name = url.rsplit("/", 1)[1]
    count = f"SELECT numbackends FROM pg_stat_database WHERE datname = '{name}'"  # noqa: S608
    release = threading.Event()
    reading = threading.Semaphore(0)
    failed: list[BaseException] = []

    def read() -> None:
        try:
            with ledger.database.reading():
                reading.release()
                release.wait(60)
        except LedgerError as error:
            failed.append(error)

    threads = [threading.Thread(target=read) for _ in range(bounds.CONNECTIONS + 5)]
    for thread in threads:
        thread.start()
    for _ in range(bounds.CONNECTIONS):
        assert reading.acquire(timeout=60)
    assert int(server.sql("postgres", count).stdout) == bounds.CONNECTIONS
    release.set()
    for thread in threads:
        thread.join(30)
    assert failed == []
    assert int(server.sql("postgres", count).stdout) <= bounds.CONNECTIONS
    ledger.close()


def test_without_rights_it_says_who_has_them(server: Server, url: str) -> None:
    server.sql("postgres", "CREATE ROLE stranger LOGIN")
    ledger = Ledger(url.replace("//phasegate@", "//stranger@"))
    with pytest.raises(LedgerError, match="permission denied") as error:
        ledger.append("atlas", [event(1)])
    assert "owner" in error.value.hint
    ledger.close()
