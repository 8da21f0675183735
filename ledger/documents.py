"""Published documents: policies, directories and products, each under the digest of its content."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Literal, TypeVar

from sqlalchemy import Connection, Row, insert, select

from ledger import dialects
from ledger.database import Database
from ledger.errors import DocumentUnknown, LedgerError
from ledger.schema import documents, events, publications
from phasegate.base import Document, canonical, digest_of
from phasegate.directory import Directory
from phasegate.policy import Policy
from phasegate.product import Product
from phasegate.redacted import REDACTED, redacted_of

Kind = Literal["policy", "directory", "product"]
AnyDocument = TypeVar("AnyDocument", bound=Document)

_PUBLISH_WITH = {
    "policy": "phasegate policy lint FILE, then start a product with --policy FILE",
    "directory": "phasegate directory publish FILE --as WHO",
    "product": "phasegate product start FILE",
}


@dataclass(frozen=True)
class Publication:
    """A document became the current one of its kind and name. `n` counts from 1."""

    kind: Kind
    name: str
    n: int
    digest: str
    published_at: datetime
    published_by: str


class Documents:
    """Documents by digest, and which one is current. Every method raises LedgerError."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def publish(self, kind: Kind, name: str, model: Document, at: datetime, by: str) -> str:
        """Make `model` the current document of its kind and name; its digest.

        Publishing what is already current adds nothing. A text that was published before a later
        release gave its kind another field keeps the digest it has: it means the same. `at` needs
        a time zone.
        """
        when = {"published_at": at.astimezone(UTC).isoformat(), "published_by": by}
        with self._database.writing() as connection:
            dialects.lock(connection, f"documents/{kind}/{name}")
            latest = _latest(connection, kind, name)
            digest = _digest_of(connection, kind, name, model)
            if latest and latest.digest == digest:
                return digest
            if _row(connection, digest) is None:
                body = canonical(model.model_dump(mode="json")).decode()
                connection.execute(
                    insert(documents).values(digest=digest, kind=kind, name=name, body=body, **when)
                )
            n = latest.n + 1 if latest else 1
            connection.execute(
                insert(publications).values(kind=kind, name=name, n=n, digest=digest, **when)
            )
        return digest

    def digest_of(self, kind: Kind, name: str, model: Document) -> str:
        """The digest that a document of this meaning has here, or would get."""
        with self._database.reading() as connection:
            return _digest_of(connection, kind, name, model)

    def read_policy(self, digest: str) -> Policy:
        """Raises DocumentUnknown, or LedgerError if the stored text does not have the digest."""
        return self._read("policy", digest, Policy)

    def read_directory(self, digest: str) -> Directory:
        """Raises DocumentUnknown, or LedgerError if the stored text does not have the digest."""
        return self._read("directory", digest, Directory)

    def read_product(self, digest: str) -> Product:
        """Raises DocumentUnknown, or LedgerError if the stored text does not have the digest."""
        return self._read("product", digest, Product)

    def current(self, kind: Kind, name: str) -> Publication | None:
        """The latest publication of a kind and name."""
        with self._database.reading() as connection:
            return _latest(connection, kind, name)

    def history(self, kind: Kind, name: str) -> list[Publication]:
        """Every publication of a kind and name, oldest first."""
        with self._database.reading() as connection:
            return _publications(connection, kind, name)

    def names(self, kind: Kind) -> list[str]:
        """The names something of this kind was published under, sorted."""
        query = select(publications.c.name).where(publications.c.kind == kind).distinct()
        with self._database.reading() as connection:
            return sorted(connection.execute(query).scalars())

    def _read(self, kind: Kind, digest: str, model: type[AnyDocument]) -> AnyDocument:
        with self._database.reading() as connection:
            row = _row(connection, digest)
            announced = _announced(connection, row) if row and row.redacted else ""
        if row is None:
            raise DocumentUnknown(
                f"{kind} {digest} is not in the ledger",
                "it was never published here, or the ledger is not the one it was published to",
                _PUBLISH_WITH[kind],
            )
        # Of one that lost words the record has the digest of what is left of it.
        if (announced or digest) != "sha256:" + sha256(row.body.encode()).hexdigest():
            raise LedgerError(
                f"{kind} {digest} cannot be trusted",
                "its text in the ledger is not what the digest was taken of",
                "keep the database as it is, and restore the document from a backup",
            )
        try:
            return model.model_validate_json(row.body)
        except ValueError as error:
            raise LedgerError(
                f"{kind} {digest} cannot be read",
                str(error),
                "use the phasegate release that published it, or a newer one",
            ) from error


def _digest_of(connection: Connection, kind: Kind, name: str, model: Document) -> str:
    """Digests are over everything a document has, defaults too: a release that adds a default
    gives the same text another one. So the texts are read by this release, and compared then.

    Of policies all are read, since products run under them for years; else the latest.
    """
    digest = digest_of(model)
    if _row(connection, digest) is not None:
        return digest
    published = _publications(connection, kind, name, only_latest=kind != "policy")
    for known in dict.fromkeys(publication.digest for publication in published):
        row = _row(connection, known)
        try:
            if row is not None and type(model).model_validate_json(row.body) == model:
                return known
        except ValueError:
            continue  # of another release, and not to be compared
    return digest


def _row(connection: Connection, digest: str) -> Row[Any] | None:
    return connection.execute(select(documents).where(documents.c.digest == digest)).one_or_none()


def _announced(connection: Connection, row: Row[Any]) -> str:
    """The digest that the record has of what is left of a document; its own, where it has none."""
    product, _, seq = row.redacted.rpartition("/")
    number = int(seq) if seq.isdecimal() and len(seq) < 10 else 0
    query = select(events).where(events.c.product == product, events.c.seq == number)
    found = connection.execute(query).one_or_none()
    said = redacted_of(found.body) if found and found.type == REDACTED else None
    left = {one.document: one.digest for one in said.documents} if said else {}
    return f"sha256:{left[row.digest]}" if row.digest in left else str(row.digest)


def _latest(connection: Connection, kind: Kind, name: str) -> Publication | None:
    found = _publications(connection, kind, name, only_latest=True)
    return found[0] if found else None


def _publications(
    connection: Connection, kind: Kind, name: str, *, only_latest: bool = False
) -> list[Publication]:
    query = select(publications).where(publications.c.kind == kind, publications.c.name == name)
    query = (
        query.order_by(publications.c.n.desc()).limit(1)
        if only_latest
        else query.order_by(publications.c.n)
    )
    return [
        Publication(
            kind=kind,
            name=row.name,
            n=row.n,
            digest=row.digest,
            published_at=datetime.fromisoformat(row.published_at),
            published_by=row.published_by,
        )
        for row in connection.execute(query)
    ]
