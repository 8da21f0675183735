"""What a bundle holds of a product: its stream as stored, and every document that it names."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any, Literal

from pydantic import ConfigDict, Field, ValidationError

from phasegate.audit.container import RECORD, BundleBroken
from phasegate.base import Instant, Wire, canonical
from phasegate.chain import Row
from phasegate.events import Anchor

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


class Kept(Wire):
    """A part of a bundle. Closed: what a release does not know is not verified by it."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class StoredDocument(Kept):
    """A published document. `body` is the text that the digest was taken of."""

    digest: str
    kind: Literal["policy", "directory", "product"]
    name: str
    body: str
    published_at: str = ""
    published_by: str = ""


class StoredEntry(Kept):
    """An entry of the chain as the ledger has it."""

    seq: int
    id: str
    type: str
    prev_hash: str
    hash: str
    body: str
    seal: str = ""


class HistoryKept(Kept):
    """A Temporal history in the bundle, or why there is none."""

    workflow_id: str
    run_id: str = ""
    file: str = ""
    events: int = 0
    missing: str = ""


class Record(Kept):
    """The record of one product, as far as it can be verified without anything else."""

    schema_version: int = 1
    product: str
    release: str = Field(description="of the phasegate that exported it")
    exported_at: Instant
    ledger_schema: int
    head: Anchor = Field(description="where the stream stood")
    documents: list[StoredDocument]
    entries: list[StoredEntry]
    histories: list[HistoryKept] = []
    notes: list[str] = Field([], description="what could not be exported, and why")

    def rows(self) -> list[Row]:
        """The stream, for the chain."""
        return [Row(product=self.product, **entry.model_dump()) for entry in self.entries]


def named_in(bodies: Iterable[str]) -> list[str]:
    """The digests that texts name, in order, each once: documents, evidence and revisions."""
    found: dict[str, None] = {}
    for body in bodies:
        found.update(dict.fromkeys(_DIGEST.findall(body)))
    return list(found)


def written(record: Record) -> bytes:
    """The member of a bundle."""
    return canonical(record.model_dump(mode="json")) + b"\n"


def read(member: bytes) -> Record:
    """Raises BundleBroken where it is no record."""
    try:
        data: Any = json.loads(member)
        if canonical(data) + b"\n" != member:
            raise BundleBroken(f"{RECORD} is not written as records are")
        return Record.model_validate(data)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise BundleBroken(f"{RECORD} is no record: {place}: {first['msg']}") from error
    except (ValueError, RecursionError) as error:
        raise BundleBroken(f"{RECORD} is no JSON, or nested too deep") from error
