"""The tables. Of the record only `streams` changes, and only forwards.

What couriers know of their deliveries, the customers of a product and what acts of a sunset are
under way is operational state beside it: it is part of no hash, and may be changed. A change of
these tables is a step in `ledger.migrations`, too.
"""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, MetaData, String, Table, Text

VERSION = 5

metadata = MetaData()

# Ids of customers are sorted by their bytes in every database: pages and digests rely on it.
CustomerId = String(100).with_variant(String(100, collation="C"), "postgresql")

schema_version = Table(
    "schema_version",
    metadata,
    Column("version", Integer, primary_key=True),
    # The version whose code may still use it.
    Column("oldest", Integer, nullable=False, server_default="0"),
)

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
    # JSON: what its hash was taken of beside the body (phasegate.seals); empty in early entries.
    Column("seal", Text, nullable=False, server_default=""),
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
    # KEY/SEQ of the entry that says what is left of it; empty while it has all its words.
    Column("redacted", Text, nullable=False, server_default=""),
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

customers = Table(
    "customers",
    metadata,
    Column("product", String(63), primary_key=True),
    Column("id", CustomerId, primary_key=True),
    Column("name", Text, nullable=False),
    Column("email", Text, nullable=False),
    Column("contract_until", String(32)),
    Column("note", Text, nullable=False),
    Column("updated_at", String(32), nullable=False),
    Column("updated_by", Text, nullable=False),
)

# What became of a customer in one sunset: a second sunset starts anew.
customer_facts = Table(
    "customer_facts",
    metadata,
    Column("product", String(63), primary_key=True),
    Column("sunset", Integer, primary_key=True, autoincrement=False),
    Column("customer", CustomerId, primary_key=True),
    Column("notified", String(32)),
    Column("exported", String(32)),
    Column("migrated", String(32)),
    Column("waived", String(32)),
)

customer_changes = Table(
    "customer_changes",
    metadata,
    Column("product", String(63), primary_key=True),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("sunset", Integer, nullable=False),
    Column("customer", CustomerId, nullable=False),
    # JSON. Of names and addresses it says only that they changed.
    Column("what", Text, nullable=False),
    Column("at", String(32), nullable=False),
    Column("by", Text, nullable=False),
    # The digest of the file it came with, or the key of the mail.
    Column("source", Text, nullable=False),
    Index("customer_changes_by_customer", "product", "customer"),
)

customer_mails = Table(
    "customer_mails",
    metadata,
    Column("product", String(63), primary_key=True),
    Column("key", String(200), primary_key=True),
    Column("customer", CustomerId, primary_key=True),
    Column("at", String(32), nullable=False),
    # Why the address takes nothing; empty where it was sent.
    Column("refused", Text, nullable=False),
)

intents = Table(
    "intents",
    metadata,
    Column("key", String(200), primary_key=True),
    Column("product", String(63), nullable=False),
    Column("sunset", Integer, nullable=False),
    Column("task", Text, nullable=False),
    Column("begun_at", String(32), nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("state", String(16), nullable=False),
    # JSON: the result, where there is one.
    Column("result", Text, nullable=False),
    Column("updated_at", String(32), nullable=False),
    Index("intents_by_product", "product", "sunset"),
)

APPEND_ONLY: dict[str, str] = {
    "schema_version": "version = NEW.version",
    "events": "(product = NEW.product AND seq = NEW.seq) OR id = NEW.id",
    "documents": "digest = NEW.digest",
    "publications": "kind = NEW.kind AND name = NEW.name AND n = NEW.n",
    "customer_changes": "product = NEW.product AND seq = NEW.seq",
}
"""Tables whose rows are never changed or deleted, and what makes a new row replace an old one."""

REDACTABLE: dict[str, tuple[tuple[str, ...], str]] = {
    "events": (
        ("product", "seq", "id", "type", "prev_hash", "hash"),
        """OLD.seal <> '' AND replace(NEW.seal, '"redacted":{"', '') <> NEW.seal""",
    ),
    "documents": (
        ("digest", "kind", "name", "published_at"),
        "(NEW.redacted <> '' OR NEW.body = OLD.body AND NEW.published_by LIKE 'person-______')",
    ),
    "publications": (
        ("kind", "name", "n", "digest", "published_at"),
        "NEW.published_by LIKE 'person-______'",
    ),
    "customer_changes": (
        ("product", "seq", "sunset", "what", "at", "source"),
        "(NEW.customer = OLD.customer OR NEW.customer LIKE 'customer-______') AND "
        '(NEW."by" = OLD."by" OR NEW."by" LIKE \'person-______\') AND '
        '(NEW.customer <> OLD.customer OR NEW."by" <> OLD."by")',
    ),
}
"""The one way in which their rows change: words are taken out of them. What stays as it is, and
what the new row has to look like, as far as a database can see."""
