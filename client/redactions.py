"""Taking a person or a customer out of the record of one product, or of all."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from secrets import token_hex

from client.audits import no_record
from client.usage import UsageError
from ledger import Ledger
from ledger.redacted_findings import Asked, Found, Stored
from phasegate.base import Instant, Wire
from phasegate.errors import EngineError
from phasegate.lifecycle import Status
from phasegate.product import Product
from phasegate.redacted_documents import names_in
from phasegate.redaction import Kind, Subject

_ENDS = {f"product.{status.value}": status.is_final for status in Status if status.is_final}


@dataclass(frozen=True)
class Order:
    """What somebody asks for. Without a `key` every product is meant.

    `also` is what else they are called in texts; `pseudonym` the one of an earlier redaction.
    """

    kind: Kind
    id: str
    by: str
    reason: str
    key: str | None = None
    also: tuple[str, ...] = ()
    pseudonym: str | None = None

    @property
    def everywhere(self) -> bool:
        return self.key is None


class RedactedEntryView(Wire):
    seq: int
    type: str
    at: Instant
    fields: list[str]


class RedactedProductView(Wire):
    product: str
    running: bool
    """Its workflow has the words until it ends, and later entries may name them again."""
    entries: list[RedactedEntryView]
    documents: list[str]
    rows: int
    unsealed: list[int]
    """Entries of an early release, from which no word can be taken without breaking the chain."""
    said_in: int | None = None
    """The number of the entry that says so."""


class RedactionView(Wire):
    """What is taken out, or would be."""

    schema_version: int = 1
    kind: Kind
    pseudonym: str
    dry_run: bool
    products: list[RedactedProductView]
    documents: list[str] = []
    """Digests of documents that lose words."""


class Redaction:
    """One order, on one ledger. Raises LedgerError, ChainBroken, and what `plan` says."""

    def __init__(self, ledger: Ledger, order: Order) -> None:
        self._ledger, self._order = ledger, order
        self.subject = Subject(order.kind, order.id, (), self._pseudonym())

    def plan(self) -> RedactionView:
        """What would be done. Raises EngineError where something has to be done before."""
        return self._through(dry_run=True)

    def do(self) -> RedactionView:
        """Do it. Each product is one transaction; done again it finds what is left to do."""
        return self._through(dry_run=False)

    def _through(self, *, dry_run: bool) -> RedactionView:
        ledger, order = self._ledger, self._order
        keys = self._keys()
        changed = self._documents(keys)
        view = RedactionView(
            kind=order.kind,
            pseudonym=self.subject.pseudonym,
            dry_run=dry_run,
            products=[],
            documents=[one.digest for one in changed],
        )
        asked = Asked(order.by, order.reason, datetime.now(UTC))
        places: dict[str, tuple[str, int]] = {}
        for number, key in enumerate(keys):
            subject = self._called(key)
            whole = order.everywhere and not number
            mine = {one.digest for one in changed if one.name == key or whole}
            if dry_run:
                found = ledger.redactions.look(key, subject, changed, mine, whole=whole)
            else:
                found = ledger.redactions.erase(key, subject, changed, mine, asked, whole=whole)
                for one in found.documents:
                    places.setdefault(one.document, (key, found.said_in))
            if found or found.unsealed:
                view.products.append(_shown(found, running=self._running(key)))
        if not dry_run:
            ledger.redactions.rewrite(changed, places)
            ledger.redactions.finish()
        return view

    def _keys(self) -> list[str]:
        streams = self._ledger.streams()
        key = self._order.key
        if key is None:
            return list(streams)
        if key not in streams:
            raise no_record(self._ledger, key)
        return [key]

    def _called(self, key: str) -> Subject:
        """The subject with all that they are called in the record of a product."""
        order = self._order
        if order.kind == "customer":
            names = self._ledger.redactions.names_of_customer(key, order.id)
        else:
            names = self._names
        return Subject(order.kind, order.id, (*names, *order.also), self.subject.pseudonym)

    @property
    def _names(self) -> tuple[str, ...]:
        documents = self._ledger.documents
        return tuple(
            dict.fromkeys(
                name
                for directory in documents.names("directory")
                for publication in documents.history("directory", directory)
                for name in names_in(documents.read_directory(publication.digest), self._order.id)
            )
        )

    def _documents(self, keys: Sequence[str]) -> list[Stored]:
        """Documents that lose words. Raises EngineError where one of them is in use."""
        order = self._order
        if order.kind == "customer":
            return []
        self._require_out_of_use(keys)
        kinds = ("product", "directory") if order.everywhere else ("product",)
        return self._ledger.redactions.documents(
            self._called(""),
            lambda kind, name: kind in kinds and (order.everywhere or name == order.key),
        )

    def _require_out_of_use(self, keys: Sequence[str]) -> None:
        documents, person = self._ledger.documents, self._order.id
        for name in documents.names("directory") if self._order.everywhere else ():
            current = documents.current("directory", name)
            directory = documents.read_directory(current.digest) if current else None
            if directory and (person in directory.people or directory.groups_of(person)):
                raise EngineError(
                    f"{person} is in the directory {name}",
                    "who is to be taken out of the record must first be out of what is in use",
                    f"phasegate directory show {name} -o yaml > {name}.yaml  # take them out, "
                    f"then: phasegate directory publish {name}.yaml --as WHO",
                )
        for key in keys:
            current = documents.current("product", key)
            product = documents.read_product(current.digest) if current else None
            if product and person in _people(product) and self._running(key):
                raise EngineError(
                    f"{person} has to do with {key}, which runs",
                    "its definition names them as its owner, of its team or as an approver",
                    f"phasegate product handover {key} --help  # or phasegate product update {key}",
                )

    def _running(self, key: str) -> bool:
        """Whether its lifecycle has not ended, as far as the record tells."""
        last = self._ledger.events(key, types=(*_ENDS, "product.revived"))
        return not last or last[-1].announcement.type not in _ENDS

    def _pseudonym(self) -> str:
        order = self._order
        given = order.pseudonym
        if given is not None:
            if re.fullmatch(rf"{order.kind}-[0-9a-f]{{6}}", given):
                return given
            raise UsageError(
                f"--pseudonym {given} is none",
                f"it is one that an earlier redaction gave: {order.kind}-, and six hex digits",
                again(order, pseudonym=False),
            )
        while self._ledger.redactions.has(made := f"{order.kind}-{token_hex(3)}"):
            pass
        return made


def _people(product: Product) -> Iterator[str]:
    yield product.owner
    yield from product.team
    for gate in product.approvers.values():
        for people in gate.values():
            yield from people


def _shown(found: Found, *, running: bool) -> RedactedProductView:
    entries = [
        RedactedEntryView(seq=one.seq, type=one.type, at=one.at, fields=list(one.fields))
        for one in found.entries
    ]
    return RedactedProductView(
        product=found.product,
        running=running,
        entries=entries,
        documents=[one.document for one in found.documents],
        rows=found.rows,
        unsealed=found.unsealed,
        said_in=found.said_in or None,
    )


def again(order: Order, *, pseudonym: bool = True) -> str:
    """The command that asks for this."""
    words = ["phasegate", "audit", "redact", order.key or "--all", f"--{order.kind}", order.id]
    words += [word for also in order.also for word in ("--also", also)]
    if pseudonym and order.pseudonym:
        words += ["--pseudonym", order.pseudonym]
    return shlex.join([*words, "--reason", order.reason, "--as", order.by])
