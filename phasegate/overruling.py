"""Overriding a gate that has stopped its product, while the product waits because of it."""

from __future__ import annotations

from datetime import datetime

from phasegate.directory import Permission
from phasegate.errors import Rejected
from phasegate.gate_requests import OverrideRequest
from phasegate.lifecycle import Lifecycle, Status
from phasegate.ports import Authority
from phasegate.signed_words import Demand
from phasegate.signing import Place
from phasegate.sittings import GateReport, Kind, Verdict
from phasegate.stewardship import require_permission
from phasegate.views import GateSummaryView

STOPS = ("recycle", "hold", "abandoned")
NONE_YET = "no gate of it has been decided yet: it waits for none"


def stopped_by(state: Lifecycle) -> tuple[Kind, GateSummaryView] | None:
    """The round because of which the product waits, if it waits because of one."""
    if state.sittings.open or not state.sittings.closed or state.brief is None or state.entering:
        return None
    last, phase = state.sittings.closed[-1], state.brief.phase
    if last.outcome not in STOPS:
        return None
    held = state.status is Status.on_hold and state.held_by == last.gate
    if phase.gate and phase.gate.id == last.gate:
        # The owner may have put it on hold since: that must not keep the gate from others.
        waits = state.status in (Status.active, Status.on_hold) and not state.held_by
        recycled = waits and state.needs_submit
        return ("phase", last) if held or recycled else None
    reviewed = phase.review and phase.review.gate.id == last.gate
    return ("review", last) if held and reviewed else None


def check_override(state: Lifecycle, request: OverrideRequest) -> tuple[Kind, GateSummaryView]:
    """The round that is meant. Raises Rejected where the product does not wait because of one."""
    key = state.key
    what = f"no gate of {key} can be overridden now"
    if sitting := state.sittings.open:
        hint = f"phasegate gate override {key}/{sitting.gate}  # the open round takes it"
        raise Rejected("gate-open", what, f"{sitting.gate} is open", hint)
    stopped = stopped_by(state)
    if stopped is None:
        last = state.sittings.closed[-1] if state.sittings.closed else None
        why = f"{last.gate} came to {last.outcome}; {key} has moved on" if last else NONE_YET
        hint = f"phasegate product show {key}  # what has moved on can be held or cancelled"
        raise Rejected("not-stopped", what, f"{why}, and is {state.status}", hint)
    kind, last = stopped
    show = f"phasegate gate show {key}/{last.gate}"
    if request.gate and request.gate != last.gate:
        why = f"the gate that stopped it is {last.gate}"
        raise Rejected("other-gate", f"{request.gate} of {key} cannot be overridden", why, show)
    if request.outcome == last.outcome:
        why = f"it came to {last.outcome} already"
        raise Rejected("unchanged", f"{last.gate} of {key} cannot be overridden", why, show)
    return kind, last


def override_demand(state: Lifecycle, request: OverrideRequest) -> Demand:
    """What the stopped gate asks of a signature: an override of it is decided by the same proof.

    Raises Rejected as `check_override` does.
    """
    kind, last = check_override(state, request)
    phase = state.brief.phase if state.brief else None
    reviewed = phase.review.gate if phase and phase.review else None
    gate = reviewed if kind == "review" else phase.gate if phase else None
    return Demand(
        place=Place(
            product=state.key, gate=last.gate, round=last.round, policy=state.policy.digest
        ),
        required=gate is not None and gate.assurance == "signed",
        since=last.decided_at,
        newest=state.override_signed_at,
        directory=state.directory,
    )


def overrule(
    state: Lifecycle, request: OverrideRequest, found: Authority, now: datetime
) -> GateSummaryView:
    """Put another outcome in the place of the round's, for the product to follow; the old one."""
    kind, last = check_override(state, request)
    what = f"override {last.gate} of {state.key}"
    require_permission(state, request.actor, found, Permission.override, what)
    if request.signature:
        state.override_signed_at = request.signed_at
    report = GateReport(
        gate=last.gate,
        round=last.round,
        token="",
        outcome=request.outcome.value,
        why=f"overridden by {request.actor}: {request.reason}",
        decided_at=now,
    )
    state.sittings.sum_up(report, last.submitter)
    state.verdict = Verdict(kind=kind, report=report)
    if state.status is Status.on_hold:
        state.resume(now)
    state.submitted_by, state.needs_submit = None, False
    return last
