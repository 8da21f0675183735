"""What players of a rehearsal do: one act of one person, at one instant."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from phasegate.base import Figure

Kind = Literal["vote", "attest", "milestone", "submit", "resume", "condition", "task", "evidence"]
Key = tuple[str, ...]
"""What an act answers: asked again in the same place, it is the same act."""


@dataclass(frozen=True)
class Act:
    """`what` is the id of the gate, criterion, milestone, condition or task that it is about, and
    `word` what is said there."""

    key: Key
    kind: Kind
    at: datetime
    who: str
    what: str = ""
    gate: str = ""
    word: str = ""
    on_behalf_of: str = ""
    title: str = ""
    scored: tuple[str, ...] = ()
    proof: tuple[str, ...] = ()
    figures: dict[str, Figure] = field(default_factory=dict)
