"""What is known of a round that was decided."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from phasegate.assembly import Reassignment
from phasegate.audit.context import Place
from phasegate.audit.past import Past
from phasegate.audit.telling import Telling
from phasegate.casting import CastVote
from phasegate.gate import Gate
from phasegate.grounds import Grounds
from phasegate.views import GateView


@dataclass(frozen=True)
class Facts:
    """A decided round, as far as it is known. `votes` are those that the decision counted."""

    place: Place
    gate: Gate
    view: GateView
    grounds: Grounds | None
    past: Past
    telling: Telling
    given: Sequence[Reassignment]
    acting: Sequence[str]
    votes: Sequence[CastVote]

    @property
    def opened_at(self) -> datetime:
        opened = self.telling.of("gate.opened")
        return opened[-1].at if opened else self.telling.said[0].at
