"""Words taken out of the record: of a product's stream, and of documents that it names.

A stream is one transaction: what its entries are now, and the entry that says so.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from secrets import token_hex

from sqlalchemy import Connection, select, update

from ledger import dialects
from ledger.database import Database
from ledger.reading import announcement_of
from ledger.redacted_findings import Asked, Changed, Found, Stored
from ledger.redacted_rows import forget, names_of_customer
from ledger.schema import documents, events
from ledger.streams import lock_head, write
from phasegate import chain
from phasegate.events import Anchor, Announcement
from phasegate.redacted import (
    REDACTED,
    Redacted,
    as_redacted,
)
from phasegate.redacted_documents import document_without
from phasegate.redaction import Entry, Subject, instead, words_of
from phasegate.seals import Place, read_seal, redact

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")

_PER_ENTRY = 500
"""Entries that one `record.redacted` speaks of."""


class Redactions:
    """Every method is one transaction and raises LedgerError where the database cannot be used."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def documents(self, subject: Subject, of: Callable[[str, str], bool]) -> list[Stored]:
        """Documents that name the subject, of the kinds and names that are asked for."""
        with self._database.reading() as connection:
            rows = connection.execute(select(documents).order_by(documents.c.digest)).all()
        found = (
            Stored(row.digest, row.kind, row.name, document_without(row.kind, row.body, subject))
            for row in rows
            if of(row.kind, row.name)
        )
        bodies = {row.digest: row.body for row in rows}
        return [one for one in found if one.without != bodies[one.digest]]

    def has(self, pseudonym: str) -> bool:
        """Whether any entry has it already."""
        query = select(events.c.seq).where(events.c.body.contains(pseudonym)).limit(1)
        with self._database.reading() as connection:
            return connection.execute(query).first() is not None

    def look(
        self,
        product: str,
        subject: Subject,
        changed: Sequence[Stored],
        own: Collection[str],
        *,
        whole: bool,
    ) -> Found:
        """What `erase` would do."""
        with self._database.reading() as connection:
            found = _find(connection, product, subject, changed, own)
            found.rows = forget(connection, product, subject, whole=whole, dry_run=True)
        return found

    def erase(
        self,
        product: str,
        subject: Subject,
        changed: Sequence[Stored],
        own: Collection[str],
        asked: Asked,
        *,
        whole: bool,
    ) -> Found:
        """Take the subject out of a product's stream, and say so in it; documents come after.

        Of `changed` it says so of those that its stream names, and of its `own` (digests). `whole`:
        also out of what belongs to no product. Done again it finds nothing.
        """
        with self._database.writing() as connection:
            dialects.forget_freed(connection)
            dialects.lock(connection, f"customers/{product}")
            head = lock_head(connection, product)
            found = _find(connection, product, subject, changed, own)
            found.rows = forget(connection, product, subject, whole=whole, dry_run=False)
            for entry in found.entries:
                connection.execute(
                    update(events)
                    .where(events.c.product == product, events.c.seq == entry.seq)
                    .values(body=entry.body, seal=entry.seal)
                )
            new: list[chain.Entry] = []
            for said in _announced(found, subject, asked) if found and head.seq else ():
                new.append(chain.entry(said, new[-1].anchor if new else head, token_hex(32)))
            if new:
                write(connection, product, new)
                found.said_in = new[0].seq
        return found

    def rewrite(self, changed: Iterable[Stored], places: Mapping[str, tuple[str, int]]) -> None:
        """Take the subject out of documents. `places`: digest → the entry that says so."""
        with self._database.writing() as connection:
            dialects.forget_freed(connection)
            for one in changed:
                product, seq = places[one.digest]
                connection.execute(
                    update(documents)
                    .where(documents.c.digest == one.digest)
                    .values(body=one.without, redacted=f"{product}/{seq}")
                )

    def names_of_customer(self, product: str, customer: str) -> tuple[str, ...]:
        """What a customer is called, and their address; nothing where there is no such customer."""
        with self._database.reading() as connection:
            return names_of_customer(connection, product, customer)

    def finish(self) -> None:
        """Empty the log of an SQLite database, which has old pages; a server keeps its own."""
        self._database.empty_log()


def _find(
    connection: Connection,
    product: str,
    subject: Subject,
    changed: Sequence[Stored],
    own: Collection[str],
) -> Found:
    """Raises ChainBroken: what does not add up is evidence, and stays as it is."""
    query = select(events).where(events.c.product == product).order_by(events.c.seq)
    rows = [chain.Row(**row._mapping) for row in connection.execute(query)]
    chain.walk(product, rows, Anchor())
    found = Found(product)
    named = {*own} | {digest for row in rows for digest in _DIGEST.findall(row.body)}
    found.documents = [one.said for one in changed if one.digest in named]
    looked = [(row, Entry.of(announcement_of(row.body), row.body)) for row in rows if row.seal]
    words = words_of(subject, (entry for _, entry in looked))
    for row, entry in looked:
        seal = read_seal(row.seal)
        if seal and (new := instead(subject, entry, words)):
            body, seal = redact(row.body, seal, new)
            said = as_redacted(row.seq, body, seal)
            fields = tuple(
                dict.fromkeys(_shown(p, subject) for p in entry.places if p.number in new)
            )
            at = entry.event.at
            found.entries.append(Changed(row.seq, row.type, at, fields, body, seal.text, said))
    found.unsealed = [row.seq for row in rows if not row.seal and subject.named_in(row.body)]
    return found


def _shown(place: Place, subject: Subject) -> str:
    """Where a text stands, without the names of fields that are the subject's."""
    return ".".join(subject.hidden(part) for part in place.path if isinstance(part, str))


def _announced(found: Found, subject: Subject, asked: Asked) -> list[Announcement]:
    """What the record says of it: one entry at least, and no word of what was erased."""
    by = subject.pseudonym if asked.by == subject.id else asked.by
    reason = subject.hidden(asked.reason)
    batches = [
        found.entries[at : at + _PER_ENTRY] for at in range(0, len(found.entries), _PER_ENTRY)
    ]
    said: list[Announcement] = []
    for number, batch in enumerate(batches or [[]]):
        data = Redacted(
            pseudonym=subject.pseudonym,
            reason=reason,
            entries=[entry.said for entry in batch],
            documents=[] if number else found.documents,
        )
        rows = 0 if number else found.rows
        words = f"{len(batch)} entries, {len(data.documents)} documents and {rows} rows"
        said.append(
            Announcement(
                id=f"record/{found.product}#{token_hex(8)}",
                type=REDACTED,
                product=found.product,
                source=f"record/{found.product}",
                at=asked.at,
                actor=by,
                text=f"{subject.pseudonym} was taken out of {words}: {reason}",
                data=data.model_dump(mode="json"),
            )
        )
    return said
