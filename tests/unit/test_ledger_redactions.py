"""Somebody is taken out of the ledger, and the chain holds."""

import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import structlog

from client.redactions import Order, Redaction
from client.usage import UsageError
from ledger import ChainBroken, Ledger, LedgerError
from phasegate.customers import Row
from phasegate.directory import Directory
from phasegate.errors import EngineError
from phasegate.events import Announcement
from phasegate.product import Product
from phasegate.redacted import GONE, REDACTED
from phasegate.seals import Seal

AT = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)

WITH = Directory.model_validate(
    {
        "people": {
            "bo": {
                "name": "Bo Björk",
                "email": "bo@example.com",
                "manager": "ana",
                "country": "SE",
                "absences": [{"start": "2026-12-01", "end": "2026-12-09"}],
                "keys": [{"key": "ssh-ed25519 AAAA", "note": "Bo's laptop"}],
            },
            "ana": {"name": "Ana", "deputy": "bo"},
            "bob": {},
        },
        "groups": {"eng": {"members": ["bo", "bob"]}, "bo": {"members": ["ana"]}},
    }
)
WITHOUT = Directory.model_validate(
    {"people": {"ana": {}, "bob": {}}, "groups": {"eng": {"members": ["bob"]}}}
)


def said(n: int, type: str, actor: str, text: str, key: str = "atlas", **data: object):  # type: ignore[no-untyped-def]
    return Announcement(
        id=f"product/{key}#{n}", type=type, product=key, source=f"product/{key}", at=AT,
        actor=actor, text=text, data=data,
    )  # fmt: skip


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.db"


@pytest.fixture
def ledger(path: Path) -> Iterator[Ledger]:
    opened = Ledger(f"sqlite:///{path}")
    old = opened.documents.publish("directory", "default", WITH, AT, "bo")
    product = Product.model_validate({"key": "atlas", "name": "Atlas", "owner": "ana"})
    opened.documents.publish("product", "atlas", product, AT, "ana")
    opened.append(
        "atlas",
        [
            said(1, "gate.opened", "ana", "Launch: round 1 is open", directory_digest=old,
                 seats={"bo": ["eng", "bo"], "bob": ["eng"]}, reviewers={"bo": ["ana"]}),
            said(2, "gate.vote", "bo", "bo votes go on launch", vote="go", gate="bo",
                 comment="I would not ship this on a Friday", request_id="n0nce",
                 conditions=[{"text": "no Friday", "owner": "bob", "due": None}]),
            said(3, "gate.vote", "bob", "bob votes go on launch", vote="go", comment="as bo says"),
            said(4, "product.held", "bo", "atlas is held: my daughter is ill"),
            said(5, "gate.decided", "", "Launch: go (I would not ship this on a Friday)",
                 view={"votes": [
                     {"approver": "bo", "vote": "go", "key": "SHA256:abc",
                      "comment": "I would not ship this on a Friday", "conditions": ["no Friday"]},
                     {"approver": "bob", "vote": "go", "comment": "as bo says", "conditions": []}],
                     "conditions": [{"text": "no Friday", "owner": "bob"}]}),
            said(6, "gate.reassigned", "ana", "ana gives bo's seat to bob", approver="bo", to="bob",
                 reason="Bo  björk (BO@example.com) has left", mail="mail/bo", run="bo.x bo.b"),
            said(7, "product.retired", "", "Atlas has left the market"),
        ],
    )  # fmt: skip
    opened.append("kite", [said(1, "product.started", "ana", "Kite starts", "kite", digest=old)])
    opened.append("idle", [said(1, "product.started", "ana", "Idle starts", "idle")])
    yield opened
    opened.close()


def order(**changes: object) -> Order:
    values = {"kind": "person", "id": "bo", "by": "ana", "reason": "Bo asked us to"}
    return Order(**{**values, **changes})  # type: ignore[arg-type]


def left_in(path: Path) -> bytes:
    return b"".join(file.read_bytes() for file in path.parent.glob("ledger.db*"))


def test_a_person_becomes_a_pseudonym_and_what_they_wrote_is_gone(ledger: Ledger) -> None:
    head = ledger.head("atlas")
    hashes = [entry.hash for entry in ledger.events("atlas")]
    view = Redaction(ledger, order(key="atlas")).do()
    who = view.pseudonym
    entries = ledger.events("atlas")
    assert [entry.hash for entry in entries[:-1]] == hashes
    assert ledger.verify("atlas", head) == len(hashes) + 1
    opened, vote, bobs, held, decided, reassigned, _, last = (e.announcement for e in entries)
    assert opened.data["seats"] == {who: ["eng", "bo"], "bob": ["eng"]}, "a group is no person"
    assert (vote.actor, vote.text) == (who, f"{who} votes go on launch")
    assert (vote.data["vote"], vote.data["gate"]) == ("go", "bo")
    assert vote.data["comment"] == vote.data["request_id"] == GONE
    assert vote.data["conditions"] == [{"text": GONE, "owner": "bob", "due": None}]
    assert (bobs.actor, bobs.data["comment"]) == ("bob", f"as {who} says")
    assert (held.actor, held.text) == (who, GONE)
    assert decided.text == f"Launch: go ({GONE})"
    mine, his = decided.data["view"]["votes"]
    assert mine == {
        "approver": who, "vote": "go", "key": GONE, "comment": GONE, "conditions": [GONE]
    }  # fmt: skip
    assert his["comment"] == f"as {who} says"
    assert decided.data["view"]["conditions"] == [{"text": GONE, "owner": "bob"}]
    assert reassigned.text == f"ana gives {who}'s seat to bob"
    assert reassigned.data["reason"] == f"{who} ({who}) has left"
    assert reassigned.data["mail"] == f"mail/{who}"
    assert (last.type, last.actor) == (REDACTED, "ana")
    assert last.data["reason"] == "Bo asked us to", "ids are found as they are written"
    assert view.products[0].running is False


def test_of_what_is_erased_nothing_is_left_in_the_files(ledger: Ledger, path: Path) -> None:
    words = (b"would not ship", b"daughter", b"no Friday", b"n0nce", b"Bj\xc3\xb6rk")
    before = left_in(path)
    assert all(word in before for word in words)
    ledger.documents.publish("directory", "default", WITHOUT, AT, "ana")
    Redaction(ledger, order()).do()
    ledger.close()
    after = left_in(path)
    assert not [word for word in (*words, b"bo@example") if word in after]


def test_the_record_says_who_asked_and_not_what_it_was(ledger: Ledger) -> None:
    view = Redaction(ledger, order(key="atlas", by="bo", reason="I, bo, have left")).do()
    last = ledger.events("atlas")[-1].announcement
    assert last.actor == view.pseudonym
    assert last.data["reason"] == f"I, {view.pseudonym}, have left"
    assert [entry["seq"] for entry in last.data["entries"]] == [1, 2, 3, 4, 5, 6]
    assert '"bo"' not in ledger.events("atlas")[-1].body


def test_once_more_finds_nothing_and_later_words_get_the_same_pseudonym(ledger: Ledger) -> None:
    first = Redaction(ledger, order(key="atlas")).do()
    head = ledger.head("atlas")
    assert Redaction(ledger, order(key="atlas")).do().products == []
    assert ledger.head("atlas") == head
    ledger.append("atlas", [said(9, "gate.vote", "bo", "bo votes", comment="I am still here")])
    again = Redaction(ledger, order(key="atlas", pseudonym=first.pseudonym)).do()
    assert again.pseudonym == first.pseudonym
    assert ledger.events("atlas")[-2].announcement.actor == first.pseudonym
    other = Redaction(ledger, order(key="atlas", id="bob")).do()
    assert other.pseudonym != first.pseudonym
    both = ledger.events("atlas")[4].announcement.data["view"]["votes"]
    assert [vote["approver"] for vote in both] == [first.pseudonym, other.pseudonym]
    assert ledger.verify("atlas") == ledger.head("atlas").seq


def test_what_is_announced_once_more_brings_nothing_back(ledger: Ledger) -> None:
    vote = ledger.events("atlas")[1].announcement
    Redaction(ledger, order(key="atlas")).do()
    with structlog.testing.capture_logs() as logs:
        written = ledger.record("atlas", [vote])
    assert (written.new, logs) == ([], [])


def test_a_dry_run_says_what_and_where_and_changes_nothing(ledger: Ledger) -> None:
    before = {key: [e.body for e in ledger.events(key)] for key in ledger.streams()}
    view = Redaction(ledger, order(key="atlas")).plan()
    assert {key: [e.body for e in ledger.events(key)] for key in ledger.streams()} == before
    vote = view.products[0].entries[1]
    assert (vote.seq, vote.type) == (2, "gate.vote")
    assert {"actor", "data.comment", "data.conditions.text", "text"} <= set(vote.fields)
    assert f"data.seats.{view.pseudonym}" in view.products[0].entries[0].fields


def test_everywhere_is_in_directories_too_under_one_pseudonym(ledger: Ledger) -> None:
    with pytest.raises(EngineError, match="bo is in the directory default") as error:
        Redaction(ledger, order()).plan()
    assert "directory publish" in error.value.hint
    old = ledger.documents.current("directory", "default")
    assert old is not None
    ledger.documents.publish("directory", "default", WITHOUT, AT, "ana")
    view = Redaction(ledger, order()).do()
    who = view.pseudonym
    assert view.documents == [old.digest]
    # kite names no bo, but a directory that did; idle names neither.
    assert [one.product for one in view.products] == ["atlas", "kite"]
    assert [entry.announcement.type for entry in ledger.events("kite")][-1] == REDACTED
    assert ledger.head("idle").seq == 1
    left = ledger.documents.read_directory(old.digest)
    assert left.people[who].model_dump(exclude_defaults=True) == {"manager": "ana"}
    assert left.people["ana"].deputy == who
    assert left.groups["eng"].members == (who, "bob")
    assert ledger.documents.history("directory", "default")[0].published_by == who
    for key in ledger.streams():
        ledger.verify(key)


def test_a_document_that_lost_other_words_than_the_record_says_is_not_trusted(
    ledger: Ledger, path: Path
) -> None:
    old = ledger.documents.current("directory", "default")
    assert old is not None
    ledger.documents.publish("directory", "default", WITHOUT, AT, "ana")
    Redaction(ledger, order()).do()
    ledger.close()
    for statement in (
        "UPDATE documents SET body = replace(body, 'bob', 'eve'), redacted = redacted "
        "WHERE redacted <> ''",
        "UPDATE documents SET redacted = 'atlas/1' WHERE redacted <> ''",
        "UPDATE documents SET redacted = 'x' WHERE redacted <> ''",
    ):
        connection = sqlite3.connect(path)
        connection.execute(statement)
        connection.commit()
        connection.close()
        with pytest.raises(LedgerError, match="cannot be trusted"):
            ledger.documents.read_directory(old.digest)


def test_who_is_in_use_is_not_taken_out_of_definitions(ledger: Ledger) -> None:
    product = Product.model_validate({"key": "kite", "name": "Kite", "owner": "bo"})
    ledger.documents.publish("product", "kite", product, AT, "bo")
    with pytest.raises(EngineError, match="has to do with kite, which runs") as error:
        Redaction(ledger, order(key="kite")).plan()
    assert "phasegate product handover kite" in error.value.hint
    ledger.append("kite", [said(2, "product.killed", "", "no", "kite")])
    view = Redaction(ledger, order(key="kite")).do()
    current = ledger.documents.current("product", "kite")
    assert current is not None
    assert current.published_by == view.pseudonym
    assert ledger.documents.read_product(current.digest).owner == view.pseudonym


def test_a_customer_loses_their_name_and_stays_one(ledger: Ledger) -> None:
    who = Row("C-4711", name="Harbour Lights", email="ops@lights.example", note="Ms Ray")
    rows = [who, Row("C-47", name="Night Owls"), Row("42", name="Forty", migrated=True)]
    ledger.customers.put("atlas", 1, rows, AT, "bo")
    ledger.customers.sent("atlas", "k", ["C-4711"], AT, notifies=True)
    ledger.customers.refused("atlas", "k2", "C-4711", "ops@lights.example: no such user", AT)
    ledger.append("atlas", [
        said(8, "sunset.customers", "ana", "customer C-4711 is migrated: Ms Ray rang"),
        said(9, "sunset.task-done", "", "mailed", proof={"refused": ["C-4711 (no)", "C-47 (no)"]}),
        said(10, "sunset.customers", "ana", "customer 42 is migrated: 42 seats"),
    ])  # fmt: skip
    before = ledger.customers.summary("atlas", 1)
    view = Redaction(ledger, order(kind="customer", id="C-4711", key="atlas")).do()
    name = view.pseudonym
    after = ledger.customers.summary("atlas", 1)
    same = {"total", "open", "notified", "migrated"}
    assert after.model_dump(include=same) == before.model_dump(include=same)
    found = {one.id: one for one in ledger.customers.every("atlas", 1)}
    assert set(found) == {name, "C-47", "42"}
    assert (found[name].name, found[name].email, found[name].note) == ("", "", "")
    assert found[name].notified
    assert {change.customer for change in ledger.customers.changes("atlas")} == set(found)
    assert ledger.customers.refusals("atlas", "k2", 9) == [f"{name} ({GONE})"]
    texts = [entry.announcement for entry in ledger.events("atlas", after_seq=7)]
    assert texts[0].text == f"customer {name} is migrated: {GONE}"
    assert texts[1].data["proof"] == {"refused": [f"{name} (no)", "C-47 (no)"]}
    number = Redaction(ledger, order(kind="customer", id="42", key="atlas")).do().pseudonym
    texts = [entry.announcement for entry in ledger.events("atlas", after_seq=7)]
    assert texts[2].text == f"customer {number} is migrated: {GONE}"
    assert ledger.verify("atlas") == ledger.head("atlas").seq


def test_mails_of_a_person_are_forgotten(ledger: Ledger) -> None:
    entry = ledger.events("atlas")[0]
    ledger.deliveries.note("mail/bo", [entry], "dead", AT, "bo@example.com: no such user")
    ledger.deliveries.note("mail/bob", [entry], "dead", AT, "after bo@example.com")
    view = Redaction(ledger, order(key="atlas")).do()
    (left,) = ledger.dead_letters.of("atlas")
    assert (left.receiver, left.why) == ("mail/bob", f"after {view.pseudonym}")
    assert view.products[0].rows >= 2


def test_a_broken_record_is_left_as_it_is(ledger: Ledger, path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("DROP TRIGGER events_update")
    connection.execute("UPDATE events SET body = replace(body, 'bob', 'eve') WHERE seq = 3")
    connection.commit()
    connection.close()
    with pytest.raises(ChainBroken):
        Redaction(ledger, order(key="atlas")).do()


def test_entries_without_a_seal_are_named_and_stay(ledger: Ledger, path: Path) -> None:
    from hashlib import sha256

    connection = sqlite3.connect(path)
    for name in ("events_update", "streams_update"):
        connection.execute(f"DROP TRIGGER {name}")
    body = ledger.events("idle")[0].body.replace("Idle starts", "bo starts idle")
    digest = sha256(body.encode()).hexdigest()
    connection.execute(
        "UPDATE events SET body = ?, seal = '', hash = ? WHERE product = 'idle'", (body, digest)
    )
    connection.execute("UPDATE streams SET hash = ? WHERE product = 'idle'", (digest,))
    connection.commit()
    connection.close()
    view = Redaction(ledger, order(key="idle")).do()
    assert view.products[0].unsealed == [1]
    assert ledger.verify("idle") == 1


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE events SET body = '{}', seal = seal || ' '",
        "UPDATE events SET body = '{}', seal = :seal, hash = 'x'",
        "UPDATE events SET body = '{}', seal = :seal, seq = seq + 100",
        "UPDATE events SET body = '{}', seal = :seal, type = 'x'",
        "UPDATE documents SET body = '{}'",
        "UPDATE documents SET body = '{}', redacted = 'a/1', name = 'other'",
        "UPDATE documents SET published_by = 'eve'",
        "UPDATE publications SET published_by = 'eve'",
        "UPDATE publications SET published_by = 'person-0a1b2c', digest = digest || 'x'",
    ],
)
def test_the_database_lets_words_be_erased_and_nothing_else(
    ledger: Ledger, path: Path, statement: str
) -> None:
    seal = Seal(redacted={0: "0" * 64}).text
    connection = sqlite3.connect(path)
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        connection.execute(statement, {"seal": seal} if ":seal" in statement else {})
    connection.close()


def test_what_cannot_be_asked_is_said(ledger: Ledger) -> None:
    with pytest.raises(EngineError, match="nobody has no record"):
        Redaction(ledger, order(key="nobody")).plan()
    with pytest.raises(UsageError, match="--pseudonym x"):
        Redaction(ledger, order(key="atlas", pseudonym="x"))
