"""What a product takes of its sunset before one begins: a plan, legal holds, word of customers."""

from __future__ import annotations

from datetime import datetime

from phasegate.adjusting import require_bounded
from phasegate.errors import Rejected
from phasegate.legal_hold import apply_legal_hold, check_legal_hold, require_holder
from phasegate.lifecycle import Lifecycle, Status
from phasegate.ports import SunsetBrief
from phasegate.requests import LegalHoldRequest, PlanSunsetRequest
from phasegate.stewardship import require_owner_or_team
from phasegate.sunset_layout import Layout, lay_out
from phasegate.sunset_ports import CustomersSummary
from phasegate.sunset_rules import require_sound


def check_before_sunset(state: Lifecycle, what: str) -> None:
    """Raise Rejected where the policy plans no sunset, or one is under way and takes it itself."""
    shown = f"phasegate product show {state.key}"
    if state.status is Status.sunsetting:
        why = "its sunset is under way, and takes that itself"
        raise Rejected("sunset-under-way", what, why, f"phasegate sunset show {state.key}")
    if state.brief is None:
        raise Rejected("no-sunset", what, "its policy is being read; ask again", shown)
    if not state.brief.has_sunset:
        raise Rejected("no-sunset", what, f"its policy {state.policy.name} plans none", shown)


def check_plan(state: Lifecycle, request: PlanSunsetRequest) -> None:
    """Raise Rejected where no plan is taken now, or it is too large."""
    check_before_sunset(state, f"the sunset of {state.key} cannot be planned")
    require_bounded(state.key, request.adjustments)


def require_same_policy(state: Lifecycle, digest: str) -> None:
    """Raise Rejected where it was put under another policy while that one's plan was read."""
    if state.policy.digest != digest:
        raise Rejected(
            "changed-meanwhile",
            f"the sunset of {state.key} is not planned",
            f"it was put under {state.policy.name} {state.policy.version} meanwhile",
            f"phasegate product show {state.key}  # then ask again",
        )


def plan_ahead(
    state: Lifecycle,
    request: PlanSunsetRequest,
    found: SunsetBrief,
    customers: CustomersSummary,
    now: datetime,
) -> Layout:
    """Keep the plan for when the sunset begins; how it lies by the calendar of today.

    Raises Forbidden for others than the owner and the team, Rejected for a plan that breaks a rule.
    """
    require_owner_or_team(state, request.actor, "plan the sunset of")
    layout = lay_out(
        found.plan,
        request.adjustments,
        maturity=state.product.maturity,
        now=now,
        contracts_until=customers.contracts_until,
        product=state.key,
    )
    require_sound(
        layout,
        found.plan,
        request.adjustments,
        maturity=state.product.maturity,
        now=now,
        contracts_until=customers.contracts_until,
        product=state.key,
    )
    state.adjustments = request.adjustments
    return layout


def described(layout: Layout) -> str:
    """A plan in a sentence: its notice and its end of life."""
    text = f"public notice on {layout.notice_at:%Y-%m-%d}"
    end = layout.marked("end-of-life")
    text += f", end of life on {end.at:%Y-%m-%d}" if end else ""
    return "; ".join([text, *layout.moved])


def check_hold(state: Lifecycle, request: LegalHoldRequest) -> None:
    """Raise Rejected where the hold cannot be placed or lifted now."""
    check_before_sunset(state, f"the legal hold {request.matter} of {state.key} is not taken")
    check_legal_hold(state.key, state.legal_holds, request)


def hold_ahead(
    state: Lifecycle, request: LegalHoldRequest, found: SunsetBrief, now: datetime
) -> None:
    """Place the hold, or lift it. Raises Forbidden for whom the policy does not name."""
    group = found.plan.legal_hold_by
    members = found.members.get(group, ()) if group else ()
    require_holder(state.key, state.product.owner, group, members, request.actor)
    state.legal_holds = apply_legal_hold(state.legal_holds, request, now)
