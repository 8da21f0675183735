"""Whom events concern, and where they get mail: from the record and the directory as it is now."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ledger import Entry, Ledger
from phasegate.concern import STANDING, Concern, Standing, concerned
from phasegate.directory import Person

STARTED = "product.started"


@dataclass(frozen=True)
class Concerned:
    """An event, whom of it, and the product as it stood then."""

    entry: Entry
    concern: Concern
    product: Standing


class KnownPeople:
    """Reads each product's standing and each directory once: made anew for every activity."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._changes: dict[str, list[Entry]] = {}
        self._people: dict[str, dict[str, Person]] = {}

    def standing(self, entry: Entry) -> Standing:
        """The product's as of this event. Raises LedgerError.

        What it started with counts wherever it stands: a gate may be written before its product's
        start, where the worker died that was to write that.
        """
        standing = Standing()
        for change in self._of(entry):
            if change.seq <= entry.seq or change.announcement.type == STARTED:
                standing = standing.after(change.announcement)
        return standing

    def begun(self, entry: Entry) -> bool:
        """Whether the record says yet how the product started. Raises LedgerError."""
        return any(change.announcement.type == STARTED for change in self._of(entry))

    def _of(self, entry: Entry) -> list[Entry]:
        key = entry.announcement.product
        if key not in self._changes:
            self._changes[key] = self._ledger.events(key, types=STANDING)
        return self._changes[key]

    def concerned(self, entry: Entry) -> Iterable[Concerned]:
        """Everybody whom it concerns. Raises LedgerError."""
        product = self.standing(entry)
        for concern in concerned(entry.announcement, product):
            yield Concerned(entry, concern, product)

    def address(self, person: str, directory: str) -> str:
        """Where somebody gets mail; empty for who wants none, has none, or is unknown.

        Raises LedgerError.
        """
        if directory not in self._people:
            current = self._ledger.documents.current("directory", directory)
            self._people[directory] = (
                dict(self._ledger.documents.read_directory(current.digest).people)
                if current
                else {}  # nobody is known: no reason to hold up what others are told
            )
        known = self._people[directory].get(person)
        return "" if known is None or known.quiet else known.email.strip()
