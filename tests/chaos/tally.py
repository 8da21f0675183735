"""What was asked and what was answered, remembered outside of the engine."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Literal

Answer = Literal["accepted", "refused", "unknown"]


@dataclass(frozen=True)
class Cast:
    """One vote as its voter knows of it. Its comment is found nowhere else."""

    product: str
    gate: str
    round: int
    who: str
    says: str
    comment: str
    answer: Answer
    """unknown: a first try got no answer, and a later one came too late."""
    code: str
    tries: int
    waited: float
    """Seconds from the first try to the answer."""


@dataclass
class Tally:
    casts: list[Cast] = field(default_factory=list)
    steps: int = 0
    """Sittings that were decided."""
    asked: int = 0
    """Acts of which a person had to say what became of them."""
    faults: Counter[str] = field(default_factory=Counter)
    stuck: list[str] = field(default_factory=list)

    def answered(self, answer: Answer) -> list[Cast]:
        return [cast for cast in self.casts if cast.answer == answer]
