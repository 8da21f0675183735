"""Announcements: lifecycle events made known, and the outbox that keeps them until they are."""

from __future__ import annotations

from datetime import datetime
from hashlib import sha256
from json import dumps
from typing import Any

from pydantic import Field

from phasegate.base import Instant, Wire

BATCH = 50
BATCH_BYTES = 1_000_000
"""Announcements handed to one activity call: keeps the call's payload below Temporal's 2 MB, also
where comments are long."""


WAITING_BYTES = 500_000
"""What may wait in full while the ledger is down; later announcements keep their text only."""


SIGNED_BYTES = 900_000
"""Up to here signatures are kept with them: the record has them from nowhere else."""

KEPT_WHOLE = {"view", "lifecycle"}
"""Data that is read again: how a round ended, and what a killed product was."""


class Announcement(Wire):
    """One event. Its id is made from the workflow and a counter, so a retry is recognised."""

    id: str
    type: str
    product: str
    source: str = Field(description="the workflow it comes from")
    at: Instant
    actor: str = ""
    text: str
    data: dict[str, Any] = {}
    run: str = Field("", description="the end of the id of the run that says it")
    follows: str = Field("", description="of the run that it continues; another one was reset")
    traceparent: str = Field(
        "",
        description="the trace of the request that brought it about, if that was traced (W3C)",
        exclude_if=lambda found: not found,
    )


class Anchor(Wire):
    """Where a product's stream in the ledger stood after the last write we know of."""

    seq: int = 0
    hash: str = ""


class Outbox(Wire):
    """Announcements not yet in the ledger. A dead ledger delays them and nothing else."""

    source: str
    product: str
    count: int = 0
    history: int = Field(-1, description="its length at the latest workflow task that announced")
    first: int = Field(0, description="the count at its first one")
    said: list[str] = Field([], description="marks of what it said")
    waiting: list[Announcement] = []
    anchor: Anchor = Anchor()

    def add(
        self,
        type: str,
        text: str,
        *,
        run: str,
        at: datetime,
        history: int | None = None,
        key: str = "",
        actor: str = "",
        follows: str = "",
        traceparent: str = "",
        **data: Any,
    ) -> Announcement:
        """Append an announcement. Its id counts up per source, names the run and what was said.

        A reset takes the counter back; what happens after it is another event, in another run. A
        workflow task that is lost after its local activity wrote is done again, maybe in another
        order or with more votes: within a task the same words are the same event, and other words
        are never taken for it. What a request of somebody brings about is known by the request's
        `key` instead: asked again in a later task or run, it is still the same event.
        """
        self.count += 1
        if history is None or history != self.history:
            self.history, self.first, self.said = history or -1, self.count, []
        mark = _mark(key or run, type, text, actor, data)
        again = self.said.count(mark)
        place = place_of(key) if key else f"{self.first}.{run[-8:]}"
        self.said.append(mark)
        size = self.bytes_waiting()
        if size > WAITING_BYTES and not KEPT_WHOLE & data.keys():
            # A ledger that is dead for long must not make the state outgrow a payload.
            signed = {"signed": data["signed"]} if "signed" in data and size < SIGNED_BYTES else {}
            data = {"shortened": True, **signed}
        event = Announcement(
            id=f"{self.source}#{place}.{mark}" + (f".{again}" if again else ""),
            type=type,
            product=self.product,
            source=self.source,
            at=at,
            actor=actor,
            text=text,
            data=data,
            run=run[-8:],
            follows=follows[-8:],
            traceparent=traceparent,
        )
        self.waiting.append(event)
        return event

    def bytes_waiting(self) -> int:
        """About how large the waiting announcements are, as JSON."""
        return sum(
            len(event.text.encode()) + len(str(event.data).encode()) + 300 for event in self.waiting
        )

    def batch(self) -> list[Announcement]:
        """The next announcements to write: at least one, in order."""
        taken: list[Announcement] = []
        size = 0
        for event in self.waiting[:BATCH]:
            size += len(event.model_dump_json().encode())
            if taken and size > BATCH_BYTES:
                break
            taken.append(event)
        return taken

    def written(self, count: int, anchor: Anchor) -> None:
        """Drop what the ledger has taken."""
        del self.waiting[:count]
        self.anchor = anchor


def place_of(key: str) -> str:
    """The part of an event's id that names the request which brought it about."""
    return sha256(key.encode()).hexdigest()[:12]


def _mark(salt: str, type: str, text: str, actor: str, data: dict[str, Any]) -> str:
    """What was said, without instants: they differ when a task is done again.

    The ledger does not have the salt: ids stay where words are taken out of the record, and nobody
    shall find out by them what the words were.
    """
    votes = [(v["approver"], v["vote"]) for v in data.get("view", {}).get("votes", [])]
    said = dumps([salt, type, text, actor, data.get("comment"), votes])
    return sha256(said.encode()).hexdigest()[:8]
