"""The documents of a record by digest: each is what its digest was taken of, and can be read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import TypeVar

from phasegate.audit.findings import DoesNotAddUp, Finding
from phasegate.audit.record import StoredDocument
from phasegate.base import Document
from phasegate.directory import Directory
from phasegate.policy import Policy
from phasegate.product import Product

_D = TypeVar("_D", bound=Document)
_KINDS: dict[str, type[Document]] = {
    "policy": Policy,
    "directory": Directory,
    "product": Product,
}


class Documents:
    """Documents that were checked. Raises DoesNotAddUp for one that is not what it is said to."""

    def __init__(
        self,
        product: str,
        documents: Iterable[StoredDocument],
        left: Mapping[str, str] | None = None,
    ) -> None:
        """`left`: the digests of what the record says is left of documents that lost words."""
        self._product, self._left = product, left or {}
        self._found: dict[str, Document] = {}
        self.lost: dict[str, str] = {}
        """What some documents are called, by digest, of which only what is left is here."""
        for document in documents:
            self._found[document.digest] = self._checked(document)

    def policy(self, digest: str) -> Policy | None:
        """None where the record does not have it, or it is no policy."""
        return self._of(digest, Policy)

    def directory(self, digest: str) -> Directory | None:
        return self._of(digest, Directory)

    def knows(self, person: str) -> bool:
        """Whether any directory has this person."""
        found = (one for one in self._found.values() if isinstance(one, Directory))
        return any(person in directory.people for directory in found)

    def _of(self, digest: str, kind: type[_D]) -> _D | None:
        found = self._found.get(digest)
        return found if isinstance(found, kind) else None

    def _checked(self, document: StoredDocument) -> Document:
        name = f"{document.kind} {document.name} ({document.digest})"
        if document.digest in self._found:
            raise self._fault(f"{name} is there twice")
        digest = "sha256:" + sha256(document.body.encode()).hexdigest()
        redacted = document.kind != "policy" and self._left.get(document.digest) == digest
        if document.digest != digest and not redacted:
            raise self._fault(f"{name} is not the text that its digest was taken of")
        if document.digest != digest:
            self.lost[document.digest] = name
        try:
            return _KINDS[document.kind].model_validate_json(document.body)
        except ValueError as error:
            why = " ".join(str(error).split())[:300]
            raise self._fault(f"{name} cannot be read: {why}") from error

    def _fault(self, text: str) -> DoesNotAddUp:
        return DoesNotAddUp(self._product, Finding(text=text))
