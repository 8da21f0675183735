"""Key rings: what is taken, what is refused without a word of what is in them, and rotation."""

from __future__ import annotations

import base64
import json
import os
import stat
from pathlib import Path

import pytest

from client.keyring import Keyring, is_on, load_keyring, read_keyring, write_keyring
from client.keyring_match import told
from phasegate.errors import EngineError

KEY, OTHER, THIRD = (base64.b64encode(bytes([n]) * 32).decode() for n in (1, 2, 3))
GOOD = {"current": "a", "keys": {"a": KEY, "b": OTHER}, "pseudonyms": THIRD}


def test_a_ring_is_written_for_its_owner_only_and_read_again(tmp_path: Path) -> None:
    path, ring = tmp_path / "ring.json", Keyring.new("k1")
    write_keyring(path, ring, new=True)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert read_keyring(path) == ring
    assert load_keyring({"PHASEGATE_KEYS_FILE": str(path)}) == ring
    assert load_keyring({"PHASEGATE_KEYS": path.read_text()}) == ring
    assert list(tmp_path.iterdir()) == [path]


def test_a_ring_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "ring.json"
    write_keyring(path, Keyring.new("k1"), new=True)
    before = path.read_bytes()
    with pytest.raises(EngineError, match="is there already"):
        write_keyring(path, Keyring.new("k1"), new=True)
    with pytest.raises(EngineError, match="has a key k1 already"):
        read_keyring(path).with_key("k1")
    assert path.read_bytes() == before


def test_a_rotated_ring_keeps_its_old_keys_and_its_pseudonyms() -> None:
    old = Keyring.new("k1")
    added = old.with_key("k2")
    assert (added.current, list(added.keys)) == ("k1", ["k1", "k2"])
    used = added.using("k2")
    assert used.current == "k2"
    assert used.keys["k1"] == old.keys["k1"] != used.keys["k2"]
    assert used.names.person("olga") == old.names.person("olga")
    assert used.fingerprint == old.fingerprint != Keyring.new("k1").fingerprint
    with pytest.raises(EngineError, match="has no key k3"):
        used.using("k3")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o660, 0o666])
def test_a_file_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "ring.json"
    path.write_text(json.dumps(GOOD))
    path.chmod(mode)
    with pytest.raises(EngineError) as caught:
        read_keyring(path)
    assert caught.value.hint == f"chmod 600 {path}"


def test_a_file_that_holds_no_ring_is_not_made_private_but_called_none(tmp_path: Path) -> None:
    path = tmp_path / "pol.yaml"
    path.write_text("policy: tiny\nphases: []\n")
    path.chmod(0o644)
    with pytest.raises(EngineError, match="is no key ring") as caught:
        read_keyring(path)
    assert caught.value.hint.startswith(f"ls -l {path}  # PHASEGATE_KEYS_FILE names")


def test_a_wrong_path_is_no_reason_to_make_a_ring(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="cannot be read") as caught:
        load_keyring({"PHASEGATE_KEYS_FILE": str(tmp_path / "none.json")})
    assert "keyring new" not in caught.value.hint
    assert str(tmp_path / "none.json") in caught.value.hint


def test_an_identity_tells_who_can_read_whom() -> None:
    """Without a server: what a worker calls itself says which keys it has."""
    ring = Keyring.new("k1")
    both = ring.with_key("k2")
    used = both.using("k2")

    def refused(worker: Keyring | None, here: Keyring | None) -> str:
        odds = told(worker.identity() if worker else "17@host").odds(here)
        return odds.error.what if odds else ""

    assert not refused(None, None)
    assert not refused(ring, ring)
    assert not refused(both, ring)
    assert not refused(both, used)
    assert not refused(used, both)
    assert refused(ring, used) == (
        "the workers here have no key k2, with which this command encrypts"
    )
    assert refused(used, ring) == "the key ring here has no key k2, with which the workers encrypt"
    assert "of another installation" in refused(Keyring.new("k1"), ring)
    assert "the workers here are confidential" in refused(ring, None)
    assert "the workers here have none" in refused(None, ring)


def test_an_identity_is_never_longer_than_the_server_takes() -> None:
    ring = Keyring.new("k0")
    for n in range(1, 40):
        ring = ring.with_key(f"k{n}-{'x' * 50}")
    assert len(ring.identity()) < 1000
    # A worker with so many keys may have the one in question.
    assert told(ring.identity()).odds(ring.using("k39-" + "x" * 50)) is None


def test_what_is_no_file_is_not_waited_for(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe, 0o600)
    for path in (pipe, tmp_path, tmp_path / "none", Path("/dev/zero")):
        with pytest.raises(EngineError, match="cannot be read"):
            read_keyring(path)


@pytest.mark.parametrize(
    ("document", "why"),
    [
        ("{", "neither YAML nor JSON"),
        (f"current: a\nkeys: [{KEY}\n", "neither YAML nor JSON"),
        ("[]", "needs current, keys and pseudonyms"),
        ({**GOOD, "kyes": KEY}, "has 1 entries beside"),
        ({**GOOD, "current": "c"}, "none of its keys"),
        ({**GOOD, "keys": {"a": KEY[:-8]}}, "key a is not the base64 of 32 bytes"),
        ({**GOOD, "keys": {"a": 7}}, "key a is not the base64 of 32 bytes"),
        ({**GOOD, "keys": {KEY: KEY}}, "the id of its key 1"),
        ({**GOOD, "keys": {"a": KEY, "b": KEY}}, "the same key twice"),
        ({**GOOD, "pseudonyms": KEY}, "the same key twice"),
        ({"current": "a", "keys": {"a": KEY}}, "key for pseudonyms"),
        (f'{{"current": "a", "keys": {{"a": "{KEY}", "a": "{KEY}"}}}}', "two entries of one name"),
        (f"current: a\nkeys:\n  a: {KEY}\n  a: {KEY}\n", "two entries of one name"),
    ],
)
def test_a_faulty_ring_is_refused_and_not_quoted(document: object, why: str) -> None:
    text = document if isinstance(document, str) else json.dumps(document)
    with pytest.raises(EngineError, match=why) as caught:
        load_keyring({"PHASEGATE_KEYS": text})
    shown = f"{caught.value} {caught.value.hint} {caught.value.__cause__!r}"
    assert all(key[:6] not in shown for key in (KEY, OTHER, THIRD))
    assert caught.value.__context__ is None or caught.value.__suppress_context__


def test_yaml_will_do_and_two_rings_will_not() -> None:
    text = f"current: a\nkeys:\n  a: {KEY}\npseudonyms: {OTHER}\n"
    found = load_keyring({"PHASEGATE_KEYS": text})
    assert found is not None
    assert found.keys == {"a": bytes([1]) * 32}
    with pytest.raises(EngineError, match="two key rings"):
        load_keyring({"PHASEGATE_KEYS": text, "PHASEGATE_KEYS_FILE": "ring.json"})
    assert load_keyring({}) is None
    assert not is_on({"PHASEGATE_KEYS": ""})


def test_no_key_is_shown_by_accident() -> None:
    ring = Keyring("a", {"a": b"secret-key-of-ours" + b"x" * 14}, b"p" * 32)
    for text in (repr(ring), str(ring), repr(ring.names), f"{ring.names}", ring.identity()):
        assert "secret" not in text
        assert "ppp" not in text
