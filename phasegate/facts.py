"""What a gate or a sunset knows of its product."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from phasegate.base import Figure, Wire, canonical


class ProductFacts(Wire):
    """What a gate knows of its product.

    `evidence` holds title, link, digest and by (who submitted it) of each piece; `figures` what
    all of it says in numbers, the latest word of each. `former_owners` had it in this phase.
    `hands` are all who ever owned it or submitted a gate, and which: they use no permission on it.
    """

    key: str
    name: str
    owner: str
    tier: int
    policy: str
    policy_digest: str
    directory: str
    narrowed: dict[str, tuple[str, ...]] = {}
    definition: dict[str, Any] = {}
    milestones: dict[str, str] = {}
    evidence: list[dict[str, str]] = []
    figures: dict[str, Figure] = {}
    former_owners: list[str] = []
    hands: dict[str, str] = {}


def revision_of(facts: ProductFacts) -> str:
    """A digest of what voters see: the evidence, its figures, and the product's definition."""
    pieces = [[e.get("title", ""), e.get("link", ""), e.get("digest", "")] for e in facts.evidence]
    seen = canonical([pieces, facts.figures, facts.definition])
    return "r" + sha256(seen).hexdigest()[:12]
