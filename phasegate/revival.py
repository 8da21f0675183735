"""Bringing a killed product back: what the ledger keeps of it, and how it goes on."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from phasegate.base import canonical
from phasegate.directory import Permission
from phasegate.events import Outbox
from phasegate.lifecycle import Lifecycle
from phasegate.ports import Authority
from phasegate.stewardship import require_permission

LARGEST = 600_000
"""Bytes of the state that an announcement carries: it has to fit a payload with room to spare."""

LEFT_OUT = "left out, since the record of the product became too large"


def remains(state: Lifecycle) -> dict[str, Any]:
    """The state as JSON, without what ends with this life: what waits, and answers for retries."""
    outbox = Outbox(source=state.outbox.source, product=state.key, count=state.outbox.count)
    left = state.model_copy(update={"outbox": outbox, "handled": {}, "refusals": 0})
    data = left.model_dump(mode="json")
    if len(canonical(data)) > LARGEST:
        for piece in data["evidence"]:
            piece.update(title=LEFT_OUT, link="")
    return data


def revive(state: Lifecycle, found: Authority, now: datetime) -> str:
    """Go on in the phase it was killed in. Raises Forbidden unless this person may do that."""
    assert state.revival is not None
    by, reason = state.revival.by, state.revival.reason
    require_permission(state, by, found, Permission.override, f"revive {state.key}")
    state.held_since, state.ended_at = state.ended_at or now, None
    state.resume(now)
    state.needs_submit, state.submitted_by, state.revival = True, None, None
    return f"{by} revives {state.product.name}: {reason}; open dates move by as long as it was dead"
