"""The tables. Of the record only `streams` changes, and only forwards.

What couriers know of their deliveries is operational state beside it: it is part of no hash, and
may be changed. A change of these tables is a step in `ledger.migrations`, too.
"""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, MetaData, String, Table, Text

VERSION = 2

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

receivers = Table(
    "receivers",
    metadata,
    Column("receiver", String(200), primary_key=True),
    Column("since", String(32), nullable=False),
    # It said that it takes nothing any more (410), when, and at which address (a digest).
    Column("gone_at", String(32)),
    Column("gone_url", String(64)),
)

couriers = Table(
    "couriers",
    metadata,
    Column("receiver", String(200), primary_key=True),
    Column("product", String(63), primary_key=True),
    # Everything up to here is sent, dead or of no interest to the receiver.
    Column("seq", Integer, nullable=False),
    Column("failing_since", String(32)),
    Column("why", Text),
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("receiver", String(200), primary_key=True),
    Column("product", String(63), primary_key=True),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("event", Text, nullable=False),
    Column("state", String(16), nullable=False),
    Column("at", String(32), nullable=False),
    Column("why", Text, nullable=False),
    Index("deliveries_by_product", "product", "state"),
)

APPEND_ONLY: dict[str, str] = {
    "schema_version": "version = NEW.version",
    "events": "(product = NEW.product AND seq = NEW.seq) OR id = NEW.id",
    "documents": "digest = NEW.digest",
    "publications": "kind = NEW.kind AND name = NEW.name AND n = NEW.n",
}
"""Tables whose rows are never changed or deleted, and what makes a new row replace an old one."""
