"""The record: numbered, chained, repeatable, and defended by the database itself."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from hashlib import sha256, shake_256
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import structlog
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger import ChainBroken, Ledger, LedgerError
from phasegate import chain
from phasegate.events import Anchor, Announcement

AT = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


def event(n: int, product: str = "atlas", **changes: object) -> Announcement:
    values: dict[str, object] = {
        "id": f"product/{product}#{n}",
        "type": "vote" if n % 2 else "milestone",
        "product": product,
        "source": f"product/{product}",
        "at": AT,
        "actor": "maria",
        "text": f"the {n}th — événement",
        "data": {"n": n, "nested": {"b": [1.5, None], "a": "ü"}},
    }
    return Announcement.model_validate(values | changes)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "new folder" / "ledger.db"


@pytest.fixture
def ledger(path: Path) -> Iterator[Ledger]:
    opened = Ledger(f"sqlite:///{path}")
    yield opened
    opened.close()


def tamper(path: Path, *statements: str, **values: str) -> None:
    """Change the file behind the ledger's back, triggers and all."""
    connection = sqlite3.connect(path)
    triggers = connection.execute(
        "SELECT name FROM sqlite_master WHERE type = 'trigger'"
    ).fetchall()
    for (name,) in triggers:
        connection.execute(f"DROP TRIGGER {name}")
    for statement in statements:
        connection.execute(statement, values)
    connection.commit()
    connection.close()


def test_entries_are_numbered_per_product_and_read_back_as_written(ledger: Ledger) -> None:
    head = ledger.append("atlas", [event(1), event(2)])
    ledger.append("orion", [event(1, "orion")])
    entries = ledger.events("atlas")
    assert [entry.seq for entry in entries] == [1, 2]
    assert [entry.announcement for entry in entries] == [event(1), event(2)]
    assert entries[-1].anchor == head == ledger.head("atlas")
    assert ledger.head("orion").seq == 1
    assert list(ledger.streams()) == ["atlas", "orion"]
    assert ledger.streams()["atlas"] == head


def test_anybody_can_recompute_the_hashes(ledger: Ledger) -> None:
    """As docs/architecture.md says: nothing of ours is needed but bodies and seals."""
    ledger.append("atlas", [event(1), event(2)])
    previous = ""
    for entry in ledger.events("atlas"):
        assert entry.seal is not None
        salts = iter_salts(bytes.fromhex(json.loads(entry.seal.text)["root"]))

        def hide(value: object, salts: Iterator[bytes] = salts) -> object:
            if isinstance(value, str):
                return sha256(next(salts) + value.encode()).hexdigest()
            if isinstance(value, list):
                return [hide(item) for item in value]
            if isinstance(value, dict):
                return {"pairs": [[hide(name), hide(item)] for name, item in value.items()]}
            return value

        said = json.loads(entry.body)
        assert said == {**event(entry.seq).model_dump(mode="json"), "seq": entry.seq}
        plain = ("id", "type", "product", "source", "at", "seq")
        hidden = {name: item if name in plain else hide(item) for name, item in said.items()}
        text = json.dumps(hidden, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        assert entry.prev_hash == previous
        previous = sha256((previous + "seal/1" + text).encode()).hexdigest()
        assert entry.hash == previous


def iter_salts(root: bytes) -> Iterator[bytes]:
    for block in range(100):
        made = shake_256(root + block.to_bytes(4, "big")).digest(1024)
        yield from (made[at : at + 32] for at in range(0, 1024, 32))


def test_salts_are_of_one_entry_only(ledger: Ledger) -> None:
    ledger.append("atlas", [event(1), event(3)])
    seals = {entry.seal.root for entry in ledger.events("atlas") if entry.seal}
    assert len(seals) == 2


def test_events_can_be_read_from_a_number_on_and_by_type(ledger: Ledger) -> None:
    ledger.append("atlas", [event(n) for n in range(1, 6)])
    assert [entry.seq for entry in ledger.events("atlas", after_seq=3)] == [4, 5]
    assert [entry.seq for entry in ledger.events("atlas", types={"vote"})] == [1, 3, 5]
    assert ledger.events("atlas", types=[]) == []
    assert ledger.events("nobody") == []


def test_a_scan_goes_once_through_every_product(ledger: Ledger) -> None:
    for product in ("orion", "atlas", "vega"):
        ledger.append(product, [event(n, product) for n in range(1, 700)])
    ledger.append("idle", [event(2, "idle")])
    found = dict(ledger.scan({"vote"}))
    assert list(found) == ["atlas", "orion", "vega"]
    assert [e.data["n"] for e in found["orion"]] == list(range(1, 700, 2))
    assert list(ledger.scan([])) == []


def test_a_scan_that_is_left_holds_nothing_up(ledger: Ledger) -> None:
    ledger.append("atlas", [event(n) for n in range(1, 1300)])
    ledger.append("orion", [event(1, "orion")])
    with closing(ledger.scan({"vote"})) as products:
        assert next(products)[0] == "atlas"
        ledger.append("atlas", [event(1301)])  # others write while it is read
    assert ledger.head("atlas").seq == 1300


def test_an_unknown_product_has_an_empty_stream(ledger: Ledger) -> None:
    assert ledger.head("nobody") == Anchor()
    assert ledger.verify("nobody") == 0
    assert ledger.append("nobody", []) == Anchor()
    assert ledger.streams() == {}


def test_a_repeated_batch_adds_nothing_and_gives_the_head(ledger: Ledger) -> None:
    head = ledger.append("atlas", [event(1), event(2)])
    written = ledger.record("atlas", [event(1), event(2)])
    assert (written.head, written.new) == (head, [])
    written = ledger.record("atlas", [event(2), event(3), event(3)])
    assert [entry.announcement.id for entry in written.new] == ["product/atlas#3"]
    assert ledger.verify("atlas") == 3


def test_more_ids_than_a_statement_takes(ledger: Ledger) -> None:
    batch = [event(n) for n in range(1, 1203)]
    ledger.append("atlas", batch)
    assert ledger.record("atlas", batch).new == []
    assert ledger.verify("atlas") == 1202


def test_the_first_of_two_contents_stays_and_the_log_has_both_digests(ledger: Ledger) -> None:
    ledger.append("atlas", [event(1)])
    with structlog.testing.capture_logs() as logs:
        ledger.append("atlas", [event(1, text="another story")])
        ledger.append("atlas", [event(1)])
    assert [entry.announcement for entry in ledger.events("atlas")] == [event(1)]
    (warning,) = logs
    assert warning["log_level"] == "warning"
    assert warning["id"] == "product/atlas#1"
    assert warning["kept"].startswith("sha256:")
    assert warning["dropped"].startswith("sha256:")
    assert warning["kept"] != warning["dropped"]


def test_an_event_of_another_product_is_refused_with_the_whole_batch(ledger: Ledger) -> None:
    with pytest.raises(LedgerError, match="belongs to orion"):
        ledger.append("atlas", [event(1), event(1, "orion")])
    assert ledger.head("atlas") == Anchor()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE events SET body = '{}' WHERE seq = 1",
        "DELETE FROM events WHERE seq = 2",
        "INSERT OR REPLACE INTO events SELECT product, seq, id, type, prev_hash, hash, '{}', seal "
        "FROM events WHERE seq = 1",
        "UPDATE streams SET seq = 1",
        "UPDATE streams SET product = 'orion', seq = 9",
        "DELETE FROM streams",
        "INSERT OR REPLACE INTO streams VALUES ('atlas', 1, 'x')",
        "UPDATE documents SET body = '{}'",
        "DELETE FROM documents",
        "UPDATE publications SET digest = digest",
        "DELETE FROM publications",
        "INSERT OR REPLACE INTO publications SELECT * FROM publications",
        "INSERT OR REPLACE INTO documents SELECT * FROM documents",
        "DELETE FROM schema_version",
    ],
)
def test_the_database_refuses_to_change_the_past(
    ledger: Ledger, path: Path, statement: str
) -> None:
    from phasegate.directory import Directory

    ledger.append("atlas", [event(1), event(2)])
    ledger.documents.publish("directory", "default", Directory(people={}, groups={}), AT, "maria")
    connection = sqlite3.connect(path)
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        connection.execute(statement)
    connection.close()
    assert ledger.verify("atlas") == 2


@pytest.mark.parametrize(
    ("statement", "seq", "why"),
    [
        ("UPDATE events SET body = replace(body, 'maria', 'marie') WHERE seq = 2", 2, "content"),
        ("UPDATE events SET type = 'other' WHERE seq = 2", 2, "filed under"),
        ("UPDATE events SET id = 'x' WHERE seq = 3", 3, "filed under"),
        ("UPDATE events SET hash = prev_hash WHERE seq = 1", 1, "content"),
        ("UPDATE events SET seal = '' WHERE seq = 2", 2, "content"),
        ("UPDATE events SET seal = 'x' WHERE seq = 2", 2, "read together"),
        ("UPDATE events SET prev_hash = '' WHERE seq = 2", 2, "does not follow"),
        ("DELETE FROM events WHERE seq = 2", 2, "missing"),
        ("DELETE FROM events WHERE seq = 1", 1, "missing"),
        ("DELETE FROM events WHERE seq = 3", 3, "3 entries were written, but 2 are there"),
        ("DELETE FROM events", 1, "3 entries were written, but 0"),
        ("UPDATE streams SET seq = 2", 3, "2 entries were written, but 3"),
        ("UPDATE streams SET hash = 'x'", 3, "another entry"),
        ("UPDATE events SET seq = seq + 7 WHERE seq = 3", 3, "missing"),
    ],
)
def test_verify_names_the_entry_that_was_tampered_with(
    ledger: Ledger, path: Path, statement: str, seq: int, why: str
) -> None:
    ledger.append("atlas", [event(1), event(2), event(3)])
    ledger.append("orion", [event(1, "orion")])
    tamper(path, statement + (" AND " if "WHERE" in statement else " WHERE ") + "product = 'atlas'")
    with pytest.raises(ChainBroken, match=why) as broken:
        ledger.verify("atlas")
    assert (broken.value.product, broken.value.seq) == ("atlas", seq)
    assert broken.value.hint
    assert ledger.verify("orion") == 1


def test_a_body_that_is_no_announcement_is_named_even_if_its_hash_fits(
    ledger: Ledger, path: Path
) -> None:
    ledger.append("atlas", [event(1)])
    digest = sha256(b"[]").hexdigest()
    tamper(
        path,
        "UPDATE events SET body = '[]', seal = '', hash = :hash",
        "UPDATE streams SET hash = :hash",
        hash=digest,
    )
    with pytest.raises(ChainBroken, match="not an announcement"):
        ledger.verify("atlas")
    with pytest.raises(LedgerError, match="cannot be read"):
        ledger.events("atlas")


def test_an_anchor_kept_elsewhere_shows_what_the_file_cannot(ledger: Ledger, path: Path) -> None:
    first = ledger.append("atlas", [event(1)])
    head = ledger.append("atlas", [event(2)])
    assert ledger.verify("atlas", first) == ledger.verify("atlas", head) == 2
    tamper(
        path,
        "DELETE FROM events WHERE seq = 2",
        "UPDATE streams SET seq = 1, hash = :hash",
        hash=first.hash,
    )
    assert ledger.verify("atlas") == 1
    with pytest.raises(ChainBroken, match="is gone") as broken:
        ledger.verify("atlas", head)
    assert broken.value.seq == 2
    ledger.append("atlas", [event(3)])
    with pytest.raises(ChainBroken, match="in its place"):
        ledger.verify("atlas", head)


def test_stored_events_of_a_newer_release_keep_their_chain(ledger: Ledger, path: Path) -> None:
    """A field this release does not know is ignored when read, and still part of the hash."""
    ledger.append("atlas", [event(1)])
    body = ledger.events("atlas")[0].body.replace('{"actor"', '{"aaa_new":1,"actor"')
    digest = chain.link("", body, ledger.events("atlas")[0].seal)
    tamper(
        path,
        "UPDATE events SET body = :body, hash = :hash",
        "UPDATE streams SET hash = :hash",
        body=body,
        hash=digest,
    )
    assert ledger.verify("atlas") == 1
    assert ledger.events("atlas")[0].announcement == event(1)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.lists(st.tuples(st.integers(1, 12), st.text(max_size=5)), max_size=6)))
def test_the_chain_holds_for_any_batches_with_any_repeats(
    batches: list[list[tuple[int, str]]],
) -> None:
    with TemporaryDirectory() as folder:
        ledger = Ledger(f"sqlite:///{folder}/ledger.db")
        first: dict[str, Announcement] = {}
        for batch in batches:
            made = [event(n, text=text, data={text: text}) for n, text in batch]
            head = ledger.append("atlas", made)
            for item in made:
                first.setdefault(item.id, item)
            assert head.seq == len(first)
        assert ledger.verify("atlas", ledger.head("atlas")) == len(first)
        assert [entry.announcement for entry in ledger.events("atlas")] == list(first.values())
        ledger.close()
