"""Forging a record with everything made anew that a forger can make anew: seals, hashes, head."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from hashlib import sha256
from typing import Any

from phasegate.audit.record import Record, StoredDocument, StoredEntry
from phasegate.base import canonical
from phasegate.chain import link
from phasegate.events import Anchor
from phasegate.redacted import as_redacted
from phasegate.seals import Seal, redact, texts

Body = dict[str, Any]

PSEUDONYM = "person-0f0f0f"


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


def with_redactions(
    record: Record, gone: dict[int, dict[str, str]], documents: Iterable[Body] = ()
) -> Record:
    """Chained anew, with texts of entries (by number) taken out, and an entry that says so."""
    said = bodies(record)
    stored: list[StoredEntry] = []
    left: list[Body] = []
    before = ""
    data = {"pseudonym": PSEUDONYM, "reason": "asked for", "entries": left}
    data |= {"documents": [*documents]}
    about = {"id": "record/lamp#1", "type": "record.redacted", "source": "record/lamp"}
    for seq, body in enumerate([*said, {**said[-1], **about, "data": data}], 1):
        text = canonical({**body, "seq": seq}).decode()
        seal = Seal(root=sha256(text.encode()).hexdigest())
        hash = link(before, text, seal)
        if seq in gone:
            new = {p.number: gone[seq][p.text] for p in texts(text) if p.text in gone[seq]}
            text, seal = redact(text, seal, new)
            left.append(as_redacted(seq, text, seal).model_dump(mode="json"))
        stored.append(StoredEntry(seq=seq, id=body["id"], type=body["type"], prev_hash=before,
                                  hash=hash, body=text, seal=seal.text))  # fmt: skip
        before = hash
    return record.model_copy(
        update={"entries": stored, "head": Anchor(seq=len(stored), hash=before)}
    )
