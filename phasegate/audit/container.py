"""A bundle as one file: a ZIP that has one possible form, so that any changed byte is found.

Members are stored as they are, sorted by name, without dates, and a manifest has the digest of
each. Whoever reads one builds it again from its members and compares byte for byte.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from phasegate.base import canonical
from phasegate.errors import PhasegateError

FORMAT = 1
"""Of the bundle. A later one that this release cannot read has a higher number."""

LARGEST = 512 * 1024 * 1024
"""Bytes of a bundle: it is read whole."""

MOST_MEMBERS = 10_000

MANIFEST, RECORD, PAGE = "manifest.json", "record.json", "record.html"
HISTORIES = "histories/"
_NAME = re.compile(
    r"(?:histories/[A-Za-z0-9][A-Za-z0-9._-]{0,250}\.json|record\.json|record\.html)"
)
_EPOCH = (1980, 1, 1, 0, 0, 0)
_AGAIN = "phasegate audit export KEY  # where the ledger is, or get the file again"


class BundleBroken(PhasegateError):
    """The file is no bundle, is not what was exported, or cannot be read by this release."""

    def __init__(self, why: str, hint: str = _AGAIN, what: str = "the bundle cannot be relied on"):
        super().__init__(what, why, hint)


def pack(members: Mapping[str, bytes], about: Mapping[str, str]) -> bytes:
    """The file of these members. `about` goes into the manifest.

    Raises ValueError where it would be larger than what is read again.
    """
    for name in members:
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name} is no name of a member")
    digests = {name: sha256(members[name]).hexdigest() for name in sorted(members)}
    manifest = {"format": FORMAT, **about, "sha256": digests}
    if len(members) > MOST_MEMBERS or sum(map(len, members.values())) > LARGEST * 0.9:
        raise ValueError(f"it would have more than {LARGEST} bytes, or {MOST_MEMBERS} members")
    return _zipped({**members, MANIFEST: canonical(manifest) + b"\n"})


def unpack(data: bytes) -> tuple[dict[str, bytes], dict[str, Any]]:
    """The members of a bundle, and its manifest. Raises BundleBroken for anything else."""
    if len(data) > LARGEST:
        raise BundleBroken(f"it has more than {LARGEST} bytes, and a bundle never has")
    try:
        members = _members(data)
    except (zipfile.BadZipFile, OSError, EOFError, NotImplementedError, RuntimeError) as error:
        raise BundleBroken(f"it is no ZIP, or a damaged one: {error}") from error
    except (ValueError, OverflowError, MemoryError) as error:
        raise BundleBroken(f"it is a ZIP that cannot be read: {error}") from error
    manifest = _manifest(members.pop(MANIFEST, None))
    for name, digest in _digests(manifest).items():
        if name not in members:
            raise BundleBroken(f"{name} is missing, and the manifest has it")
        if sha256(members[name]).hexdigest() != digest:
            raise BundleBroken(f"{name} is not what the manifest has the digest of")
    if strays := sorted(set(members) - set(_digests(manifest))):
        raise BundleBroken(f"{strays[0]} is in it, and the manifest does not have it")
    about = {key: value for key, value in manifest.items() if key not in ("format", "sha256")}
    again = _zipped({**members, MANIFEST: canonical(manifest) + b"\n"})
    if again != data:
        at = next((n for n, (a, b) in enumerate(zip(again, data, strict=False)) if a != b), None)
        where = f"from byte {at} on" if at is not None else "at its end"
        raise BundleBroken(f"{where} it is not what phasegate makes of its members")
    return members, about


def _zipped(members: Mapping[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as made:
        for name in sorted(members):
            info = zipfile.ZipInfo(name, _EPOCH)
            info.create_system, info.external_attr = 3, 0o644 << 16
            made.writestr(info, members[name])
    return file.getvalue()


def _members(data: bytes) -> dict[str, bytes]:
    """What is stored is never more than the file: nothing is unpacked."""
    found: dict[str, bytes] = {}
    with zipfile.ZipFile(io.BytesIO(data)) as read:
        infos = read.infolist()
        if len(infos) > MOST_MEMBERS:
            raise BundleBroken(f"it has {len(infos)} members, and at most {MOST_MEMBERS} are read")
        if sum(info.file_size for info in infos) > len(data):
            raise BundleBroken("its members are said to be larger than the file")
        for info in infos:
            name = info.filename
            if name != MANIFEST and not _NAME.fullmatch(name):
                raise BundleBroken(f"{name[:80]!r} is no member of a bundle")
            if name in found:
                raise BundleBroken(f"it has {name} twice")
            if info.compress_type != zipfile.ZIP_STORED:
                raise BundleBroken(f"{name} is compressed, and no member of a bundle is")
            found[name] = read.read(info)
    return found


def _manifest(text: bytes | None) -> dict[str, Any]:
    if text is None:
        raise BundleBroken(f"it has no {MANIFEST}: it is no bundle of phasegate")
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BundleBroken(f"its {MANIFEST} is no JSON") from error
    number = found.get("format") if isinstance(found, dict) else None
    if not isinstance(number, int) or number < 1:
        raise BundleBroken(f"its {MANIFEST} names no format")
    if number > FORMAT:
        raise BundleBroken(
            f"its format is {number}, and this release reads {FORMAT}",
            "pip install --upgrade phasegate  # then verify it again",
            "the bundle was written by a newer release",
        )
    return dict(found)


def _digests(manifest: Mapping[str, Any]) -> dict[str, str]:
    found = manifest.get("sha256")
    if not isinstance(found, dict) or RECORD not in found:
        raise BundleBroken(f"its {MANIFEST} does not have the digest of {RECORD}")
    return {str(name): str(digest) for name, digest in found.items()}
