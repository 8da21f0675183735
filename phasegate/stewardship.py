"""What a product takes from its owner and its stakeholders, and when."""

from __future__ import annotations

from datetime import datetime

from phasegate.check import EventCheck, Polled
from phasegate.directory import Permission
from phasegate.errors import Forbidden, Rejected
from phasegate.impartial import require_impartial
from phasegate.lifecycle import Lifecycle, Status
from phasegate.milestones import Milestone
from phasegate.ports import Authority
from phasegate.promises import Condition
from phasegate.requests import ConditionRequest, MilestoneRequest, SubmitRequest
from phasegate.room import require_room_for_note, settled_within


def require_owner_or_team(state: Lifecycle, actor: str, what: str) -> None:
    """Raise Forbidden unless this is the owner, or somebody of the product's team."""
    if actor in state.product.team:
        return
    if not state.product.team:
        state.require_owner(actor, what)
    elif actor != state.product.owner:
        raise Forbidden(
            "not-owner",
            f"{actor} may not {what} {state.key}",
            f"only its owner, {state.product.owner}, and its team may: "
            f"{', '.join(state.product.team)}",
            f"phasegate product show {state.key}",
        )


def require_permission(
    state: Lifecycle, actor: str, found: Authority, permission: Permission, what: str
) -> None:
    """Raise Forbidden unless this person has the permission, and had no hand in the product."""
    require_impartial(state, actor, what)
    if permission not in found.permissions:
        raise Forbidden(
            "not-permitted",
            f"{actor} may not {what}",
            f"none of their groups has the permission {permission} at tier {state.product.tier}",
            f"phasegate directory show {state.directory}",
        )


def check_submit(state: Lifecycle, request: SubmitRequest) -> str:
    """The id of the gate that a submission opens. Raises Rejected when none can open now.

    It is empty for a phase without a gate which the product came back to when its sunset was
    aborted: that waits for its owner, too.
    """
    hint = f"phasegate product show {state.key}"
    what = f"nothing of {state.key} can be submitted"
    gate = state.brief.phase.gate if state.brief else None
    if state.status is not Status.active:
        raise Rejected("not-active", what, f"it is {state.status}", hint)
    if state.brief is None or state.entering:
        raise Rejected("no-gate", what, "it is on its way into a phase; ask again", hint)
    if gate is None:
        if state.needs_submit and request.gate is None and state.brief.phase.review is None:
            return ""
        raise Rejected("no-gate", what, f"its phase {state.phase_id} ends without a gate", hint)
    if request.gate and request.gate != gate.id:
        raise Rejected(
            "other-gate",
            f"{request.gate} of {state.key} cannot be submitted",
            f"the gate of its phase {state.phase_id} is {gate.id}",
            hint,
        )
    if sitting := state.sittings.open:
        why = f"{sitting.gate} is open already"
        raise Rejected("gate-open", what, why, f"phasegate gate show {state.key}/{sitting.gate}")
    return gate.id


def check_resume(state: Lifecycle) -> None:
    """Raise Rejected unless the product is on hold."""
    if state.status is not Status.on_hold:
        raise Rejected(
            "not-on-hold",
            f"{state.key} cannot be resumed",
            f"it is {state.status}, not on hold",
            f"phasegate product show {state.key}",
        )


def check_milestone(state: Lifecycle, request: MilestoneRequest) -> Milestone:
    """The milestone meant. Raises Rejected where there is none, or nothing is expected of it."""
    milestone = state.milestone(request.milestone)
    if milestone.state.settled:
        raise Rejected(
            "milestone-settled",
            f"{milestone.id} of {state.key} takes no more reports",
            f"it is {milestone.state}",
            f"phasegate milestone list {state.key}",
        )
    require_room_for_note(state.key, state.milestones, request.note)
    return milestone


def require_reporter(state: Lifecycle, milestone: Milestone, actor: str) -> None:
    """Raise Forbidden unless this person may report the milestone."""
    check = milestone.check
    if isinstance(check, Polled | EventCheck):
        raise Forbidden(
            "not-reporter",
            f"{actor} may not report {milestone.id} of {state.key}",
            f"a system is asked for it; {state.product.owner} can waive it",
            f"phasegate milestone list {state.key}",
        )
    group = check.by
    members = state.brief.reporters.get(group, ()) if state.brief and group else ()
    allowed = members if group else (state.product.owner,)
    if actor in allowed:
        return
    who = f"the members of {group}" if group else f"its owner, {state.product.owner},"
    raise Forbidden(
        "not-reporter",
        f"{actor} may not report {milestone.id} of {state.key}",
        f"only {who} may",
        f"phasegate milestone list {state.key}",
    )


def check_condition(state: Lifecycle, request: ConditionRequest) -> Condition:
    """The open condition meant. Raises Rejected where there is none."""
    for condition in state.open_conditions():
        if condition.id == request.condition:
            return condition
    known = ", ".join(c.id for c in state.open_conditions()) or "none"
    hint = f"phasegate product show {state.key}"
    if sitting := state.sittings.open:
        known += f"; those of {sitting.gate}, if any, come when the product has heard of its end"
        hint += "  # then ask again"
    raise Rejected(
        "unknown-condition",
        f"{state.key} has no open condition {request.condition}",
        f"open are: {known}",
        hint,
    )


def settle(state: Lifecycle, condition: Condition, request: ConditionRequest, now: datetime) -> str:
    """Close or waive it, and say so. Those that were settled long ago give way."""
    said = condition.settle(request, now)
    state.conditions = settled_within(state.conditions)
    return said


def require_closer(state: Lifecycle, condition: Condition, actor: str) -> None:
    """Raise Forbidden unless this person may say that the condition is kept."""
    if actor not in (condition.owner, state.product.owner):
        raise Forbidden(
            "not-owner",
            f"{actor} may not close condition {condition.id}",
            f"{condition.owner} promised it; {state.product.owner} owns the product",
            f"phasegate product show {state.key}",
        )


def require_waiver(state: Lifecycle, condition: Condition, actor: str, found: Authority) -> None:
    """Raise Forbidden unless this person may let a condition go unkept."""
    what = f"waive condition {condition.id}"
    require_permission(state, actor, found, Permission.waive, what)
    if actor in (condition.owner, condition.promised_by):
        raise Forbidden(
            "self-approval",
            f"{actor} may not {what}",
            f"{actor} promised it, and nobody lets themselves off",
            f"phasegate directory show {state.directory}",
        )


def require_same(state: Lifecycle, owner: str, tier: int) -> None:
    """Raise Rejected if what the directory was asked about has changed while it was asked."""
    if (state.product.owner, state.product.tier) != (owner, tier):
        raise Rejected(
            "changed-meanwhile",
            f"nothing was done to {state.key}",
            f"it was of {owner} at tier {tier} when the directory was asked, and is no longer",
            f"phasegate product show {state.key}  # then ask again",
        )
