"""Nobody decides on their own work: who had a hand in a product, and how."""

from __future__ import annotations

from typing import TYPE_CHECKING

from phasegate.errors import Forbidden

if TYPE_CHECKING:
    from phasegate.lifecycle import Lifecycle

BROUGHT = "submitted a gate of it"


def hands_before(state: Lifecycle) -> dict[str, str]:
    """Who ever owned it or submitted a gate that is closed, and why that counts. What older states
    do not list is derived."""
    brought = [summary.submitter for summary in state.sittings.closed]
    return {person: BROUGHT for person in brought if person} | state.had_a_hand


def hands_in(state: Lifecycle) -> dict[str, str]:
    """Everybody who had a hand in it, and why."""
    found = {piece.by: "submitted evidence for it" for piece in state.evidence}
    if sitting := state.sittings.open:
        found[sitting.submitter] = BROUGHT
    found |= hands_before(state)
    found[state.product.owner] = "owns the product"
    return found


def require_impartial(state: Lifecycle, actor: str, what: str) -> None:
    """Raise Forbidden for whoever had a hand in it, also if it has another owner by now."""
    if why := hands_in(state).get(actor):
        raise Forbidden(
            "self-approval",
            f"{actor} may not {what}",
            f"{actor} {why}, and nobody decides on their own work",
            f"phasegate directory show {state.directory}",
        )
