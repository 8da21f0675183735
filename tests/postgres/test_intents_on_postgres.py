"""Acts that cannot be undone, with the ledger in PostgreSQL: exactly one worker begins one."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

from ledger import Ledger
from ledger.intents import Intent

AT = datetime(2027, 3, 1, 9, 0, tzinfo=UTC)


def begin(ledger: Ledger, key: str) -> bool:
    return ledger.intents.begin(key, "atlas", 1, "delete-data", AT)[1]


def test_of_several_workers_exactly_one_begins_an_act(url: str) -> None:
    keys = [f"product/atlas/sunset/1/task-{n}" for n in range(40)]
    ledgers = [Ledger(url) for _ in range(8)]
    begin(ledgers[0], "the tables are there")

    def contend(ledger: Ledger) -> list[str]:
        return [key for key in keys if begin(ledger, key)]

    for _ in range(2):  # as new acts, then as acts that did not happen
        with ThreadPoolExecutor(8) as workers:
            won = [key for found in workers.map(contend, ledgers) for key in found]
        assert sorted(won) == sorted(keys)
        for key in keys:
            for attempt in (1, 2):
                ledgers[0].intents.end(key, attempt, "not-done", AT)
    for ledger in ledgers:
        ledger.close()


def test_what_becomes_of_an_act(ledger: Ledger) -> None:
    assert begin(ledger, "k" * 400)
    intent = ledger.intents.end("k" * 400, 1, "unknown", AT, "{}")
    assert (intent.state, intent.begun_at) == ("unknown", AT)
    hour = AT + timedelta(hours=1)
    settled = Intent("k" * 400, "atlas", 1, "delete-data", hour, 0, "not-done", "{}")
    ledger.intents.settle(settled, asked_at=AT - timedelta(seconds=1))
    assert not begin(ledger, "k" * 400)
    ledger.intents.settle(settled, asked_at=hour)
    assert begin(ledger, "k" * 400)
