"""What people ask of an open round beside voting, and who may: the rules of the chair.

Each function does what is asked and returns the sentence for the record, or raises Rejected (late
or makes no sense: leaves no trace) or Forbidden (not this person's to do: recorded).
"""

from __future__ import annotations

from datetime import datetime

from phasegate.admission import require_going, require_undecided, shown
from phasegate.casting import Attestation
from phasegate.directory import Permission
from phasegate.errors import Forbidden, Rejected
from phasegate.gate_requests import (
    AttestRequest,
    DelegateRequest,
    ExtendRequest,
    NeedsWorkRequest,
    OverrideRequest,
    ReassignRequest,
    WithdrawRequest,
)
from phasegate.ports import Authority
from phasegate.requests import SubmitRequest
from phasegate.review import Override, Reassignment, Round, Work
from phasegate.standing_in import Delegation


def place(state: Round) -> str:
    """The gate as people name it: `launch of harbor-sync`."""
    return f"{state.gate.id} of {state.product.key}"


def withdraw(state: Round, request: WithdrawRequest) -> str:
    require_going(state, "withdrawals")
    vote = state.ballots.last_of(request.actor, request.on_behalf_of)
    if vote is None:
        whose = f" for {request.on_behalf_of}" if request.on_behalf_of else ""
        why = f"no vote of theirs{whose} stands in round {state.round}"
        what = f"{request.actor} has nothing to withdraw from {place(state)}"
        raise Rejected("no-vote", what, why, shown(state))
    state.ballots.withdraw(vote, request.reason or f"by {request.actor}")
    whose = "their" if vote.holder == request.actor else f"{vote.holder}'s"
    return f"{request.actor} withdraws {whose} {vote.vote} on {state.gate.id}"


def delegate(state: Round, request: DelegateRequest, found: Authority, now: datetime) -> str:
    """Let somebody act for the actor; `found.about…` speaks of that somebody."""
    require_undecided(state, "delegations")
    _require_seat(state, request.actor, "delegate in")
    _require_fit(state, request.to, found)
    state.mandates.absences[request.to] = found.about_absences
    start = request.start or now
    if request.end and request.end <= now:
        what = f"{request.actor} cannot delegate in {place(state)}"
        raise Rejected(
            "in-the-past", what, f"{request.end:%Y-%m-%d %H:%M} UTC is past", shown(state)
        )
    if state.mandates.leads_back(request.actor, request.to, max(start, now)):
        raise Rejected(
            "delegation-circle",
            f"{request.actor} cannot delegate to {request.to} in {place(state)}",
            f"{request.to} is away or has delegated, and that leads back to {request.actor}",
            f"{shown(state)}  # then name somebody who is there",
        )
    state.mandates.give(
        Delegation(
            approver=request.actor,
            to=request.to,
            start=start,
            end=request.end,
            reason=request.reason,
        )
    )
    state.clocks.ask_again("mandate", "keep", now)
    until = f" until {request.end:%Y-%m-%d %H:%M} UTC" if request.end else ""
    return f"{request.to} acts for {request.actor} on {state.gate.id}{until}"


def reassign(
    state: Round, request: ReassignRequest, rights: Authority, found: Authority, now: datetime
) -> str:
    """Give a seat to somebody else. `rights` speak of the actor and of who has the seat now,
    `found.about…` of who gets it."""
    require_undecided(state, "reassignments")
    _require_impartial(state, request.actor, "choose approvers of")
    if not (rights.manages or Permission.reassign in rights.permissions):
        raise Forbidden(
            "not-permitted",
            f"{request.actor} may not give {request.approver}'s seat in {place(state)} away",
            f"that is for a manager of {request.approver}, or for who may reassign at tier "
            f"{state.product.tier}",
            f"phasegate directory show {state.product.directory}",
        )
    members = state.members()
    groups = tuple(group for group, people in members.items() if request.approver in people)
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
    _require_fit(state, request.to, found)
    if any(request.to in members[group] for group in groups):
        what = f"{request.to} cannot take {request.approver}'s seat in {place(state)}"
        why = f"{request.to} sits there already, and nobody counts twice"
        raise Rejected("has-seat", what, why, f"{shown(state)}  # then name somebody else")
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


def attest(state: Round, request: AttestRequest, now: datetime) -> str:
    require_going(state, "attestations")
    attested = {c.id: c for c in state.gate.criteria if c.attested_by}
    criterion = attested.get(request.criterion)
    if criterion is None or criterion.attested_by is None:
        why = f"people attest: {', '.join(attested) or 'none of its criteria'}"
        what = f"{request.criterion} of {place(state)} is not attested"
        raise Rejected("unknown-criterion", what, why, shown(state))
    if request.score is not None and criterion.kind == "must":
        what = f"{criterion.id} of {place(state)} takes no score"
        raise Rejected("no-score", what, "a must is met or not", shown(state))
    _require_impartial(state, request.actor, "attest anything of")
    if request.actor not in state.members().get(criterion.attested_by, ()):
        raise Forbidden(
            "not-attester",
            f"{request.actor} may not attest {criterion.id} of {place(state)}",
            f"that is for members of {criterion.attested_by}",
            f"phasegate directory show {state.product.directory}",
        )
    state.attestations = [
        a for a in state.attestations if (a.criterion, a.actor) != (criterion.id, request.actor)
    ]
    state.attestations.append(
        Attestation(
            criterion=criterion.id,
            actor=request.actor,
            state=request.state,
            score=request.score,
            note=request.note,
            at=now,
            revision=state.revision,
        )
    )
    return f"{request.actor} attests that {criterion.id} is {request.state}: {request.note}"


def ask_for_work(state: Round, request: NeedsWorkRequest, now: datetime) -> str:
    """The clocks stop until the owner submits the gate again."""
    require_going(state, "requests for work")
    if state.work:
        raise Rejected(
            "work-asked",
            f"{place(state)} waits for {state.product.owner} already",
            f"{state.work.actor} asked: {state.work.what}",
            shown(state),
        )
    if not state.acts_for(request.actor, now):
        _require_seat(state, request.actor, "ask for work on")
    state.work = Work(actor=request.actor, what=request.what, at=now)
    state.clocks.stop(now)
    return f"{request.actor} asks {state.product.owner} for work: {request.what}"


def submit(state: Round, request: SubmitRequest, now: datetime) -> str:
    """The owner has done the work; the clocks go on."""
    require_undecided(state, "submissions")
    if state.work is None:
        what = f"nothing of {place(state)} can be submitted"
        raise Rejected("gate-open", what, "it is open, and nobody asks for work", shown(state))
    team = state.product.definition.get("team", ())
    if request.actor != state.product.owner and request.actor not in team:
        raise Forbidden(
            "not-owner",
            f"{request.actor} may not submit {place(state)}",
            f"only its owner, {state.product.owner}, and its team may",
            f"phasegate product show {state.product.key}",
        )
    done, state.work = state.work, None
    state.work_done.append(done)
    state.had_a_hand.setdefault(request.actor, "submitted the gate")
    if state.paused_at is None:
        state.clocks.go_on(now)
    return f"{request.actor} submits {state.gate.id} again; {done.actor} had asked for work"


def extend(state: Round, request: ExtendRequest, rights: Authority, now: datetime) -> str:
    """More time for everybody who has not answered."""
    require_undecided(state, "extensions")
    require_permission(state, request.actor, rights, Permission.extend, "extend")
    table = state.clocks.timetable
    if table is None or request.resolve <= now or (request.respond and request.respond <= now):
        what = f"{place(state)} cannot be extended to then"
        raise Rejected("in-the-past", what, "that instant is past", shown(state))
    table.resolve = request.resolve
    if request.respond:
        table.respond = dict.fromkeys(table.respond, request.respond)
        state.clocks.late.clear()
    return f"{request.actor} extends {state.gate.id} to {request.resolve:%Y-%m-%d %H:%M} UTC"


def override(state: Round, request: OverrideRequest, rights: Authority, now: datetime) -> str:
    """Decide in the place of the approvers, whatever votes, criteria and conditions say."""
    require_undecided(state, "overrides")
    require_permission(state, request.actor, rights, Permission.override, "override")
    said = state.verdict(now).why if state.convened else "the round was being convened"
    state.override = Override(
        actor=request.actor,
        outcome=request.outcome,
        reason=request.reason,
        at=now,
        votes_said=said,
    )
    state.outcome, state.decided_at = request.outcome, now
    state.why = f"overridden by {request.actor}: {request.reason}"
    return f"{request.actor} overrides {state.gate.id} to {request.outcome}: {request.reason}"


def require_permission(
    state: Round, actor: str, rights: Authority, permission: Permission, verb: str
) -> None:
    """Raise Forbidden unless somebody impartial has the permission at this product's tier."""
    _require_impartial(state, actor, f"{verb} a gate of")
    if permission not in rights.permissions:
        raise Forbidden(
            "not-permitted",
            f"{actor} may not {verb} {place(state)}",
            f"none of their groups has the permission {permission} at tier {state.product.tier}",
            f"phasegate directory show {state.product.directory}",
        )


def _require_impartial(state: Round, actor: str, verb: str) -> None:
    if why := state.barred.get(actor):
        raise Forbidden(
            "self-approval",
            f"{actor} may not {verb} {state.product.key}",
            f"{actor} {why}, and nobody decides on their own work",
            shown(state),
        )


def _require_seat(state: Round, person: str, verb: str) -> None:
    _require_impartial(state, person, f"{verb} a gate of")
    if not any(person in step.people for step in state.seats()):
        raise Forbidden(
            "stranger",
            f"{person} may not {verb} {place(state)}",
            f"{person} sits in none of its groups",
            f"phasegate directory show {state.product.directory}",
        )


def _require_fit(state: Round, person: str, found: Authority) -> None:
    """Raise unless this person is in the directory and has had no hand in the work."""
    if not found.about_known:
        raise Rejected(
            "unknown-person",
            f"{person} cannot act in {place(state)}",
            f"directory {state.product.directory} does not know {person}",
            f"phasegate directory show {state.product.directory}",
        )
    _require_impartial(state, person, "act for anybody in a gate of")
