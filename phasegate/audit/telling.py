"""The events of a record as they are read again, sorted by who said them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from phasegate.chain import Row
from phasegate.events import Announcement
from phasegate.past_round import ENDS
from phasegate.seals import read_seal

SHORTENED = "shortened"
_ROUND = re.compile(r"product/[^/]+/gate/([^/]+)/([0-9]+)")


@dataclass(frozen=True)
class Told:
    """An entry as it is read again. `erased`: words were taken out of it."""

    seq: int
    event: Announcement
    erased: bool = False

    @property
    def type(self) -> str:
        return self.event.type

    @property
    def data(self) -> dict[str, Any]:
        return self.event.data

    @property
    def actor(self) -> str:
        return self.event.actor

    @property
    def at(self) -> datetime:
        return self.event.at

    @property
    def shortened(self) -> bool:
        """The ledger was down for so long that only its text was kept."""
        return SHORTENED in self.data

    def text(self, name: str) -> str:
        found = self.data.get(name)
        return found if isinstance(found, str) else ""

    def instant(self, name: str) -> datetime | None:
        try:
            found = datetime.fromisoformat(self.text(name))
        except ValueError:
            return None
        return found if found.tzinfo else None


def told(row: Row) -> Told:
    """Raises ValueError for what is no announcement. Read as the chain reads it for its hash."""
    seal = read_seal(row.seal)
    event = Announcement.model_validate(json.loads(row.body))
    return Told(row.seq, event, bool(seal and seal.redacted))


def round_of(said: Told) -> tuple[str, int] | None:
    """The round that an event is of: the one that says it, or one whose opener speaks for it."""
    if found := _ROUND.fullmatch(said.event.source):
        return found[1], int(found[2])
    gate, number = said.data.get("gate"), said.data.get("round")
    if said.type == "gate.abandoned" and isinstance(gate, str) and isinstance(number, int):
        return gate, number
    return None


@dataclass
class Telling:
    """What one round, or one product, said of itself, in order."""

    said: list[Told] = field(default_factory=list)

    def of(self, *types: str) -> list[Told]:
        return [said for said in self.said if said.type in types]

    def before(self, seq: int, *types: str) -> list[Told]:
        return [said for said in self.of(*types) if said.seq < seq]

    @property
    def end(self) -> Told | None:
        """The last end counts: what follows one was said after a reset."""
        return next(iter(reversed(self.of(*ENDS))), None)

    @property
    def shortened(self) -> bool:
        return any(said.shortened for said in self.said)

    def broken_off(self) -> str:
        """How its runs show that it was reset, so that some of this was taken back; or empty."""
        return reset_in(self.said)


def reset_in(said: Sequence[Told]) -> str:
    """Why events may have been taken back: runs that do not continue each other.

    A product that is revived begins another run on purpose.
    """
    runs: dict[str, str] = {}
    revived = False
    for one in said:
        revived = revived or one.type == "product.revived"
        runs.setdefault(one.event.run, one.event.follows)
    if "" in runs:
        return "its events do not name their runs: an early release wrote them"
    linked: set[str] = set()
    run = said[-1].event.run if said else ""
    while run and run not in linked:
        linked.add(run)
        run = runs.get(run, "")
    if revived or linked >= runs.keys():
        return ""
    return f"it was reset: its runs {', '.join(runs)} do not continue each other"


def by_round(events: Iterable[Told]) -> dict[tuple[str, int], Telling]:
    """The rounds, in the order in which they are first heard of."""
    found: dict[tuple[str, int], Telling] = {}
    for said in events:
        if key := round_of(said):
            found.setdefault(key, Telling()).said.append(said)
    return found
