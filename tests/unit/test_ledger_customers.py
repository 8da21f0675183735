"""Customers in the ledger's database: imported, counted, listed, and written to once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ledger import Ledger
from phasegate.customers import Row, summed

NOW = datetime(2027, 3, 1, 9, 0, tzinfo=UTC)
MAY = datetime(2028, 5, 31, 23, 59, 59, tzinfo=UTC)
JUNE = datetime(2028, 6, 30, 23, 59, 59, tzinfo=UTC)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    opened = Ledger(f"sqlite:///{tmp_path / 'ledger.db'}")
    yield opened
    opened.close()


def test_rows_are_taken_and_the_same_again_change_nothing(ledger: Ledger) -> None:
    rows = [
        Row("b", name="Bär", email="b@example.org", contract_until=MAY, notified=True),
        Row("a", name="Ahoi", migrated=NOW),
        Row("B", waived=True, note="no contract"),
    ]
    first = ledger.customers.put("atlas", 1, rows, NOW, "olga", "sha256:1")
    assert (first.new, first.changed, first.unchanged, first.not_mentioned) == (3, 0, 0, 0)
    assert (first.summary.total, first.summary.open) == (3, 1)
    assert first.summary.contracts_until == MAY
    again = ledger.customers.put("atlas", 1, rows, NOW + timedelta(days=9), "olga", "sha256:1")
    assert (again.new, again.changed, again.unchanged) == (0, 0, 3)
    assert (again.seq, again.summary) == (first.seq, first.summary)
    assert ledger.customers.summary("atlas", 1) == first.summary
    assert [c.id for c in ledger.customers.every("atlas", 1)] == ["B", "a", "b"]
    assert [c.state for c in ledger.customers.every("atlas", 1)] == ["waived", "migrated", "open"]


def test_who_is_not_mentioned_stays_and_what_is_not_said_too(ledger: Ledger) -> None:
    ledger.customers.put("atlas", 1, [Row("a", name="A", email="a@x.org"), Row("b")], NOW, "olga")
    done = ledger.customers.put("atlas", 1, [Row("a", exported=True)], NOW, "ana", "sha256:2")
    assert (done.changed, done.not_mentioned, done.summary.open) == (1, 1, 1)
    kept = ledger.customers.find("atlas", 1, "a")
    assert kept is not None
    assert (kept.name, kept.email, kept.exported) == ("A", "a@x.org", NOW)
    assert ledger.customers.find("atlas", 1, "none") is None


def test_who_is_erased_takes_nothing_of_others_along(ledger: Ledger) -> None:
    rows = [Row("a", waived=True), Row("b", migrated=True), Row("c", exported=True), Row("d")]
    ledger.customers.put("atlas", 1, rows, NOW, "olga")
    with ledger.database.writing() as connection:
        connection.exec_driver_sql("DELETE FROM customers WHERE id IN ('a', 'b')")
    assert [(c.id, c.state) for c in ledger.customers.every("atlas", 1)] == [
        ("c", "exported"),
        ("d", "open"),
    ]
    assert ledger.customers.summary("atlas", 1).open == 1


def test_a_dry_run_says_the_same_and_writes_nothing(ledger: Ledger) -> None:
    rows = [Row("a", waived=True), Row("b")]
    tried = ledger.customers.put("atlas", 1, rows, NOW, "olga", dry_run=True)
    assert ledger.customers.summary("atlas", 1).total == 0
    done = ledger.customers.put("atlas", 1, rows, NOW, "olga")
    assert (tried.new, tried.summary) == (done.new, done.summary)


def test_a_second_sunset_starts_anew(ledger: Ledger) -> None:
    ledger.customers.put("atlas", 1, [Row("a", waived=True, email="a@x.org")], NOW, "olga")
    assert ledger.customers.summary("atlas", 1).open == 0
    second = ledger.customers.summary("atlas", 2)
    assert (second.total, second.open, second.waived) == (1, 1, 0)
    ledger.customers.put("atlas", 2, [Row("a", migrated=True)], NOW, "olga")
    assert ledger.customers.latest_sunset("atlas") == 2
    assert ledger.customers.summary("atlas", 1).waived == 1
    assert ledger.customers.summary("kite", 1).digest == ""


def test_the_record_of_changes_says_who_and_what_and_holds_no_address(ledger: Ledger) -> None:
    first = Row("a", name="Ahoi", email="a@x.org", contract_until=MAY, waived=NOW)
    ledger.customers.put("atlas", 1, [first], NOW, "olga", "sha256:1")
    later = [Row("a", email="new@x.org", waived=False, contract_until=JUNE), Row("b")]
    ledger.customers.put("atlas", 1, later, NOW, "ana", "sha256:2")
    one, two = ledger.customers.changes("atlas", "a")
    assert (one.by, one.source, two.by, two.source) == ("olga", "sha256:1", "ana", "sha256:2")
    assert one.what["new"] is True
    assert two.what == {
        "email": "changed",
        "contract_until": "2028-06-30T23:59:59+00:00",
        "waived": None,
    }
    assert [change.seq for change in ledger.customers.changes("atlas")] == [1, 2, 3]
    assert "x.org" not in str(ledger.customers.changes("atlas"))


def test_the_digest_is_of_all_that_is_known(ledger: Ledger) -> None:
    seen = set()
    for row in (
        Row("a"),
        Row("a", name="A"),
        Row("a", email="a@x.org"),
        Row("a", note="n"),
        Row("a", contract_until=MAY),
        Row("a", notified=NOW),
        Row("a", exported=NOW),
    ):
        seen.add(ledger.customers.put("atlas", 1, [row], NOW, "olga").summary.digest)
    assert len(seen) == 7
    assert summed([]).digest == ""


def test_mail_goes_to_each_once_whoever_goes_on(ledger: Ledger) -> None:
    people = [Row(f"c{n:03}", email=f"{n}@x.org") for n in range(5)]
    rows = [*people, Row("mute"), Row("gone", email="g@x.org", migrated=True)]
    ledger.customers.put("atlas", 1, rows, NOW, "olga")
    mail = ledger.customers
    page = mail.unsent("atlas", "key/1", limit=2)
    assert [one.id for one in page] == ["c000", "c001"]
    mail.sent("atlas", "key/1", [one.id for one in page], NOW, notifies=True)
    mail.sent("atlas", "key/1", ["c001"], NOW + timedelta(days=1), notifies=True)  # once more
    mail.refused("atlas", "key/1", "c002", "550 no such user", NOW)
    assert [one.id for one in mail.unsent("atlas", "key/1")] == ["c003", "c004"]
    assert [one.id for one in mail.unsent("atlas", "key/1", after_id="c003")] == ["c004"]
    assert len(mail.unsent("atlas", "key/2", "all")) == 6
    found = mail.mailed("atlas", "key/1")
    assert (found.sent, found.refused, found.no_address) == (2, 1, 1)
    assert mail.summary("atlas", 1).notified == 2
    assert [change.source for change in mail.changes("atlas", "c001")] == ["", "key/1"]
    noted = mail.find("atlas", 1, "c001")
    assert noted is not None
    assert noted.notified == NOW
    assert len(mail.unsent("atlas", "key/1", "open", sunset=2)) == 3, "migrated counts in one only"


def test_who_was_told_otherwise_is_owed_no_notice(ledger: Ledger) -> None:
    rows = [Row("a", email="a@x.org", notified=True), Row("b", email="b@x.org")]
    ledger.customers.put("atlas", 1, rows, NOW, "olga")
    owed = ledger.customers.unsent("atlas", "k", "all", unnotified=True)
    assert [one.id for one in owed] == ["b"]
    assert len(ledger.customers.unsent("atlas", "k", "all")) == 2


def test_keys_of_tasks_deep_in_sub_plans_are_told_apart(ledger: Ledger) -> None:
    ledger.customers.put("atlas", 1, [Row("a", email="a@x.org")], NOW, "olga")
    long = "product/atlas/sunset/1/" + "x" * 300
    ledger.customers.sent("atlas", long + "1", ["a"], NOW)
    assert ledger.customers.unsent("atlas", long + "1") == []
    assert len(ledger.customers.unsent("atlas", long + "2")) == 1


@pytest.mark.parametrize("wanted", ["open", "notified", "exported", "migrated", "waived"])
def test_lists_are_of_a_fact_or_of_who_is_open(ledger: Ledger, wanted: str) -> None:
    rows = [
        Row("fresh"),
        Row("told", notified=True),
        Row("both", exported=True, migrated=True),
        Row("let", waived=True, notified=True),
    ]
    ledger.customers.put("atlas", 1, rows, NOW, "olga")
    expected = {
        "open": ["fresh", "told"],
        "notified": ["let", "told"],
        "exported": ["both"],
        "migrated": ["both"],
        "waived": ["let"],
    }
    found = ledger.customers.every("atlas", 1, wanted)  # type: ignore[arg-type]
    listed = list(found)
    assert [c.id for c in listed] == expected[wanted]
    summary = ledger.customers.summary("atlas", 1)
    assert getattr(summary, wanted) == len(listed)
