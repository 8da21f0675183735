"""The file: any changed byte is found, and nothing that only looks like a bundle is read."""

from __future__ import annotations

import io
import json
import struct
import zipfile
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.audit_checks import verify_bundle
from phasegate.audit.container import MANIFEST, PAGE, RECORD, BundleBroken, pack, unpack
from phasegate.audit.record import read, written
from phasegate.base import canonical

SMALL = {RECORD: b"{}", PAGE: b"<p>"}


def test_every_changed_byte_of_a_real_bundle_is_found(lives: Any) -> None:
    """By the file alone, before anything in it is believed."""
    bundle = bytearray(lives.short_bundle)
    unpack(bytes(bundle))
    for at in range(len(bundle)):
        kept = bundle[at]
        bundle[at] = kept ^ (1 << at % 8)
        with pytest.raises(BundleBroken):
            unpack(bytes(bundle))
        bundle[at] = kept


@given(data=st.data())
def test_bytes_that_are_added_or_missing_are_found(data: st.DataObject) -> None:
    bundle = pack(SMALL, {})
    at = data.draw(st.integers(0, len(bundle)))
    end = data.draw(st.integers(at, len(bundle)))
    more = data.draw(st.binary(max_size=40))
    changed = bundle[:at] + more + bundle[end:]
    if changed == bundle:
        assert unpack(changed)[0] == SMALL
    else:
        with pytest.raises(BundleBroken):
            unpack(changed)


@given(st.binary(max_size=300))
def test_noise_is_no_bundle(noise: bytes) -> None:
    with pytest.raises(BundleBroken):
        unpack(noise)


def test_the_form_of_the_file_stays_what_it_is() -> None:
    """Bundles are read for years: another Python must write, and so read, the same bytes."""
    assert sha256(pack(SMALL, {"release": "1"})).hexdigest() == (
        "036fe03df31d3457a027c98b198ae47c9ab6cfc3c0eb1d4a17b4e1943e19084d"
    )


def zipped(members: list[tuple[str, bytes]], method: int = zipfile.ZIP_STORED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as made:
        for name, data in members:
            made.writestr(name, data)
    return file.getvalue()


def manifest(members: dict[str, bytes], **more: Any) -> bytes:
    digests = {name: sha256(data).hexdigest() for name, data in sorted(members.items())}
    return canonical({"format": 1, "sha256": digests, **more}) + b"\n"


def with_manifest(members: dict[str, bytes], **more: Any) -> bytes:
    return zipped([*members.items(), (MANIFEST, manifest(members, **more))])


REFUSED = {
    "no zip": (b"PK\x03\x04" + b"\0" * 200, "no ZIP"),
    "cut off": (pack(SMALL, {})[:-30], "no ZIP"),
    "empty": (b"", "no ZIP"),
    "a bomb": (zipped([(RECORD, b"0" * 50_000_000)], zipfile.ZIP_DEFLATED), "larger than the file"),
    "compressed": (zipped([(RECORD, b"ab")], zipfile.ZIP_DEFLATED), "compressed"),
    "a path out of it": (zipped([("../record.json", b"{}")]), "no member of a bundle"),
    "an absolute path": (zipped([("/etc/passwd", b"{}")]), "no member of a bundle"),
    "a path in histories": (zipped([("histories/../../x.json", b"{}")]), "no member of a bundle"),
    "no manifest": (zipped([(RECORD, b"{}")]), "no manifest.json"),
    "a manifest that is no JSON": (zipped([(RECORD, b"{}"), (MANIFEST, b"{")]), "is no JSON"),
    "a deep manifest": (zipped([(MANIFEST, b"[" * 100_000)]), "is no JSON"),
    "a list": (zipped([(MANIFEST, b"[]")]), "names no format"),
    "a newer format": (zipped([(MANIFEST, b'{"format":2,"shape":"new"}')]), "reads 1"),
    "a stray member": (
        zipped([(RECORD, b"{}"), (PAGE, b""), (MANIFEST, manifest({RECORD: b"{}"}))]),
        "does not have it",
    ),
    "a missing member": (zipped([(MANIFEST, manifest({RECORD: b"{}"}))]), "is missing"),
    "another member": (
        zipped([(RECORD, b"[]"), (MANIFEST, manifest({RECORD: b"{}"}))]), "has the digest of"),
    "dated": (with_manifest({RECORD: b"{}"}), "is not what phasegate makes of its members"),
    "many members": (
        zipped([(f"histories/{n}.json", b"") for n in range(10_001)]), "at most 10000"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_bundle_is_refused(name: str) -> None:
    data, why = REFUSED[name]
    with pytest.raises(BundleBroken) as found:
        unpack(data)
    assert why in found.value.why, found.value.why
    assert found.value.hint


def test_a_member_that_comes_twice_is_refused() -> None:
    with pytest.warns(UserWarning, match="Duplicate name"):
        data = zipped([(RECORD, b"{}"), (RECORD, b"[]")])
    with pytest.raises(BundleBroken, match="twice"):
        unpack(data)


def test_an_encrypted_member_is_refused() -> None:
    data = bytearray(zipped([(RECORD, b"{}")]))
    directory = data.index(b"PK\x01\x02")
    for at in (6, directory + 8):
        data[at : at + 2] = struct.pack("<H", 1)
    with pytest.raises(BundleBroken):
        unpack(bytes(data))


RECORDS = {
    "no JSON": (b"{", "no JSON"),
    "deep": (b'{"a":' * 50_000, "no JSON"),
    "a list": (b"[]\n", "no record"),
    "a field too many": (b'{"strange":1}\n', "no record"),
    "another spelling": (b'{ "product":"x"}\n', "not written as records are"),
    "half a letter": (b'{"product":"\\ud800"}\n', "no JSON"),
}


@pytest.mark.parametrize("name", RECORDS)
def test_what_is_no_record_is_refused(name: str) -> None:
    text, why = RECORDS[name]
    with pytest.raises(BundleBroken) as found:
        read(text)
    assert why in found.value.why


def test_a_page_that_says_something_else_is_found(lives: Any, tmp_path: Any) -> None:
    """Made anew with a manifest: what people read is compared with what is verified."""
    members, about = unpack(lives.short_bundle)
    file = tmp_path / "short.audit.zip"
    file.write_bytes(lives.short_bundle)
    assert verify_bundle(str(file), ()).ok
    page = members[PAGE].replace(b"ana", b"eve")
    file.write_bytes(pack({**members, PAGE: page}, about))
    report = verify_bundle(str(file), ())
    assert report.fault is not None
    assert "record.html does not say what record.json does" in report.fault.text
    file.write_bytes(pack({**members, PAGE: page}, {**about, "page": "0.0.1-another"}))
    report = verify_bundle(str(file), ())
    assert report.ok
    assert "was not compared" in report.unchecked[0].text


def test_what_is_written_is_read(lives: Any) -> None:
    assert read(written(lives.signed)) == lives.signed
    assert json.loads(written(lives.signed))["product"] == "lamp"
