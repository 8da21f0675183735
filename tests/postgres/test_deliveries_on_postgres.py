"""What is known of deliveries is kept in PostgreSQL as in SQLite, also by processes at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

from ledger import Ledger
from phasegate.events import Announcement

AT = datetime(2026, 11, 25, 9, tzinfo=UTC)
CRM = "subscriber/crm"


def write(ledger: Ledger, product: str, count: int) -> None:
    start = ledger.head(product).seq
    batch = [
        Announcement(id=f"{product}#{n}", type="t", product=product, source="s", at=AT, text="x")
        for n in range(start + 1, start + count + 1)
    ]
    ledger.append(product, batch)


def due(ledger: Ledger, receiver: str = CRM) -> list[int]:
    return [item.entry.seq for item in ledger.deliveries.due(receiver, "atlas")]


def test_receivers_are_enrolled_once_and_start_where_they_asked_to(url: str) -> None:
    ledgers = [Ledger(url) for _ in range(4)]
    write(ledgers[0], "atlas", 3)
    wanted = {CRM: False, "subscriber/archive": True}
    with ThreadPoolExecutor(4) as pool:
        new = list(pool.map(lambda one: one.receivers.enroll(wanted, AT), ledgers))
    assert sorted(map(len, new)) == [0, 0, 0, 2]
    write(ledgers[0], "atlas", 1)
    assert due(ledgers[1]) == [4]
    assert due(ledgers[2], "subscriber/archive") == [1, 2, 3, 4]
    for one in ledgers:
        one.close()


def test_what_is_settled_dead_and_tried_again(ledger: Ledger) -> None:
    write(ledger, "atlas", 3)
    entries = [item.entry for item in ledger.deliveries.due(CRM, "atlas")]
    assert ledger.deliveries.failing(CRM, "atlas", AT, "503") == AT
    assert ledger.deliveries.failing(CRM, "atlas", AT + timedelta(hours=1), "503") == AT
    ledger.deliveries.settle(CRM, "atlas", entries[:1], "sent", AT)
    ledger.deliveries.settle(CRM, "atlas", entries[1:2], "dead", AT, "no answer")
    assert due(ledger) == [3]
    assert [(b.product, b.seq, b.head) for b in ledger.deliveries.behind(CRM)] == [("atlas", 2, 3)]
    ledger.dead_letters.retry(ledger.dead_letters.of("atlas"), AT)
    assert due(ledger) == [2, 3]
    ledger.deliveries.settle(CRM, "atlas", entries[1:], "sent", AT)
    assert due(ledger) == []
    assert ledger.deliveries.behind(CRM) == []
    ledger.deliveries.note("mail/ana", entries[:1], "sent", AT)
    assert ledger.deliveries.sent("mail/ana", {("atlas", 1), ("atlas", 2)}) == {("atlas", 1)}
    ledger.receivers.going(CRM, "https://crm.example.com", AT)
    assert ledger.receivers.away() == {CRM: AT}
    assert ledger.receivers.welcome(CRM)
