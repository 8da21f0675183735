"""The tables. `streams` is the only one that changes, and only forwards."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Integer, MetaData, String, Table, Text

VERSION = 1

metadata = MetaData()

schema_version = Table("schema_version", metadata, Column("version", Integer, primary_key=True))

streams = Table(
    "streams",
    metadata,
    Column("product", String(63), primary_key=True),
    Column("seq", Integer, nullable=False),
    Column("hash", String(64), nullable=False),
)

events = Table(
    "events",
    metadata,
    Column("product", ForeignKey("streams.product"), primary_key=True),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("id", Text, nullable=False, unique=True),
    Column("type", Text, nullable=False),
    Column("prev_hash", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
    # The bytes the hash was taken of. As text, because databases rewrite JSON they understand.
    Column("body", Text, nullable=False),
)

documents = Table(
    "documents",
    metadata,
    Column("digest", String(71), primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("name", String(63), nullable=False),
    Column("body", Text, nullable=False),
    Column("published_at", String(32), nullable=False),
    Column("published_by", Text, nullable=False),
)

publications = Table(
    "publications",
    metadata,
    Column("kind", String(16), primary_key=True),
    Column("name", String(63), primary_key=True),
    Column("n", Integer, primary_key=True, autoincrement=False),
    Column("digest", ForeignKey("documents.digest"), nullable=False),
    Column("published_at", String(32), nullable=False),
    Column("published_by", Text, nullable=False),
)

APPEND_ONLY: dict[str, str] = {
    "schema_version": "version = NEW.version",
    "events": "(product = NEW.product AND seq = NEW.seq) OR id = NEW.id",
    "documents": "digest = NEW.digest",
    "publications": "kind = NEW.kind AND name = NEW.name AND n = NEW.n",
}
"""Tables whose rows are never changed or deleted, and what makes a new row replace an old one."""
