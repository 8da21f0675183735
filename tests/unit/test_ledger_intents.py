"""Intents: exactly one begins an act, and what is known of it is not forgotten."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from multiprocessing import get_context
from multiprocessing.queues import Queue
from pathlib import Path

import pytest
from insisting import persistently

from ledger import Ledger
from ledger.intents import Intent

AT = datetime(2027, 3, 1, 9, 0, tzinfo=UTC)
LATER = AT + timedelta(hours=1)
SPAWN = get_context("spawn")


def begin(ledger: Ledger, key: str = "k", at: datetime = AT) -> tuple[Intent, bool]:
    return ledger.intents.begin(key, "atlas", 1, "delete-data", at)


def verdict(state: str, at: datetime = LATER, key: str = "k") -> Intent:
    return Intent(key, "atlas", 1, "delete-data", at, 0, state, f"{state} by ada")  # type: ignore[arg-type]


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    opened = Ledger(f"sqlite:///{tmp_path}/ledger.db")
    yield opened
    opened.close()


def test_an_act_is_begun_once(ledger: Ledger) -> None:
    intent, mine = begin(ledger)
    assert mine
    assert intent == Intent("k", "atlas", 1, "delete-data", AT, 1, "begun", "")
    assert begin(ledger, at=LATER) == (intent, False)


@pytest.mark.parametrize("state", ["done", "unknown"])
def test_what_is_done_or_unknown_is_not_begun_again(ledger: Ledger, state: str) -> None:
    begin(ledger)
    ended = ledger.intents.end("k", 1, state, AT, "why")  # type: ignore[arg-type]
    assert begin(ledger, at=LATER) == (ended, False)
    assert (ended.state, ended.result) == (state, "why")


def test_what_is_not_done_is_begun_again(ledger: Ledger) -> None:
    begin(ledger)
    ledger.intents.end("k", 1, "not-done", AT, "refused")
    intent, mine = begin(ledger, at=LATER)
    assert mine
    assert (intent.attempt, intent.begun_at, intent.result) == (2, LATER, "")
    # The first attempt has no say any more, unless it did it after all.
    assert ledger.intents.end("k", 1, "not-done", LATER).state == "begun"
    assert ledger.intents.end("k", 1, "unknown", LATER).state == "begun"
    assert ledger.intents.end("k", 1, "done", LATER, "first").state == "done"
    assert ledger.intents.end("k", 2, "done", LATER, "second").result == "first"
    assert ledger.intents.end("k", 2, "not-done", LATER).state == "done"


def test_a_verdict_is_about_what_was_begun_before_it(ledger: Ledger) -> None:
    begin(ledger)
    ledger.intents.settle(verdict("not-done"), asked_at=AT)
    _, mine = begin(ledger, at=LATER)
    assert mine
    ledger.intents.settle(verdict("not-done"), asked_at=AT)
    assert begin(ledger, at=LATER)[1] is False
    ledger.intents.settle(verdict("done"), asked_at=AT)
    ledger.intents.settle(verdict("not-done"), asked_at=LATER)
    intent, _ = begin(ledger)
    assert (intent.state, intent.result) == ("done", "done by ada")


def test_a_verdict_on_what_was_never_begun(ledger: Ledger) -> None:
    ledger.intents.settle(verdict("not-done"), asked_at=AT)
    assert begin(ledger)[1] is True
    ledger.intents.settle(verdict("done", key="other"), asked_at=AT)
    assert begin(ledger, "other")[0].result == "done by ada"
    with pytest.raises(LookupError):
        ledger.intents.end("never", 1, "done", AT)


def test_long_keys_do_not_meet(ledger: Ledger) -> None:
    long = "product/atlas/sunset/1/" + "a" * 300
    assert begin(ledger, long + "1")[1]
    assert begin(ledger, long + "2")[1]
    assert not begin(ledger, long + "1")[1]
    assert ledger.intents.end(long + "1", 1, "done", AT).state == "done"
    assert begin(ledger, long + "2")[0].state == "begun"


def contend(url: str, keys: list[str], won: Queue[list[str]]) -> None:
    ledger = Ledger(url)
    won.put([key for key in keys if persistently(partial(begin, ledger, key))[1]])
    ledger.close()


def winners(url: str) -> list[str]:
    """Four processes begin the same acts at the same time; who began which."""
    keys = [f"product/atlas/sunset/1/task-{n}" for n in range(40)]
    won: Queue[list[str]] = SPAWN.Queue()
    processes = [SPAWN.Process(target=contend, args=(url, keys, won)) for _ in range(4)]
    for process in processes:
        process.start()
    found = [key for _ in processes for key in won.get(timeout=180)]
    for process in processes:
        process.join(180)
    assert sorted(set(found)) == sorted(keys)
    return found


def test_of_several_processes_exactly_one_begins_an_act(tmp_path: Path) -> None:
    found = winners(f"sqlite:///{tmp_path}/ledger.db")
    assert len(found) == len(set(found))
