"""Legal holds: while one is placed, nothing is deleted."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from phasegate.base import Instant, Wire
from phasegate.errors import Forbidden, Rejected
from phasegate.requests import LegalHoldRequest

HOLDS_KEPT = 50
"""Legal holds that may be placed on a product at the same time."""


class LegalHold(Wire):
    """One matter for which everything has to be kept."""

    matter: str
    reason: str
    by: str
    at: Instant


def check_legal_hold(key: str, holds: Sequence[LegalHold], request: LegalHoldRequest) -> None:
    """Raise Rejected where that matter is placed already, or is none that could be lifted."""
    placed = [hold.matter for hold in holds]
    what = f"the legal hold {request.matter} of {key} cannot be"
    hint = f"phasegate sunset show {key}"
    if request.lift and request.matter not in placed:
        why = f"those placed are {', '.join(placed) or 'none'}"
        raise Rejected("no-such-hold", f"{what} lifted", why, hint)
    if not request.lift and request.matter in placed:
        raise Rejected("hold-placed", f"{what} placed", "it is placed already", hint)
    if not request.lift and len(placed) >= HOLDS_KEPT:
        why = f"{HOLDS_KEPT} are placed, and there is no room for more"
        raise Rejected("too-many-holds", f"{what} placed", why, hint)


def require_holder(
    key: str, owner: str, group: str | None, members: Sequence[str], actor: str
) -> None:
    """Raise Forbidden unless this person may place and lift legal holds.

    `group` is the plan's `legal_hold_by`; where it names none, the owner may.
    """
    if actor in members if group else actor == owner:
        return
    who = f"the members of {group}" if group else f"its owner, {owner},"
    raise Forbidden(
        "not-legal-holder",
        f"{actor} may not place or lift a legal hold of {key}",
        f"only {who} may",
        f"phasegate sunset show {key}",
    )


def apply_legal_hold(
    holds: Sequence[LegalHold], request: LegalHoldRequest, now: datetime
) -> list[LegalHold]:
    """The holds that are placed after this request."""
    others = [hold for hold in holds if hold.matter != request.matter]
    if request.lift:
        return others
    placed = LegalHold(matter=request.matter, reason=request.reason, by=request.actor, at=now)
    return [*others, placed]
