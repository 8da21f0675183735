"""How an entry is hashed so that words can be taken out of it later without breaking the chain.

The hash of an entry is not taken of its words, but of a salted digest of each of them: of every
text of an announcement, and of the names of its data's fields, in the order in which they stand.
Who erases a word keeps its digest. Without its salt nobody finds out what the word was by trying
(a name has little to guess), and the hash stays what it was. Numbers and instants stay.

The idea is that of redactable signatures (Johnson, Molnar, Song, Wagner: Homomorphic signature
schemes, 2002), as SD-JWT (RFC 9901) does it for claims.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable
from hashlib import sha256
from typing import Any

from phasegate.base import Wire, canonical

OPEN = frozenset({"id", "type", "product", "source", "at", "seq"})
"""What an entry is filed under. It names no person, and stays."""

Replace = Callable[[tuple[str | int, ...], str], str | None]
"""What stands in the place of a text (given where it stands, and the text); None leaves it."""


class Seal(Wire):
    """What is needed beside an entry's words to take its hash: salts, in hex, and the digests of
    what was erased, by the number of the text (0, 1, 2 … in the order of the entry).

    The salts of a whole entry are made of one `root`; once something was erased, the others are
    kept one by one, since from the root that of the erased word would follow.
    """

    root: str = ""
    salts: dict[int, str] = {}
    redacted: dict[int, str] = {}

    def salt(self, number: int) -> str:
        """Raises KeyError for a text that has none."""
        if self.root:
            return hmac.new(bytes.fromhex(self.root), str(number).encode(), sha256).hexdigest()
        return self.salts[number]

    def digest(self, number: int, text: str) -> str:
        """What the hash knows of a text."""
        if number in self.redacted:
            return self.redacted[number]
        return sha256(bytes.fromhex(self.salt(number)) + text.encode()).hexdigest()


def sealed(body: str, seal: Seal) -> bytes:
    """What the hash of an entry is taken of. Raises ValueError where the seal is not its own."""
    walk = _Walk(lambda number, _path, text: seal.digest(number, text))
    try:
        tree = walk.entry(json.loads(body))
    except (LookupError, TypeError, AttributeError) as error:
        raise ValueError("the seal does not fit the entry") from error
    if not set(seal.salts) | set(seal.redacted) <= set(range(walk.count)):
        raise ValueError("the seal speaks of texts that the entry does not have")
    return canonical(tree)


def redact(body: str, seal: Seal, replace: Replace) -> tuple[str, Seal]:
    """The entry without the texts that `replace` replaces, and its seal; its hash is the same."""
    erased: dict[int, str] = dict(seal.redacted)
    salts: dict[int, str] = {}

    def each(number: int, path: tuple[str | int, ...], text: str) -> str:
        found = None if number in erased else replace(path, text)
        if found is not None:
            erased[number] = seal.digest(number, text)
        elif number not in erased:
            salts[number] = seal.salt(number)
        return text if found is None else found

    changed = _Walk(each, whole=True).entry(json.loads(body))
    if erased == seal.redacted:
        return body, seal
    text = json.dumps(changed, separators=(",", ":"), ensure_ascii=False)
    return text, Seal(salts=salts, redacted=erased)


class _Walk:
    """Goes through an entry in its own order, and makes something of each text in it.

    `whole` keeps its shape; else objects become marked lists of pairs, which no list can be
    taken for.
    """

    def __init__(
        self, each: Callable[[int, tuple[str | int, ...], str], str], *, whole: bool = False
    ) -> None:
        self._each, self._whole, self.count = each, whole, 0

    def entry(self, said: dict[str, Any]) -> dict[str, Any]:
        return {
            key: value if key in OPEN else self._value((key,), value) for key, value in said.items()
        }

    def _text(self, path: tuple[str | int, ...], text: str) -> str:
        self.count += 1
        return self._each(self.count - 1, path, text)

    def _value(self, path: tuple[str | int, ...], value: Any) -> Any:
        if isinstance(value, str):
            return self._text(path, value)
        if isinstance(value, list):
            return [self._value((*path, index), item) for index, item in enumerate(value)]
        if not isinstance(value, dict):
            return value
        pairs = []
        for key, item in value.items():
            name = self._text((*path, key, "#name"), key)
            pairs.append((name, self._value((*path, key), item)))
        return dict(pairs) if self._whole else {"pairs": pairs}
