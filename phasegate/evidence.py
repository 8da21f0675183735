"""Evidence: what a product shows its gates, and what all of it says in numbers."""

from __future__ import annotations

from collections.abc import Sequence

from phasegate.base import Figure, FigureName, Instant, Wire, canonical
from phasegate.errors import Rejected

EVIDENCE_KEPT = 200
EVIDENCE_BYTES = 200_000


class Evidence(Wire):
    title: str
    link: str = ""
    digest: str = ""
    by: str
    at: Instant
    figures: dict[FigureName, Figure] = {}

    @property
    def shown(self) -> dict[str, str]:
        """What a gate sees of it, beside its figures."""
        return {"title": self.title, "link": self.link, "digest": self.digest, "by": self.by}

    @property
    def size(self) -> int:
        figures = len(canonical(self.figures)) if self.figures else 0
        return len(f"{self.title}{self.link}".encode()) + figures


def figures_of(pieces: Sequence[Evidence]) -> dict[str, Figure]:
    """What all of it says in numbers; where two pieces name the same figure, the later one's."""
    return {name: figure for piece in pieces for name, figure in piece.figures.items()}


def require_room(key: str, pieces: Sequence[Evidence]) -> None:
    """Raise Rejected when the evidence kept has used up its share of a payload."""
    size = sum(piece.size for piece in pieces)
    if len(pieces) >= EVIDENCE_KEPT or size >= EVIDENCE_BYTES:
        raise Rejected(
            "too-much-evidence",
            f"{key} takes no more evidence",
            f"it has {len(pieces)} pieces with {size} bytes of titles, links and figures",
            f"phasegate product show {key}  # one document may list the others",
        )
