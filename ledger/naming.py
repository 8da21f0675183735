"""Who is behind a pseudonym: those whom published directories and products name."""

from __future__ import annotations

from functools import cached_property

from ledger.store import Ledger
from phasegate.pseudonyms import MARK, in_use


class Register:
    """Gives people their names back, from the ledger's documents, read once when first needed."""

    def __init__(self, ledger: Ledger) -> None:
        self._documents = ledger.documents
        self._names = in_use()

    def person(self, shown: str, product: str = "") -> str:
        """The person as they are called; as shown where nobody known has that pseudonym.

        `product` is one whose owner they may be: its definition names people whom no directory has.
        """
        if not (self._names.hidden and shown.startswith(MARK)):
            return shown
        return self._people.get(shown) or self._owner(product, shown) or shown

    @cached_property
    def _people(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for name in self._documents.names("directory"):
            for publication in self._documents.history("directory", name):
                people = self._documents.read_directory(publication.digest).people
                found |= {self._names.person(person): person for person in people}
        return found

    def _owner(self, product: str, shown: str) -> str | None:
        for publication in self._documents.history("product", product) if product else ():
            owner = self._documents.read_product(publication.digest).owner
            if self._names.person(owner) == shown:
                return owner
        return None
