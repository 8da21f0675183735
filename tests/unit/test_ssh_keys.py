"""Keys and signatures: what is one, whose it is, and what ssh-keygen says of it."""

from __future__ import annotations

import subprocess
from base64 import b64encode
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from signers import make_key, public, raw_sign

from client.directories import diff
from commands.directory_blocks import diff_blocks, directory_blocks
from integrations.ssh_keygen import KeygenError, allowed_signers, verify
from phasegate.directory import Directory, Key
from phasegate.lint import lint_directory, lint_policy
from phasegate.reading import read_policy
from phasegate.signing import NAMESPACE
from phasegate.ssh_keys import TYPES, is_valid, public_key, revoked_keys, shown, signature, usable

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def strings(*parts: bytes) -> bytes:
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)


def line(*parts: bytes) -> str:
    return f"{parts[0].decode()} {b64encode(strings(*parts)).decode()}"


HARDWARE = line(b"sk-ssh-ed25519@openssh.com", b"k" * 32, b"ssh:")
"""As a FIDO key's .pub file has it. There is no such key in the machines that run tests."""


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_key(tmp_path_factory.mktemp("key"), "ana")


def test_a_key_is_known_by_the_fingerprint_that_ssh_keygen_prints(key: Path) -> None:
    said = subprocess.run(["ssh-keygen", "-lf", f"{key}.pub"], capture_output=True, check=True)
    read = public_key(public(key))
    assert read.fingerprint == said.stdout.decode().split()[1]
    assert public(key).startswith(read.line)
    found = signature(raw_sign("text", key))
    assert (found.key, found.namespace) == (read, NAMESPACE)
    assert found.armored == raw_sign("text", key)


def test_hardware_keys_are_keys() -> None:
    assert public_key(HARDWARE).type == "sk-ssh-ed25519@openssh.com"
    entry = Key(key=HARDWARE + " ana's", valid_until=date(2027, 1, 1))
    assert allowed_signers("ana", [entry]) == (
        f'ana namespaces="vote@phasegate",valid-before="20270101235959" {HARDWARE}\n'
    )
    done = subprocess.run(
        ["ssh-keygen", "-lf", "-"], input=HARDWARE.encode(), capture_output=True, check=True
    )
    assert public_key(HARDWARE).fingerprint in done.stdout.decode()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----", "private"),
        ("", "one line"),
        ("ssh-ed25519", "one line"),
        ("ssh-ed25519 AAAA\nssh-ed25519 AAAA", "one line"),
        ('namespaces="x" ' + HARDWARE, "options"),
        ("no-pty,command=x ssh-ed25519 AAAA", "options"),
        ("ssh-dss AAAA", "no type of key that signs"),
        (line(b"ssh-ed25519-cert-v01@openssh.com", b"x"), "no type of key that signs"),
        ("ssh-ed25519 AAAA", "cut off"),
        ("ssh-ed25519 not*base64", "cut off"),
        (line(b"ssh-ed25519", b"k").replace("ssh-ed25519 ", "ssh-rsa "), "no key of that type"),
        (line(b"ssh-rsa", b"\1\0\1", b"\x7f" * 128), "1023 bits is too weak"),
    ],
)
def test_what_is_no_key_says_why_and_shows_nothing_of_it(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why) as caught:
        public_key(text)
    assert "AAAA\n" not in str(caught.value)


@pytest.mark.parametrize(
    "parts",
    [
        (),
        (b"",),
        (strings(b"ssh-ed25519", b"k" * 32),),
        (strings(b"ssh-ed25519", b"k" * 32), b"vote@phasegate"),
        (strings(b"ssh-ed25519", b"k" * 32), b"\xff", b"", b"sha512", b"s"),
        (strings(b"ssh-ed25519", b"k" * 32), b"vote@phasegate", b"", b"sha512", b"s", b"more"),
    ],
)
def test_half_a_signature_is_none(parts: tuple[bytes, ...]) -> None:
    body = b64encode(b"SSHSIG\0\0\0\1" + strings(*parts)).decode()
    newer = b64encode(b"SSHSIG\0\0\0\2").decode()
    for text in (body, body[:-8] + "\x00", newer):
        with pytest.raises(ValueError, match="no signature that can be read"):
            signature(f"-----BEGIN SSH SIGNATURE-----\n{text}\n-----END SSH SIGNATURE-----\n")


@given(st.binary(max_size=300))
def test_no_bytes_are_too_odd_to_be_refused(data: bytes) -> None:
    body = b64encode(b"SSHSIG\0\0\0\1" + data).decode()
    for text in (body, f"-----BEGIN SSH SIGNATURE-----\n{body}\n-----END SSH SIGNATURE-----"):
        finding = verify([], "ana", "text", text, at=NOON)
        assert finding.code in ("bad-signature", "unknown-key")
    for kind in TYPES:
        try:
            read = public_key(f"{kind} {b64encode(data).decode()}")
        except ValueError:
            continue
        assert read.blob == data


def test_a_signature_counts_for_its_text_its_person_and_its_days(key: Path, tmp_path: Path) -> None:
    mine, other = Key(key=public(key)), make_key(tmp_path, "other")
    made = raw_sign("text", key)

    def code(*keys: Key, text: str = "text", armored: str = made, **more: datetime) -> str:
        found = verify(keys, "ana@example.com", text, armored, **{"at": NOON, **more})
        assert bool(found.code) == bool(found.problem)
        return found.code

    def bound(**bounds: date) -> Key:
        return mine.model_copy(update=bounds)

    today = NOON.date()
    assert code(mine) == ""
    assert code(Key(key=public(other)), mine) == ""
    assert code(bound(valid_from=today, valid_until=today, revoked=today + DAY)) == ""
    assert code(mine, text="Text") == "bad-signature"
    assert code(mine, armored=raw_sign("text", key, "git")) == "bad-signature"
    assert code() == code(Key(key=public(other))) == "unknown-key"
    assert code(Key(key="no key"), Key(key=HARDWARE)) == "unknown-key"
    assert code(bound(valid_from=today + DAY)) == "expired-key"
    assert code(bound(valid_until=today - DAY)) == "expired-key"
    assert code(bound(valid_from=today), signed_at=NOON - DAY) == "expired-key"
    assert code(bound(revoked=today)) == code(mine, bound(revoked=today)) == "revoked-key"
    assert code(bound(valid_until=today - DAY), mine) == "", "listed twice, once for now"


def test_without_ssh_keygen_nobody_says_that_a_signature_is_bad(
    key: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    made = raw_sign("text", key)
    broken = tmp_path / "ssh-keygen"
    broken.write_text("#!/bin/sh\necho 'no space left' >&2\nexit 255\n", "utf-8")
    broken.chmod(0o755)
    for path, why in ((tmp_path, "no space left"), (tmp_path / "none", "not installed")):
        monkeypatch.setenv("PATH", f"{path}")
        with pytest.raises(KeygenError, match=why):
            verify([Key(key=public(key))], "ana", "text", made, at=NOON)


def test_revoked_keys_are_those_of_the_people_asked_about_by_that_day(key: Path) -> None:
    gone = Key(key=public(key), revoked=NOON.date())
    known = Directory.model_validate(
        {"people": {"ana": {"keys": [gone, {"key": "none", "revoked": NOON.date()}]}}, "groups": {}}
    )
    assert revoked_keys(known, ["ana", "who"], NOON) == (public_key(public(key)).fingerprint,)
    assert revoked_keys(known, ["ana"], NOON - DAY) == revoked_keys(known, ["who"], NOON) == ()
    assert not is_valid(gone, NOON.date())
    assert shown(gone).endswith("ssh-ed25519 (revoked 2026-11-25)")
    assert shown(Key(key="none")).startswith("unreadable: ")
    able = Key(key=public(key), valid_from=NOON.date())
    assert usable([gone, Key(key="none"), able], NOON) == [able]
    assert usable([able], NOON - DAY) == []


POLICY = """
policy: p
version: "1"
title: P
phases:
  - id: a
    title: A
    gate: {id: g, title: G, assurance: signed, requires: [{group: eng}]}
"""


def test_lint_finds_keys_that_are_none_shared_or_spent_and_who_has_none(key: Path) -> None:
    mine = {"key": public(key)}
    spent = {"key": HARDWARE, "valid_until": date(2026, 1, 1)}
    known = Directory.model_validate(
        {
            "people": {
                "ana": {"keys": [mine, {"key": "ssh-dss AAAA"}, mine]},
                "bo": {"keys": [mine]},
                "cy": {"keys": [spent]},
                "dan": {},
                "max": {"keys": [{"key": HARDWARE + "x", "revoked": date(2026, 1, 1)}]},
            },
            "groups": {
                "eng": {"members": ["ana", "bo", "cy", "dan"]},
                "heads": {"members": ["max"], "permissions": {"override": [1, 2, 3]}},
            },
        }
    )
    found = {(f.severity, f.path): f.message for f in lint_directory(known, NOON.date())}
    assert "no type of key" in found["error", ("people", "ana", "keys", 1, "key")]
    assert "listed twice" in found["warning", ("people", "ana", "keys", 2, "key")]
    assert "ana has the same key" in found["error", ("people", "bo", "keys", 0, "key")]
    assert "no key of cy counts any more" in found["warning", ("people", "cy", "keys")]
    assert ("warning", ("people", "cy", "keys")) not in {
        (f.severity, f.path) for f in lint_directory(known)
    }
    policy = read_policy(POLICY, "p")
    said = [f.message for f in lint_policy(policy, known, NOON.date()) if f.path[-1] == "assurance"]
    assert "no key of cy, dan" in said[0]
    assert "nobody who may override has a key" in said[1]
    claimed = read_policy(POLICY.replace("signed", "claimed"), "p")
    assert [f for f in lint_policy(claimed, known) if f.path[-1] == "assurance"] == []


def test_lint_finds_nothing_where_everybody_has_a_key_and_bounds_that_leave_no_day(
    key: Path,
) -> None:
    mine = {"key": public(key)}
    directory = {
        "people": {"ana": {"keys": [mine]}},
        "groups": {"eng": {"members": ["ana"], "permissions": {"override": [1]}}},
    }
    known = Directory.model_validate(directory)
    policy = read_policy(POLICY, "p")
    assert lint_directory(known, NOON.date()) == []
    assert [f for f in lint_policy(policy, known) if f.path[-1] == "assurance"] == []
    mine |= {"valid_from": date(2027, 1, 1), "valid_until": date(2026, 1, 1)}
    (found, *_) = lint_directory(Directory.model_validate(directory))
    assert found.message == "ends on 2026-01-01, before it starts on 2027-01-01"
    directory["people"]["ana"]["keys"] = [{"key": "none"}]
    (first, second) = lint_directory(Directory.model_validate(directory), NOON.date())
    assert "one line" in first.message
    assert "ana can sign nothing" in second.message


def test_a_directory_and_its_changes_show_keys_by_fingerprint(key: Path) -> None:
    def known(*keys: dict[str, object]) -> Directory:
        return Directory.model_validate(
            {"people": {"ana": {"keys": keys}, "bo": {}}, "groups": {"eng": {"members": ["ana"]}}}
        )

    fingerprint = public_key(public(key)).fingerprint
    old = known({"key": public(key), "note": "laptop"}, {"key": "none"})
    new = known({"key": public(key), "revoked": NOON.date()})
    shown_as = [block for block in directory_blocks(old) if getattr(block, "title", "") == "Keys"]
    assert [row[1] for row in shown_as[0].rows] == [fingerprint, "unreadable"]
    (people, *_) = diff_blocks(diff(old, new, names=("old", "new")))
    (row,) = people.rows
    assert tuple(row[3:]) == (
        f"{fingerprint} ssh-ed25519, {shown(Key(key='none'))}",
        f"{fingerprint} ssh-ed25519 (revoked 2026-11-25)",
    ), "and nothing of the keys themselves"
