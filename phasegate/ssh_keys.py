"""OpenSSH's public keys and signatures as bytes: what they are, and whose they may be.

The formats are those of RFC 4253 (6.6), PROTOCOL.u2f and PROTOCOL.sshsig of OpenSSH. Nothing here
does cryptography: `ssh-keygen` says whether a signature is good (integrations.ssh_keygen).
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import sha256

from phasegate.directory import Directory, Key

TYPES = (
    "ssh-ed25519",
    "ssh-rsa",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "sk-ssh-ed25519@openssh.com",
    "sk-ecdsa-sha2-nistp256@openssh.com",
)
"""Keys that sign, those of hardware (sk-…) among them. DSA is too weak; certificates are refused,
since the directory says by itself whose a key is and for how long."""

SHORTEST_RSA = 2048

_MAGIC, _VERSION = b"SSHSIG", (1).to_bytes(4, "big")
_BEGIN, _END = "-----BEGIN SSH SIGNATURE-----", "-----END SSH SIGNATURE-----"
_LINE = 70


@dataclass(frozen=True)
class PublicKey:
    """A public key: its type and its bytes."""

    type: str
    blob: bytes

    @property
    def fingerprint(self) -> str:
        """As `ssh-keygen -l` prints it: SHA256:…"""
        return "SHA256:" + b64encode(sha256(self.blob).digest()).decode().rstrip("=")

    @property
    def line(self) -> str:
        """As in a .pub file, without a comment."""
        return f"{self.type} {b64encode(self.blob).decode()}"


def public_key(text: str) -> PublicKey:
    """Read a line of a .pub file; what follows the key is a comment. Raises ValueError."""
    if "PRIVATE KEY" in text:
        raise ValueError(
            "this is a private key: it belongs to nobody but its owner. Take the .pub file beside "
            "it, and make a new pair, since this one has been seen"
        )
    words = text.split()
    if len(text.strip().splitlines()) != 1 or len(words) < 2:
        raise ValueError("a key is one line, as in a .pub file: ssh-ed25519 AAAA…")
    kind = words[0]
    if kind not in TYPES:
        if any(word in TYPES for word in words[1:3]):
            raise ValueError("options stand in front of the key; leave them out")
        raise ValueError(f"{kind[:40]!r} is no type of key that signs here: {', '.join(TYPES)}")
    try:
        blob = b64decode(words[1], validate=True)
        parts = list(_strings(blob))
    except (NotBase64, ValueError):
        raise ValueError("what follows the type is no key; was it cut off?") from None
    if not parts or parts[0] != kind.encode() or len(parts) < 2:
        raise ValueError(f"what follows {kind} is no key of that type")
    if kind == "ssh-rsa" and (bits := int.from_bytes(parts[-1], "big").bit_length()) < SHORTEST_RSA:
        raise ValueError(f"an RSA key of {bits} bits is too weak; it needs {SHORTEST_RSA}")
    return PublicKey(kind, blob)


@dataclass(frozen=True)
class Signature:
    """A signature as it came: the key that it names, what it was made for, and all of it."""

    key: PublicKey
    namespace: str
    blob: bytes

    @property
    def armored(self) -> str:
        """As `ssh-keygen -Y sign` writes it, and nothing else with it."""
        text = b64encode(self.blob).decode()
        lines = [text[at : at + _LINE] for at in range(0, len(text), _LINE)]
        return "\n".join([_BEGIN, *lines, _END, ""])


def signature(armored: str) -> Signature:
    """Read an armored signature, without asking whether it is good. Raises ValueError."""
    lines = armored.strip().splitlines()
    if len(lines) < 3 or lines[0].strip() != _BEGIN or lines[-1].strip() != _END:
        raise ValueError("it is no signature that ssh-keygen -Y sign has written")
    try:
        blob = b64decode("".join(line.strip() for line in lines[1:-1]), validate=True)
        if blob[:10] != _MAGIC + _VERSION:
            raise ValueError("another version")
        key, namespace, *rest = _strings(blob[10:])
        kind = next(_strings(key)).decode()
        found = Signature(PublicKey(kind, key), namespace.decode(), blob)
    except (NotBase64, ValueError, StopIteration):
        raise ValueError("it is no signature that can be read") from None
    if len(rest) != 3:  # reserved, the hash, the signature itself
        raise ValueError("it is no signature that can be read")
    return found


def _strings(data: bytes) -> Iterator[bytes]:
    """The strings of which SSH's formats are made: four bytes of length, then so many."""
    while data:
        size = int.from_bytes(data[:4], "big")
        if len(data) < 4 + size:
            raise ValueError("cut off")
        yield data[4 : 4 + size]
        data = data[4 + size :]


def keys_like(keys: Sequence[Key], wanted: PublicKey) -> list[Key]:
    """The entries of this key among somebody's; entries that cannot be read are none."""
    found = []
    for key in keys:
        try:
            if public_key(key.key).blob == wanted.blob:
                found.append(key)
        except ValueError:  # published before lint knew keys, or past it
            continue
    return found


def is_revoked(key: Key, on: date) -> bool:
    return key.revoked is not None and key.revoked <= on


def is_valid(key: Key, on: date) -> bool:
    """Whether it may be used on that day (UTC): within its bounds, and not revoked."""
    begun = key.valid_from is None or key.valid_from <= on
    return begun and (key.valid_until is None or on <= key.valid_until) and not is_revoked(key, on)


def usable(keys: Iterable[Key], at: datetime) -> list[Key]:
    """Those that can be read and are valid at an instant."""
    found = []
    for key in keys:
        try:
            public_key(key.key)
        except ValueError:
            continue
        if is_valid(key, at.date()):
            found.append(key)
    return found


def revoked_keys(directory: Directory, people: Iterable[str], at: datetime) -> tuple[str, ...]:
    """The fingerprints of these people's keys that are revoked by then, sorted."""
    found = set()
    for person in people:
        known = directory.people.get(person)
        for key in known.keys if known else ():
            if not is_revoked(key, at.date()):
                continue
            try:
                found.add(public_key(key.key).fingerprint)
            except ValueError:  # then nothing was ever signed with it
                continue
    return tuple(sorted(found))


def shown(key: Key) -> str:
    """A key as people compare it: its fingerprint, its type and its bounds."""
    try:
        read = public_key(key.key)
        text = f"{read.fingerprint} {read.type}"
    except ValueError as error:
        text = f"unreadable: {error}"
    bounds = [
        f"{word} {day}"
        for word, day in (
            ("from", key.valid_from),
            ("until", key.valid_until),
            ("revoked", key.revoked),
        )
        if day
    ]
    return text + (f" ({', '.join(bounds)})" if bounds else "")
