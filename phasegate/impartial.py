"""Nobody decides on their own work: who had a hand in a product, and how."""

from __future__ import annotations

from phasegate.errors import Forbidden
from phasegate.lifecycle import Lifecycle


def hands_in(state: Lifecycle) -> dict[str, str]:
    """Everybody who had a hand in it, and why. What older states do not list is derived."""
    found = {piece.by: "submitted evidence for it" for piece in state.evidence}
    brought = [summary.submitter for summary in state.sittings.closed]
    brought += [state.sittings.open.submitter] if state.sittings.open else []
    found |= {person: "submitted a gate of it" for person in brought if person}
    found |= state.had_a_hand
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
