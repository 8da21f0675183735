"""Several processes write one ledger, and some of them are killed."""

import os
import signal
import threading
import time
from datetime import UTC, datetime
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from insisting import persistently

from ledger import Ledger
from phasegate.directory import Directory, Person
from phasegate.events import Announcement

AT = datetime(2026, 1, 1, tzinfo=UTC)
SPAWN = get_context("spawn")


def event(source: str, n: int) -> Announcement:
    return Announcement(
        id=f"{source}#{n}", type="t", product="atlas", source=source, at=AT, text=f"{source} {n}"
    )


def write(url: str, source: str, count: int) -> None:
    ledger = Ledger(url)
    for n in range(0, count, 3):
        batch = [event(source, n + i) for i in range(3)]
        persistently(partial(ledger.append, "atlas", batch))  # SQLite's lock is not fair
    ledger.close()


def publish(url: str, who: str, count: int) -> None:
    ledger = Ledger(url)
    for n in range(count):
        directory = Directory(people={f"{who}{n}": Person()}, groups={})
        publishing = ledger.documents.publish
        persistently(partial(publishing, "directory", "default", directory, AT, who))
    ledger.close()


def test_processes_that_open_a_new_ledger_together_never_fork_its_stream(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/new/ledger.db"
    # Two of them write the same events, as an activity and its retry may.
    sources = ["a", "b", "c", "d", "d"]
    writers = [SPAWN.Process(target=write, args=(url, source, 60)) for source in sources]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(180)
    assert [writer.exitcode for writer in writers] == [0] * 5
    ledger = Ledger(url)
    assert ledger.verify("atlas") == 240
    entries = ledger.events("atlas")
    for source in "abcd":
        of_source = [e.announcement for e in entries if e.announcement.source == source]
        assert of_source == [event(source, n) for n in range(60)]
    ledger.close()


def test_killed_writers_leave_whole_batches_and_a_chain_that_goes_on(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/ledger.db"
    ledger = Ledger(url)
    for attempt in range(5):
        writers = [SPAWN.Process(target=write, args=(url, s, 30_000)) for s in ("a", "b")]
        for writer in writers:
            writer.start()
        before = ledger.head("atlas").seq
        while ledger.head("atlas").seq < before + 30:
            assert all(writer.is_alive() for writer in writers)
            time.sleep(0.01)
        time.sleep(attempt * 0.011)
        for writer in writers:
            assert writer.pid
            os.kill(writer.pid, signal.SIGKILL)
            writer.join(180)
        length = ledger.verify("atlas", ledger.head("atlas"))
        assert length % 3 == 0
        assert length > before
    entries = ledger.events("atlas")
    for source in ("a", "b"):
        of_source = [e.announcement for e in entries if e.announcement.source == source]
        assert of_source == [event(source, n) for n in range(len(of_source))]
    ledger.append("atlas", [event("a", n) for n in range(10_000)][-3:])
    assert ledger.verify("atlas") == len(entries) + 3
    ledger.close()


def test_threads_share_a_ledger(tmp_path: Path) -> None:
    ledger = Ledger(f"sqlite:///{tmp_path}/ledger.db")
    failures: list[BaseException] = []

    def work(source: str) -> None:
        try:
            for n in range(20):
                persistently(partial(ledger.append, "atlas", [event(source, n)]))
                ledger.verify("atlas")
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(f"t{n}",)) for n in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(180)
    assert not failures
    assert ledger.verify("atlas") == 240
    ledger.close()


def test_processes_that_publish_together_are_all_in_the_history(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/ledger.db"
    writers = [SPAWN.Process(target=publish, args=(url, who, 10)) for who in ("ann", "bob", "cy")]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(180)
    ledger = Ledger(url)
    history = ledger.documents.history("directory", "default")
    assert [publication.n for publication in history] == list(range(1, 31))
    assert len({publication.digest for publication in history}) == 30
    ledger.close()
