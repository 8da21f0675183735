"""Forging a record with everything made anew that a forger can make anew: seals, hashes, head."""

from __future__ import annotations

import json
from collections.abc import Callable
from hashlib import sha256
from typing import Any

from phasegate.audit.record import Record, StoredDocument, StoredEntry
from phasegate.base import canonical
from phasegate.chain import link
from phasegate.events import Anchor
from phasegate.seals import Seal

Body = dict[str, Any]


def bodies(record: Record) -> list[Body]:
    """The entries as JSON, to be changed."""
    return [json.loads(entry.body) for entry in record.entries]


def forged(
    record: Record, said: list[Body], documents: list[StoredDocument] | None = None
) -> Record:
    """The record with these entries instead, numbered and chained as if they had been the ones."""
    entries: list[StoredEntry] = []
    before = ""
    for seq, body in enumerate(said, 1):
        text = canonical({**body, "seq": seq}).decode()
        seal = Seal(root=sha256(text.encode()).hexdigest())
        hash = link(before, text, seal)
        entries.append(
            StoredEntry(
                seq=seq, id=body["id"], type=body["type"], prev_hash=before, hash=hash, body=text,
                seal=seal.text,
            )
        )  # fmt: skip
        before = hash
    update: dict[str, Any] = {"entries": entries, "head": Anchor(seq=len(entries), hash=before)}
    if documents is not None:
        update["documents"] = documents
    return record.model_copy(update=update)


def changed(
    record: Record, which: Callable[[Body], bool], change: Callable[[Body], None]
) -> Record:
    """The record with a change to every entry that is meant; there has to be one."""
    said = bodies(record)
    meant = [body for body in said if which(body)]
    assert meant
    for body in meant:
        change(body)
    return forged(record, said)


def without(record: Record, which: Callable[[Body], bool]) -> Record:
    said = bodies(record)
    kept = [body for body in said if not which(body)]
    assert len(kept) < len(said)
    return forged(record, kept)


def with_document(record: Record, kind: str, change: Callable[[Body], None]) -> Record:
    """The record with another document, which everything that named the first one names instead."""
    old = next(one for one in record.documents if one.kind == kind)
    content = json.loads(old.body)
    change(content)
    text = canonical(content).decode()
    digest = f"sha256:{sha256(text.encode()).hexdigest()}"
    new = old.model_copy(update={"body": text, "digest": digest})
    documents = [new if one is old else one for one in record.documents]
    # A statement is text in the text: only its own maker could sign it anew.
    said = [json.loads(json.dumps(body).replace(old.digest, digest)) for body in bodies(record)]
    return forged(record, said, documents)
