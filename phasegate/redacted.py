"""What the record says of words that were taken out of it: an entry of its own, `record.redacted`.

Its data has, for every entry that lost words, their numbers and the digest of what the entry is
now, and the same of documents; and no word of what was erased. So the chain binds what stands in
the place of an erased word, too, and who asked for it, and why.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from hashlib import sha256

from phasegate.base import Wire
from phasegate.seals import Seal, texts

REDACTED = "record.redacted"

GONE = "[redacted]"
"""What stands in the place of what somebody wrote."""

MARKED = re.compile(r"(?<!\w)(?:person|customer)-[0-9a-f]{6}(?!\w)|\[redacted\]")
"""Every text that replaces another one has this in it: no vote can be made another one's so."""


class RedactedEntry(Wire):
    """An entry that lost words. `digest` is the SHA-256, in hex, of its body as it is now."""

    seq: int
    texts: tuple[int, ...]
    digest: str


class RedactedDocument(Wire):
    """A document that lost words: its digest, and that of what it is now."""

    document: str
    digest: str


class Redacted(Wire):
    """The data of a `record.redacted`. Of an entry named in several the last one counts."""

    pseudonym: str
    reason: str
    entries: list[RedactedEntry] = []
    documents: list[RedactedDocument] = []


def redacted_of(body: str) -> Redacted | None:
    """The data of a `record.redacted`, from its body; None where it is none."""
    try:
        return Redacted.model_validate(json.loads(body)["data"])
    except (ValueError, LookupError, TypeError, RecursionError):
        return None


def documents_left(bodies: Iterable[str]) -> dict[str, str]:
    """Digests of documents that lost words, and those of what is left, both as `sha256:…`. Of the
    bodies of a stream's `record.redacted`, in order: the last one counts."""
    said = (redacted_of(body) for body in bodies)
    return {one.document: f"sha256:{one.digest}" for each in said if each for one in each.documents}


def digest_of_body(body: str) -> str:
    """What a `record.redacted` has of an entry: SHA-256, in hex."""
    return sha256(body.encode()).hexdigest()


def as_redacted(seq: int, body: str, seal: Seal) -> RedactedEntry:
    """What the record says of an entry that has lost what its seal has erased."""
    return RedactedEntry(seq=seq, texts=tuple(sorted(seal.redacted)), digest=digest_of_body(body))


class Account:
    """Whether what entries have lost is what the record says they have lost."""

    def __init__(self) -> None:
        self._lost: dict[int, RedactedEntry] = {}
        self._said: dict[int, RedactedEntry] = {}

    def lost(self, seq: int, body: str, seal: Seal) -> bool:
        """An entry, whose seal says that words were erased; False where others stand there."""
        self._lost[seq] = as_redacted(seq, body, seal)
        return all(MARKED.search(at.text) for at in texts(body) if at.number in seal.redacted)

    def said(self, seq: int, entries: Iterable[RedactedEntry]) -> None:
        """A `record.redacted`. It speaks of what was before it."""
        self._said |= {entry.seq: entry for entry in entries if entry.seq < seq}

    def fault(self, start: int) -> tuple[int, str] | None:
        """The first entry after `start` where the two differ, and how."""
        for seq in sorted(self._lost.keys() | self._said.keys()):
            lost, said = self._lost.get(seq), self._said.get(seq)
            if seq <= start or lost == said:
                continue
            if lost is None:
                return seq, "words were taken out of it, the record says, and they are there"
            if said is None:
                return seq, "words were taken out of it, and no later entry says so"
            return seq, "what stands in it is not what the record says was left of it"
        return None
