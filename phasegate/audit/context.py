"""What deriving leans on, and where it puts what it finds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from phasegate.audit.documents import Documents
from phasegate.audit.findings import Finding, FindingKind, Verified
from phasegate.audit.telling import Told
from phasegate.directory import Directory, Key


class CheckSignature(Protocol):
    """Whether a statement is signed by one of these keys; why not, or empty."""

    def __call__(
        self, statement: str, signature: str, person: str, keys: tuple[Key, ...], at: datetime
    ) -> str: ...


Judge = Callable[[str, Mapping[str, Any]], bool]
"""Whether an expression (CEL) is true of data; false also where it cannot be told."""


@dataclass
class Context:
    """One record that is being derived again."""

    product: str
    documents: Documents
    signature: CheckSignature
    judge: Judge
    report: Verified
    found: list[Finding] = field(default_factory=list)
    directory_name: str = ""
    gone: frozenset[str] = frozenset()
    """Pseudonyms of people who were taken out of this product's record and of no directory: what
    directories say of them cannot be told."""

    def directory(self, digest: str) -> Directory | None:
        return self.documents.directory(digest)


@dataclass
class Place:
    """Where findings are made: a round, or the product."""

    context: Context
    gate: str = ""
    round: int | None = None
    doubt: str = ""
    """Why what contradicts itself here need be no fault: then nobody can tell it from a forgery by
    the record alone."""

    def fault(self, said: Told | int, text: str, person: str = "") -> None:
        """Something does not add up."""
        seq = said if isinstance(said, int) else said.seq
        self._add("fault", seq, text, person)

    def differ(self, said: Told, text: str, person: str = "") -> None:
        """A fault, unless a reset explains it."""
        if self.doubt:
            self.unchecked(said.seq, f"{text} ({self.doubt})", person)
        else:
            self.fault(said, text, person)

    def unchecked(self, seq: int, text: str, person: str = "") -> None:
        self._add("unchecked", seq, text, person)

    def remark(self, seq: int, text: str, person: str = "") -> None:
        self._add("remark", seq, text, person)

    def _add(self, kind: FindingKind, seq: int, text: str, person: str) -> None:
        if kind == "fault" and any(one == person or one in text for one in self.context.gone):
            kind, text = "unchecked", f"{text}: they were taken out of the record"
        self.context.found.append(
            Finding(kind=kind, seq=seq, gate=self.gate, round=self.round, person=person, text=text)
        )
