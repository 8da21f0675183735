"""Nobody decides on their own work: who had a hand in a product may not."""

from __future__ import annotations

from collections.abc import Mapping

from phasegate.errors import Forbidden
from phasegate.hands import BROUGHT, OWNS, SHOWED
from phasegate.lifecycle import Lifecycle


def hands_in(state: Lifecycle) -> dict[str, str]:
    """Everybody who had a hand in it, and why."""
    found = {piece.by: SHOWED for piece in state.evidence}
    if sitting := state.sittings.open:
        found[sitting.submitter] = BROUGHT
    found |= state.hands_before()
    found[state.product.owner] = OWNS
    return found


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
