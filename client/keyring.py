"""The key ring of an installation: whether confidential mode is on, and the keys themselves."""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import os
import re
import secrets
import socket
import stat
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from phasegate.errors import EngineError
from phasegate.pseudonyms import Names

FILE = "PHASEGATE_KEYS_FILE"
TEXT = "PHASEGATE_KEYS"
BYTES = 32
"""Of every key: AES-256, and as much for HMAC-SHA256."""

LARGEST = 64 * 1024

LONGEST = 600
"""Characters that an identity has for the ids of older keys; the server takes 1000 in all."""

UNTOLD = "*"
"""Stands for the ids of keys that are too many to be told."""

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
_HINT = "phasegate keyring show  # says what a key ring holds; docs/confidential.md"


@dataclass(frozen=True)
class Keyring:
    """Keys by their ids; `current` is the one that encrypts, all of them decrypt."""

    current: str
    keys: Mapping[str, bytes] = field(repr=False)
    pseudonyms: bytes = field(repr=False)

    @classmethod
    def new(cls, id: str) -> Keyring:
        """A ring with one key of this id. Raises EngineError for an id that cannot be used."""
        _named(id)
        return cls(id, {id: secrets.token_bytes(BYTES)}, secrets.token_bytes(BYTES))

    @property
    def names(self) -> Names:
        return Names(self.pseudonyms)

    def identity(self) -> str:
        """What the server calls this process: no machine by its name, and which keys it has."""
        host = self.names.of("host", socket.gethostname())
        others = "".join(f"+{id}" for id in self.keys if id != self.current)
        if len(others) > LONGEST:
            others = f"+{UNTOLD}"
        return f"{os.getpid()}@{host}/{self.fingerprint}/{self.current}{others}"

    @property
    def fingerprint(self) -> str:
        """Tells key rings of two installations apart, and says nothing of their keys."""
        return hmac.digest(self.pseudonyms, b"fingerprint", sha256).hex()[:16]

    def with_key(self, id: str) -> Keyring:
        """With one more key, which decrypts and does not encrypt yet. Raises EngineError."""
        _named(id)
        if id in self.keys:
            what, why = f"the key ring has a key {id} already", "a key is never replaced"
            raise EngineError(what, why, _HINT)
        return replace(self, keys={**self.keys, id: secrets.token_bytes(BYTES)})

    def using(self, id: str) -> Keyring:
        """With this key as the one that encrypts. Raises EngineError."""
        if id not in self.keys:
            known = ", ".join(self.keys)
            raise EngineError(f"the key ring has no key {id}", f"it has {known}", _HINT)
        return replace(self, current=id)

    def text(self) -> str:
        """As it is written to a file."""
        document = {
            "current": self.current,
            "keys": {id: base64.b64encode(key).decode() for id, key in self.keys.items()},
            "pseudonyms": base64.b64encode(self.pseudonyms).decode(),
        }
        return json.dumps(document, indent=2) + "\n"


def is_on(env: Mapping[str, str] = os.environ) -> bool:
    """Whether confidential mode is asked for; its keys may still be at fault."""
    return bool(env.get(FILE) or env.get(TEXT))


def load_keyring(env: Mapping[str, str] = os.environ) -> Keyring | None:
    """The ring that the environment names; None where confidential mode is off.

    Raises EngineError for one that cannot be used: what it says quotes nothing of it.
    """
    if env.get(FILE) and env.get(TEXT):
        raise EngineError(
            "there are two key rings", f"{FILE} and {TEXT} are both set", f"unset {TEXT}"
        )
    if name := env.get(FILE):
        return read_keyring(Path(name).expanduser())
    if text := env.get(TEXT):
        return _parsed(text, f"the content of {TEXT}")
    return None


def read_keyring(path: Path) -> Keyring:
    """The ring in a file that nobody but its owner may read. Raises EngineError."""
    try:
        # Not blocking: else a pipe of this name would be waited for.
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:
            found = os.fstat(file.fileno())
            if not stat.S_ISREG(found.st_mode):
                raise OSError(0, "it is no file")
            text = file.read(LARGEST + 1)
    except OSError as error:
        what, why = f"the key ring {path} cannot be read", error.strerror or "it cannot be opened"
        # Not to make one: a new ring opens nothing of what the others here have written.
        hint = f"ls -ld {path} {path.parent}  # is it the path of this installation's key ring?"
        raise EngineError(what, why, hint) from None
    if len(text) > LARGEST:
        raise EngineError(f"{path} is no key ring", "it is too large", _another(path))
    try:
        ring = _parsed(text.decode(errors="replace"), str(path))
    except EngineError as error:
        error.hint = _another(path)
        raise
    if found.st_mode & 0o077:
        raise EngineError(
            f"the key ring {path} can be read by others",
            f"its mode is {stat.S_IMODE(found.st_mode):04o}; keys are their owner's only",
            f"chmod 600 {path}",
        )
    return ring


def write_keyring(path: Path, ring: Keyring, *, new: bool) -> None:
    """Write a ring, for its owner's eyes only; in one step, so that nobody reads half of it.

    Raises EngineError where it cannot be written, and with `new` where there is a file already.
    """
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(ring.text())
                file.flush()
                os.fsync(file.fileno())
            if new:
                os.link(part, path)  # which fails where there is one, unlike a rename
            else:
                part.replace(path)
        finally:
            with suppress(FileNotFoundError):
                part.unlink()
    except FileExistsError:
        raise EngineError(
            f"{path} is there already",
            "a key ring is never overwritten: what its keys encrypted could not be read any more",
            f"phasegate keyring add {path}  # adds a key to it",
        ) from None
    except OSError as error:
        why = error.strerror or "it cannot be opened"
        raise EngineError(
            f"the key ring {path} cannot be written", why, f"ls -ld {path.parent}"
        ) from None


def _parsed(text: str, called: str) -> Keyring:
    # ruamel and json quote what they do not understand, and that is a key: no cause, no text.
    try:
        found = _document(text)
    except _Twice:
        raise _faulty(
            called, "it has two entries of one name, of which one would be lost"
        ) from None
    except Exception:
        raise _faulty(called, "it is neither YAML nor JSON") from None
    if not isinstance(found, dict) or not isinstance(found.get("keys"), dict):
        raise _faulty(called, "it needs current, keys and pseudonyms")
    if unknown := found.keys() - {"current", "keys", "pseudonyms"}:
        raise _faulty(called, f"it has {len(unknown)} entries beside current, keys and pseudonyms")
    ids = list(found["keys"])
    for number, id in enumerate(ids, 1):
        if not isinstance(id, str) or not _ID.fullmatch(id):
            raise _faulty(called, f"the id of its key {number} is none: letters, digits, . _ -")
    keys = {id: _key(called, f"its key {id}", text) for id, text in found["keys"].items()}
    pseudonyms = _key(called, "its key for pseudonyms", found.get("pseudonyms"))
    current = found.get("current")
    if not isinstance(current, str) or current not in keys:
        raise _faulty(called, "its current key is none of its keys")
    if len({*keys.values(), pseudonyms}) <= len(keys):
        raise _faulty(called, "it has the same key twice")
    return Keyring(current, keys, pseudonyms)


def _document(text: str) -> Any:
    with suppress(json.JSONDecodeError):
        return json.loads(text, object_pairs_hook=_each_once)
    from ruamel.yaml import YAML  # noqa: PLC0415  # JSON is what we write
    from ruamel.yaml.constructor import DuplicateKeyError  # noqa: PLC0415

    try:
        return YAML(typ="safe", pure=True).load(text)
    except DuplicateKeyError:
        raise _Twice from None


class _Twice(ValueError):
    """A name is given twice in one mapping; readers of JSON take the last one without a word."""


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise _Twice
    return found


def _key(called: str, which: str, text: object) -> bytes:
    try:
        key = base64.b64decode(text if isinstance(text, str) else "", validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != BYTES:
        raise _faulty(called, f"{which} is not the base64 of {BYTES} bytes")
    return key


def _named(id: str) -> None:
    if not _ID.fullmatch(id):
        why = "an id is of letters, digits, dots, dashes and underscores, 63 at most"
        raise EngineError("that is no id of a key", why, "phasegate keyring add --help")


def _faulty(called: str, why: str) -> EngineError:
    return EngineError(f"{called} is no key ring that can be used", why, _HINT)


def _another(path: Path) -> str:
    return f"ls -l {path}  # {FILE} names the file of phasegate keyring new"
