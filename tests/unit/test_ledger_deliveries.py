"""How far receivers are: nothing is sent twice, and what was given up can be tried again."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ledger import Entry, Ledger
from ledger.dead_letters import Silent
from phasegate.events import Announcement

NOW = datetime(2026, 11, 25, 9, tzinfo=UTC)
CRM = "subscriber/crm"


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    ledger = Ledger(f"sqlite:///{tmp_path}/ledger.db")
    yield ledger
    ledger.close()


def write(ledger: Ledger, count: int, product: str = "atlas") -> None:
    start = ledger.head(product).seq
    batch = [
        Announcement(
            id=f"{product}#{n}", type="gate.vote", product=product, source="s", at=NOW, text="t"
        )
        for n in range(start + 1, start + count + 1)
    ]
    ledger.append(product, batch)


def first(ledger: Ledger, receiver: str, product: str = "atlas") -> list[Entry]:
    return [item.entry for item in ledger.deliveries.due(receiver, product)]


def due(ledger: Ledger, receiver: str = CRM, limit: int = 100) -> list[int]:
    return [item.entry.seq for item in ledger.deliveries.due(receiver, "atlas", limit)]


def test_what_is_settled_is_not_due_again(ledger: Ledger) -> None:
    write(ledger, 5)
    one, two, three, *_ = first(ledger, CRM)
    ledger.deliveries.settle(CRM, "atlas", [one], "sent", NOW)
    ledger.deliveries.settle(CRM, "atlas", [two], None, NOW)
    ledger.deliveries.settle(CRM, "atlas", [three], "dead", NOW, "no answer")
    assert due(ledger) == [4, 5]
    assert due(ledger, "subscriber/other", limit=2) == [1, 2]
    assert [(d.seq, d.state, d.why) for d in ledger.dead_letters.of("atlas")] == [
        (3, "dead", "no answer")
    ]
    ledger.deliveries.settle(CRM, "atlas", [one], "sent", NOW)  # recorded twice: never backwards
    assert due(ledger) == [4, 5]


def test_what_is_tried_again_comes_first_and_is_then_done(ledger: Ledger) -> None:
    write(ledger, 4)
    entries = first(ledger, CRM)
    ledger.deliveries.settle(CRM, "atlas", entries[:3], "dead", NOW, "no answer")
    dead = ledger.dead_letters.of("atlas", CRM)
    ledger.dead_letters.retry(dead[1:], NOW)
    assert due(ledger) == [2, 3, 4]
    assert due(ledger, limit=1) == [2]
    ledger.deliveries.settle(CRM, "atlas", entries[1:3], "sent", NOW)
    assert due(ledger) == [4]
    assert [d.seq for d in ledger.dead_letters.of("atlas")] == [1]
    assert ledger.dead_letters.given_up() == {"atlas": 1}
    ledger.dead_letters.retry(
        dead, NOW
    )  # a second try of what was sent meanwhile: only the dead one
    assert due(ledger) == [1, 4]


def test_failing_counts_from_the_first_failure_until_something_is_taken(ledger: Ledger) -> None:
    write(ledger, 2)
    later = NOW + timedelta(hours=3)
    assert ledger.deliveries.failing(CRM, "atlas", NOW, "503") == NOW
    assert ledger.deliveries.failing(CRM, "atlas", later, "503") == NOW
    assert ledger.dead_letters.silent() == {CRM: Silent(NOW, "atlas")}
    assert [(late.receiver, late.why) for late in ledger.dead_letters.late("atlas")] == [
        (CRM, "503")
    ]
    ledger.deliveries.settle(CRM, "atlas", first(ledger, CRM)[:1], "sent", later)
    assert ledger.deliveries.failing(CRM, "atlas", later, "503") == later


def test_what_is_given_up_or_of_no_interest_does_not_end_the_failing(ledger: Ledger) -> None:
    write(ledger, 3)
    one, two, three = first(ledger, CRM)
    later = NOW + timedelta(days=3)
    assert ledger.deliveries.failing(CRM, "atlas", NOW, "503") == NOW
    ledger.deliveries.settle(CRM, "atlas", [one], "dead", later, "503")
    ledger.deliveries.settle(CRM, "atlas", [two], None, later)
    assert ledger.deliveries.failing(CRM, "atlas", later, "503") == NOW
    assert ledger.dead_letters.silent() == {CRM: Silent(NOW, "atlas")}
    ledger.deliveries.settle(CRM, "atlas", [three], "dead", later, "503")
    assert ledger.dead_letters.silent() == {}  # nothing waits: the dead letters say it
    assert ledger.dead_letters.late("atlas") == []
    ledger.dead_letters.retry(ledger.dead_letters.of("atlas")[:1], later)
    assert ledger.dead_letters.silent() == {CRM: Silent(NOW, "atlas")}


def test_days_count_from_the_event_or_from_when_another_try_was_asked_for(ledger: Ledger) -> None:
    write(ledger, 2)
    later = NOW + timedelta(days=9)
    ledger.deliveries.settle(CRM, "atlas", first(ledger, CRM)[:1], "dead", NOW, "503")
    ledger.dead_letters.retry(ledger.dead_letters.of("atlas"), later)
    found = ledger.deliveries.due(CRM, "atlas")
    assert [(d.entry.seq, d.again, d.since) for d in found] == [(1, True, later), (2, False, NOW)]


def test_a_new_receiver_is_sent_what_happens_from_then_on(ledger: Ledger) -> None:
    write(ledger, 3)
    wanted = {CRM: False, "subscriber/archive": True}
    assert ledger.receivers.enroll(wanted, NOW) == [CRM, "subscriber/archive"]
    write(ledger, 1)
    assert ledger.receivers.enroll(wanted, NOW) == []
    assert due(ledger) == [4]
    assert due(ledger, "subscriber/archive") == [1, 2, 3, 4]
    write(ledger, 1, "kite")  # a product that starts later, from its first event
    assert [b.product for b in ledger.deliveries.behind(CRM)] == ["atlas", "kite"]


def test_products_that_lag_behind_are_found_page_by_page(ledger: Ledger) -> None:
    for n in range(5):
        write(ledger, 2, f"p{n}")
    for product in ("p1", "p3"):
        entries = first(ledger, CRM, product)
        ledger.deliveries.settle(CRM, product, entries, "sent", NOW)
    entries = first(ledger, CRM, "p4")
    ledger.deliveries.settle(CRM, "p4", entries, "dead", NOW, "x")
    found = ledger.deliveries.behind(CRM, limit=1)
    assert [(b.product, b.seq, b.head) for b in found] == [("p0", 0, 2)]
    assert [b.product for b in ledger.deliveries.behind(CRM, "p0")] == ["p2"]
    ledger.dead_letters.retry(ledger.dead_letters.of("p4"), NOW)
    assert [b.product for b in ledger.deliveries.behind(CRM, "p0")] == ["p2", "p4"]


def test_gone_is_gone_at_this_address_until_welcomed(ledger: Ledger) -> None:
    url = "https://crm.example.com/hook?token=secret-word"
    assert ledger.receivers.gone(CRM, url) is None
    ledger.receivers.going(CRM, url, NOW)
    assert ledger.receivers.gone(CRM, url) == NOW
    assert ledger.receivers.away() == {CRM: NOW}
    assert ledger.receivers.gone(CRM, "https://crm.example.com/new") is None
    assert ledger.receivers.welcome(CRM)
    assert not ledger.receivers.welcome(CRM)
    assert ledger.receivers.gone(CRM, url) is None


def test_with_another_address_nobody_is_gone(ledger: Ledger) -> None:
    url = "https://crm.example.com/hook"
    for name in (CRM, "subscriber/former"):
        ledger.receivers.going(name, url, NOW)
    assert ledger.receivers.moved({CRM: url, "subscriber/new": url}) == []
    assert ledger.receivers.moved({CRM: "https://crm.example.com/new"}) == [CRM]
    assert ledger.receivers.moved({CRM: "https://crm.example.com/new"}) == []
    assert ledger.receivers.away() == {"subscriber/former": NOW}
    assert ledger.receivers.gone(CRM, url) is None


def test_what_was_mailed_to_somebody_is_known(ledger: Ledger) -> None:
    write(ledger, 3)
    entries = first(ledger, "mail")
    ledger.deliveries.note("mail/ana", entries[:2], "sent", NOW)
    ledger.deliveries.note("mail/ana", entries[2:], "dead", NOW, "550 no such user")
    places = {("atlas", 1), ("atlas", 3), ("kite", 1)}
    assert ledger.deliveries.sent("mail/ana", places) == {("atlas", 1)}
    assert ledger.deliveries.sent("mail/bo", places) == set()
    assert ledger.deliveries.sent("mail/ana", set()) == set()
    assert due(ledger, "mail") == [1, 2, 3]
