"""Delegating and reassigning: who may let somebody else act in an open round, and whom.

As in phasegate.chair, `check_…` raises what leaves no trace; the rest is recorded.
"""

from __future__ import annotations

from datetime import datetime

from phasegate.admission import require_undecided, shown
from phasegate.assembly import Reassignment
from phasegate.chair import (
    place,
    require_impartial,
    require_no_hand,
    require_room,
    require_seat,
)
from phasegate.directory import Permission
from phasegate.errors import Forbidden, Rejected
from phasegate.gate_requests import DelegateRequest, ReassignRequest
from phasegate.ports import Authority
from phasegate.review import Round
from phasegate.standing_in import Delegation

MOST_GIVEN = 200
"""Seats that a round lets be given away: it keeps each of them."""


def check_delegate(state: Round, request: DelegateRequest, now: datetime) -> None:
    require_undecided(state, "delegations")
    if request.end and request.end <= now:
        what = f"{request.actor} cannot delegate in {place(state)}"
        why = f"{request.end:%Y-%m-%d %H:%M} UTC is past"
        raise Rejected("in-the-past", what, why, shown(state))
    if request.to is None and not any(d.approver == request.actor for d in state.mandates.given):
        what = f"{request.actor} has nothing to take back in {place(state)}"
        raise Rejected("no-delegation", what, "nobody acts for them by delegation", shown(state))


def delegate(
    state: Round, request: DelegateRequest, found: Authority, now: datetime, key: str = ""
) -> str:
    """Let somebody act for the actor, or nobody any more; `found.about…` speaks of who shall, and
    `key` is the fingerprint of the one that signed it."""
    check_delegate(state, request, now)
    require_room(state, request.reason)
    if request.to is None:
        taken = state.mandates.take_back(request.actor)
        assert taken is not None
        return f"{taken.to} acts no longer for {request.actor} on {state.gate.id}"
    require_seat(state, request.actor, "delegate in")
    _require_fit(state, request.to, found)
    given = Delegation(
        approver=request.actor,
        to=request.to,
        start=request.start or now,
        end=request.end,
        reason=request.reason,
        key=key,
    )
    mandates = state.mandates.knowing(found.absences)
    if mandates.circles(given, now):
        raise Rejected(
            "delegation-circle",
            f"{request.actor} cannot delegate to {request.to} in {place(state)}",
            f"{request.to} is away or has delegated, and that leads back to {request.actor}",
            f"{shown(state)}  # then name somebody who is there",
        )
    mandates.give(given)
    state.mandates = mandates
    state.clocks.ask_again("mandate", "keep", now)
    until = f" until {request.end:%Y-%m-%d %H:%M} UTC" if request.end else ""
    return f"{request.to} acts for {request.actor} on {state.gate.id}{until}"


def check_reassign(state: Round, request: ReassignRequest) -> tuple[str, ...]:
    """The groups that the seat sits in."""
    require_undecided(state, "reassignments")
    if len(state.reassigned) >= MOST_GIVEN:
        why = f"{MOST_GIVEN} seats of this round were given away; a new round starts afresh"
        hint = f"phasegate gate vote {state.product.key}/{state.gate.id} recycle"
        raise Rejected("too-many-given", f"no seat of {place(state)} can be given away", why, hint)
    members = state.members()
    voting = {group for requirement in state.gate.requires for group in requirement.groups}
    groups = tuple(
        group
        for group, people in members.items()
        if group in voting and request.approver in people  # advice and attesting stay
    )
    if not groups:
        why = f"{request.approver} sits in none of its groups"
        raise Rejected("no-seat", f"nothing of {place(state)} to reassign", why, shown(state))
    if any(vote.holder == request.approver for vote in state.ballots.counted()):
        raise Rejected(
            "has-voted",
            f"{request.approver}'s seat in {place(state)} cannot be given away",
            f"{request.approver} has voted, and leaving takes no vote that was cast",
            f"phasegate gate withdraw {state.product.key}/{state.gate.id} --as {request.approver}",
        )
    if any(request.to in members[group] for group in groups):
        what = f"{request.to} cannot take {request.approver}'s seat in {place(state)}"
        why = f"{request.to} sits there already, and nobody counts twice"
        raise Rejected("has-seat", what, why, f"{shown(state)}  # then name somebody else")
    return groups


def reassign(
    state: Round, request: ReassignRequest, rights: Authority, found: Authority, now: datetime
) -> str:
    """Give a seat to somebody else. `rights` speak of the actor and of who has the seat now,
    `found.about…` of who gets it."""
    groups = check_reassign(state, request)
    require_room(state, request.reason)
    require_no_hand(state, request.actor, "choose approvers of")
    if not (rights.manages or Permission.reassign in rights.permissions):
        raise Forbidden(
            "not-permitted",
            f"{request.actor} may not give {request.approver}'s seat in {place(state)} away",
            f"that is for a manager of {request.approver}, or for who may reassign at tier "
            f"{state.product.tier}",
            f"phasegate directory show {state.product.directory}",
        )
    _require_fit(state, request.to, found)
    state.reassigned.append(
        Reassignment(
            approver=request.approver,
            to=request.to,
            groups=groups,
            by=request.actor,
            reason=request.reason,
            at=now,
        )
    )
    state.asked_again[request.to] = now
    state.clocks.ask_again("mandate", "keep", now)
    return f"{request.to} takes {request.approver}'s seat on {state.gate.id}: {request.reason}"


def _require_fit(state: Round, person: str, found: Authority) -> None:
    """Raise unless this person is in the directory and has had no hand in the work."""
    if not found.about_known:
        raise Rejected(
            "unknown-person",
            f"{person} cannot act in {place(state)}",
            f"directory {state.product.directory} does not know {person}",
            f"phasegate directory show {state.product.directory}",
        )
    require_impartial(state, person, "act for anybody in a gate of")
