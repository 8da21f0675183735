"""The customers of a product, and what became of each in a sunset.

They live in the ledger's database and never in a history. A customer is open until it was exported
or migrated, or was waived; what became of it in one sunset does not count in the next.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from typing import Any, Literal

from phasegate.base import Instant, Wire, canonical
from phasegate.sunset_ports import CustomersSummary

Fact = Literal["notified", "exported", "migrated", "waived"]
FACTS: tuple[Fact, ...] = ("notified", "exported", "migrated", "waived")
SETTLING: tuple[Fact, ...] = ("migrated", "exported", "waived")
"""Facts that settle a customer; the first that is there names its state."""

Filter = Literal["open", "notified", "exported", "migrated", "waived"]


class Customer(Wire):
    """A customer as the ledger knows it. Facts say since when they hold, in one sunset."""

    id: str
    name: str = ""
    email: str = ""
    contract_until: Instant | None = None
    state: str = "open"
    notified: Instant | None = None
    exported: Instant | None = None
    migrated: Instant | None = None
    waived: Instant | None = None
    note: str = ""
    updated_at: Instant | None = None
    updated_by: str = ""


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a customer: a row of the ledger, without who wrote it."""

    id: str
    name: str = ""
    email: str = ""
    contract_until: datetime | None = None
    note: str = ""
    notified: datetime | None = None
    exported: datetime | None = None
    migrated: datetime | None = None
    waived: datetime | None = None

    @property
    def state(self) -> str:
        """open, migrated, exported or waived."""
        return next((fact for fact in SETTLING if getattr(self, fact)), "open")

    def is_among(self, wanted: Filter | None) -> bool:
        """Whether a list of `wanted` has it. A fact is asked by itself: one customer may have
        several."""
        if wanted is None:
            return True
        return self.state == "open" if wanted == "open" else getattr(self, wanted) is not None


Said = datetime | bool | None
"""What a row says of a fact: since when, that it holds (from now on), that it does not, nothing."""


@dataclass(frozen=True, slots=True)
class Row:
    """What an import says of a customer. None says nothing, and leaves what is known."""

    id: str
    name: str | None = None
    email: str | None = None
    contract_until: datetime | None = None
    note: str | None = None
    notified: Said = None
    exported: Said = None
    migrated: Said = None
    waived: Said = None


def merged(known: Known | None, row: Row, now: datetime) -> tuple[Known, dict[str, Any]]:
    """The customer after the row, and what changed, for the record.

    Of a name, an address and a note that is replaced the record has only that they changed. A fact
    that holds already keeps its day unless the row names another.
    """
    before = known or Known(row.id)
    changes: dict[str, Any] = {}
    what: dict[str, Any] = {} if known else {"new": True}
    for field in ("name", "email", "note"):
        value = getattr(row, field)
        if value is not None and value != getattr(before, field):
            changes[field] = value
            what[field] = "changed"
    if row.contract_until is not None and row.contract_until != before.contract_until:
        changes["contract_until"] = row.contract_until
        what["contract_until"] = text_of(row.contract_until)
    for fact in FACTS:
        said, holds = getattr(row, fact), getattr(before, fact)
        after = (holds or now) if said is True else None if said is False else said
        if said is not None and after != holds:
            changes[fact] = after
            what[fact] = text_of(after) if after else None
    return (replace(before, **changes) if changes else before), what


def text_of(at: datetime) -> str:
    """An instant (UTC) as the record has it; such texts sort like what they mean."""
    return at.isoformat(timespec="seconds")


class Tally:
    """Counts customers in the order of their ids, and takes the digest over all of them."""

    def __init__(self) -> None:
        self.summary = CustomersSummary()
        self._hash = sha256()

    def add(self, customer: Known) -> None:
        summary = self.summary
        summary.total += 1
        if customer.state == "open":
            summary.open += 1
            until = customer.contract_until
            if until and (summary.contracts_until is None or until > summary.contracts_until):
                summary.contracts_until = until
        for fact in FACTS:
            if getattr(customer, fact):
                setattr(summary, fact, getattr(summary, fact) + 1)
        self._hash.update(canonical([*_digested(customer)]) + b"\n")

    def finished(self) -> CustomersSummary:
        """The counts, and the digest: of nothing, where there are no customers."""
        self.summary.digest = f"sha256:{self._hash.hexdigest()}" if self.summary.total else ""
        return self.summary


def summed(customers: Iterable[Known]) -> CustomersSummary:
    """Customers, counted; they come in the order of their ids."""
    tally = Tally()
    for customer in customers:
        tally.add(customer)
    return tally.finished()


def _digested(customer: Known) -> Iterator[str]:
    yield from (customer.id, customer.name, customer.email, customer.note)
    for at in (customer.contract_until, *(getattr(customer, fact) for fact in FACTS)):
        yield text_of(at) if at else ""


class ImportedView(Wire):
    """What an import did, or would do."""

    schema_version: int = 1
    product: str
    sunset: int
    digest: str
    dry_run: bool = False
    rows: int
    new: int
    changed: int
    unchanged: int
    not_mentioned: int
    """Customers that are known and that the file does not mention; they stay as they are."""
    customers: CustomersSummary
    told: str = ""
    """The workflow that has heard of it."""


def sentence(done: ImportedView) -> str:
    """An import in a line of the record."""
    return (
        f"{done.rows} customers were imported: {done.new} new, {done.changed} changed; "
        f"{done.customers.open} of {done.customers.total} are open"
    )
