"""How an entry is hashed so that words can be taken out of it later without breaking the chain.

The hash of an entry is not taken of its words, but of a salted digest of each of them: of every
text of an announcement, and of the names of its data's fields, in the order in which they stand.
Who erases a word keeps its digest. Without its salt nobody finds out what the word was by trying
(a name has little to guess), and the hash stays what it was. Numbers and instants stay.

The digest says nothing of what stands in the place of an erased word: an entry of its own does,
later in the same stream (phasegate.redacted), and the chain does not hold without it.

The idea is that of redactable signatures (Johnson, Molnar, Song, Wagner: Homomorphic signature
schemes, 2002), as SD-JWT (RFC 9901) does it for claims.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from hashlib import sha256, shake_256
from itertools import count
from typing import Annotated, Any, NamedTuple

from pydantic import StringConstraints, model_validator

from phasegate.base import Wire, canonical

OPEN = frozenset({"id", "type", "product", "source", "at", "seq"})
"""What an entry is filed under. It names no person, and stays."""

_TOO_DEEP = "the entry is nested too deeply"

Hex = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
"""32 bytes. Always so many: with a longer salt a shorter word would have the same digest."""


class Seal(Wire):
    """What is needed beside an entry's words to take its hash: salts, in hex, and the digests of
    what was erased, by the number of the text (0, 1, 2 … in the order of the entry).

    The salts of a whole entry are made of one `root`; once something was erased, the others are
    kept one by one, since from the root that of the erased word would follow.
    """

    root: Hex | None = None
    salts: dict[int, Hex] = {}
    redacted: dict[int, Hex] = {}

    @model_validator(mode="after")
    def _one_for_each(self) -> Seal:
        if self.root:
            if self.salts or self.redacted:
                raise ValueError("it has a root beside what is there in place of one")
        elif sorted((*self.salts, *self.redacted)) != list(range(self.size)):
            raise ValueError("it has not one salt, or one digest, for each text")
        return self

    @property
    def size(self) -> int:
        """How many texts it has something for; none, where it has a root."""
        return len(self.salts) + len(self.redacted)

    @property
    def text(self) -> str:
        """As it is stored: a seal has one text."""
        return self.model_dump_json(exclude_defaults=True)

    def parts(self) -> Iterator[tuple[bytes, str]]:
        """For each text, in order: its salt, or where it was erased the digest that it left."""
        if self.root:
            yield from ((salt, "") for salt in _salts(bytes.fromhex(self.root)))
        for number in range(self.size):
            left = self.redacted.get(number, "")
            yield (b"" if left else bytes.fromhex(self.salts[number])), left


def _salts(root: bytes) -> Iterator[bytes]:
    """The salts of a whole entry, for ever: SHAKE-256 of the root and a counter, 32 bytes each."""
    block = 0
    while True:
        made = shake_256(root + block.to_bytes(4, "big")).digest(1024)
        yield from (made[at : at + 32] for at in range(0, 1024, 32))
        block += 1


def _digest(salt: bytes, text: str) -> str:
    return sha256(salt + text.encode()).hexdigest()


def read_seal(text: str) -> Seal | None:
    """A seal as stored; none where an early ledger wrote no seal. Raises ValueError."""
    if not text:
        return None
    seal = Seal.model_validate_json(text)
    if seal.text != text:
        raise ValueError("the seal is written in another way than seals are")
    return seal


def read_body(body: str) -> dict[str, Any]:
    """An entry's body as JSON. Raises ValueError where another text would mean the same.

    Names that come twice in an object, blanks, other spellings of a number or a letter: of none of
    them would the hash know.
    """
    try:
        said = json.loads(body)
        written = _dumped(said)
    except RecursionError:
        raise ValueError(_TOO_DEEP) from None
    if written != body or not isinstance(said, dict) or list(said) != sorted(said):
        raise ValueError("the entry is written in another way than entries are")
    return said


def _dumped(said: Any) -> str:
    """JSON as entries have it, in the order it is in."""
    return json.dumps(said, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def sealed(body: str, seal: Seal) -> bytes:
    """What the hash of an entry is taken of. Raises ValueError where the seal is not its own."""
    parts = seal.parts()

    def of(text: str) -> str:
        salt, left = next(parts)
        return left or _digest(salt, text)

    def walk(value: Any) -> Any:
        if isinstance(value, str):
            return of(value)
        if isinstance(value, list):
            return [walk(item) for item in value]
        if isinstance(value, dict):  # no list can be taken for it
            return {"pairs": [[of(name), walk(item)] for name, item in value.items()]}
        return value

    said = read_body(body)
    try:
        tree = {name: value if name in OPEN else walk(value) for name, value in said.items()}
    except StopIteration:
        raise ValueError("the seal has nothing for some of the entry's texts") from None
    except RecursionError:
        raise ValueError(_TOO_DEEP) from None
    if not seal.root and next(parts, None):
        raise ValueError("the seal has something for texts that the entry does not have")
    return canonical(tree)


class Place(NamedTuple):
    """A text of an entry: its number, where it stands, and whether it is a field's name (then
    `path` ends with it)."""

    number: int
    path: tuple[str | int, ...]
    text: str
    is_name: bool


def texts(body: str) -> list[Place]:
    """Every text of an entry that its seal speaks of, in order. Raises ValueError."""
    found: list[Place] = []

    def each(place: Place) -> str:
        found.append(place)
        return place.text

    _rewritten(body, each)
    return found


def redact(body: str, seal: Seal, instead: Mapping[int, str]) -> tuple[str, Seal]:
    """The entry with other words in the place of some texts (by number), and its seal; its hash is
    the same. What was erased before stays erased. Raises ValueError."""
    parts = seal.parts()
    salts: dict[int, str] = {}
    redacted: dict[int, str] = {}

    def each(place: Place) -> str:
        salt, left = next(parts)
        if left or place.number in instead:
            redacted[place.number] = left or _digest(salt, place.text)
        else:
            salts[place.number] = salt.hex()
        return instead.get(place.number, place.text)

    changed = _rewritten(body, each)
    return (changed, Seal(salts=salts, redacted=redacted)) if redacted else (body, seal)


def _rewritten(body: str, each: Callable[[Place], str]) -> str:
    """The entry with what `each` gives for every text of it, in the same order."""
    number = count()

    def walk(path: tuple[str | int, ...], value: Any) -> Any:
        if isinstance(value, str):
            return each(Place(next(number), path, value, is_name=False))
        if isinstance(value, list):
            return [walk((*path, index), item) for index, item in enumerate(value)]
        if not isinstance(value, dict):
            return value
        taken, made = set(value), {}
        for name, item in value.items():
            place = (*path, name)
            new = each(Place(next(number), place, name, is_name=True))
            while new != name and new in taken:
                new += "'"  # two fields that are named after one person
            taken.add(new)
            made[new] = walk(place, item)
        return made

    said = read_body(body)
    try:
        return _dumped({k: v if k in OPEN else walk((k,), v) for k, v in said.items()})
    except RecursionError:
        raise ValueError(_TOO_DEEP) from None
