"""Which gate decides that a product leaves the market, and what a sunset takes before it begins."""

from __future__ import annotations

from phasegate.errors import Rejected
from phasegate.policy import Policy
from phasegate.views import ProductView


def gate_out(policy: Policy, view: ProductView) -> str:
    """The gate of the phase that the sunset follows; empty where its owner ends it without one.

    Raises Rejected where the product is not there, or leaves in another way.
    """
    key = view.key
    what, hint = f"the sunset of {key} cannot be started", f"phasegate product show {key}"
    if view.status == "sunsetting":
        why = "it is under way"
        raise Rejected("sunset-under-way", what, why, f"phasegate sunset show {key}")
    if view.ended_at is not None:
        raise Rejected("product-ended", what, f"it is {view.status}", hint)
    if policy.sunset is None:
        why = f"its policy {policy.policy} plans none"
        raise Rejected("no-sunset", what, why, f"{hint}  # product cancel ends it")
    last = next((phase for phase in policy.phases if phase.id == view.phase), None)
    if last is None or policy.following(last.id) is not None:
        ends = ", ".join(p.id for p in policy.phases if policy.following(p.id) is None)
        why = f"it is in phase {view.phase}, and the sunset follows {ends}"
        raise Rejected("not-in-market", what, why, hint)
    if last.gate is not None:
        return last.gate.id
    if last.review is not None:
        review = last.review.gate.id
        why = f"its phase {last.id} has no gate of its own: a kill at its review {review} begins it"
        raise Rejected("no-gate", what, why, hint)
    return ""
