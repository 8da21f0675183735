"""Who had a hand in a product, by the record, and how."""

from __future__ import annotations

from collections.abc import Iterable

from phasegate.events import Announcement

BROUGHT = "submitted a gate of it"
SHOWED = "submitted evidence for it"
OWNS = "owns the product"
TELLS = {"gate.submitted": BROUGHT, "gate.resubmitted": BROUGHT, "product.evidence": SHOWED}
"""Entries of the record whose actor had a hand in the product, and which."""


def hands_told(said: Iterable[Announcement]) -> dict[str, str]:
    """Who had a hand in it by the record: of those who submit again, it knows before the product
    does."""
    return {one.actor: TELLS[one.type] for one in said if one.type in TELLS}
