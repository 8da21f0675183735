"""Nobody decides on their own work: who had a hand in a product, and how."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from phasegate.errors import Forbidden

if TYPE_CHECKING:
    from phasegate.events import Announcement
    from phasegate.lifecycle import Lifecycle

BROUGHT = "submitted a gate of it"
SHOWED = "submitted evidence for it"
TELLS = {"gate.submitted": BROUGHT, "gate.resubmitted": BROUGHT, "product.evidence": SHOWED}
"""Entries of the record whose actor had a hand in the product, and which."""


def hands_before(state: Lifecycle) -> dict[str, str]:
    """Who ever owned it or submitted a gate that is closed, and why that counts. What older states
    do not list is derived."""
    brought = [summary.submitter for summary in state.sittings.closed]
    return {person: BROUGHT for person in brought if person} | state.had_a_hand


def hands_in(state: Lifecycle) -> dict[str, str]:
    """Everybody who had a hand in it, and why."""
    found = {piece.by: SHOWED for piece in state.evidence}
    if sitting := state.sittings.open:
        found[sitting.submitter] = BROUGHT
    found |= hands_before(state)
    found[state.product.owner] = "owns the product"
    return found


def hands_told(said: Iterable[Announcement]) -> dict[str, str]:
    """Who had a hand in it by the record: of those who submit again, it knows before the product
    does."""
    return {one.actor: TELLS[one.type] for one in said if one.type in TELLS}


def require_impartial(
    state: Lifecycle, actor: str, what: str, told: Mapping[str, str] | None = None
) -> None:
    """Raise Forbidden for whoever had a hand in it, also if it has another owner by now.

    `told` are hands that others know of, and why those count.
    """
    if why := {**(told or {}), **hands_in(state)}.get(actor):
        raise Forbidden(
            "self-approval",
            f"{actor} may not {what}",
            f"{actor} {why}, and nobody decides on their own work",
            f"phasegate directory show {state.directory}",
        )
