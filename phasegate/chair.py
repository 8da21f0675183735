"""What people ask of an open round beside voting, and who may: the rules of the chair.

`check_…` raises Rejected for what is late or makes no sense: validators call it, so that nothing
enters the history. The others check again, do what is asked and return the sentence for the
record, or raise Forbidden for what is not this person's to do: that is recorded.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from phasegate.admission import require_current, require_going, require_undecided, shown
from phasegate.casting import Attestation, CastVote
from phasegate.clockwork import Extension
from phasegate.directory import Permission
from phasegate.errors import Forbidden, Rejected
from phasegate.gate import Criterion
from phasegate.gate_requests import (
    AttestRequest,
    ExtendRequest,
    NeedsWorkRequest,
    OverrideRequest,
    WithdrawRequest,
)
from phasegate.ports import Authority
from phasegate.requests import SubmitRequest
from phasegate.review import SHORT_TEXT, SIDE_TEXT_KEPT, Override, Round, Work

FARTHEST = timedelta(days=3660)
"""How far ahead a gate may be extended: about ten years."""

WORK_KEPT = 20
"""Work that was asked for and done, kept with a round; the ledger has all of it."""


def require_room(state: Round, text: str) -> None:
    """Raise Rejected for a long text once the round has taken its share of those beside votes."""
    size, taken = len(text.encode()), state.side_text()
    if size > SHORT_TEXT and size + taken > SIDE_TEXT_KEPT:
        raise Rejected(
            "text-too-long",
            f"what is asked of {place(state)} carries {size} bytes of text",
            f"the round has taken {taken} bytes beside votes; {SHORT_TEXT} are always taken",
            f"phasegate product evidence {state.product.key}  # attach the text as a link",
        )


def place(state: Round) -> str:
    """The gate as people name it: `launch of harbor-sync`."""
    return f"{state.gate.id} of {state.product.key}"


def check_withdraw(state: Round, request: WithdrawRequest) -> CastVote:
    """The vote that is meant."""
    require_going(state, "withdrawals")
    vote = state.ballots.last_of(request.actor, request.on_behalf_of)
    if vote is None:
        whose = f" for {request.on_behalf_of}" if request.on_behalf_of else ""
        why = f"no vote of theirs{whose} stands in round {state.round}"
        what = f"{request.actor} has nothing to withdraw from {place(state)}"
        raise Rejected("no-vote", what, why, shown(state))
    return vote


def withdraw(state: Round, request: WithdrawRequest) -> str:
    vote = check_withdraw(state, request)
    require_room(state, request.reason)
    require_impartial(state, request.actor, "withdraw votes on a gate of")
    state.ballots.withdraw(vote, request.reason or f"by {request.actor}")
    whose = "their" if vote.holder == request.actor else f"{vote.holder}'s"
    return f"{request.actor} withdraws {whose} {vote.vote} on {state.gate.id}"


def check_attest(state: Round, request: AttestRequest) -> Criterion:
    """The criterion that is meant."""
    require_going(state, "attestations")
    require_current(state, request.revision, "the attestation", "attest")
    attested = {c.id: c for c in state.gate.criteria if c.attested_by}
    criterion = attested.get(request.criterion)
    if criterion is None:
        why = f"people attest: {', '.join(attested) or 'none of its criteria'}"
        what = f"{request.criterion} of {place(state)} is not attested"
        raise Rejected("unknown-criterion", what, why, shown(state))
    if request.score is not None and criterion.kind == "must":
        what = f"{criterion.id} of {place(state)} takes no score"
        raise Rejected("no-score", what, "a must is met or not", shown(state))
    return criterion


def attest(state: Round, request: AttestRequest, now: datetime, key: str = "") -> str:
    """Keep what was attested, with the fingerprint of the `key` that signed it."""
    criterion = check_attest(state, request)
    require_room(state, request.note)
    assert criterion.attested_by is not None
    require_impartial(state, request.actor, "attest anything of")
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
            key=key,
        )
    )
    return f"{request.actor} attests that {criterion.id} is {request.state}: {request.note}"


def check_ask_for_work(state: Round) -> None:
    require_going(state, "requests for work")
    if state.work:
        raise Rejected(
            "work-asked",
            f"{place(state)} waits for {state.product.owner} already",
            f"{state.work.actor} asked: {state.work.what}",
            shown(state),
        )


def ask_for_work(state: Round, request: NeedsWorkRequest, now: datetime) -> str:
    """The clocks stop until the owner submits the gate again."""
    check_ask_for_work(state)
    require_room(state, request.what)
    if not state.acts_for(request.actor, now):
        require_seat(state, request.actor, "ask for work on")
    state.work = Work(actor=request.actor, what=request.what, at=now)
    state.clocks.stop(now)
    return f"{request.actor} asks {state.product.owner} for work: {request.what}"


def check_submit(state: Round) -> Work:
    """The work that was asked for."""
    require_undecided(state, "submissions")
    if state.work is None:
        what = f"nothing of {place(state)} can be submitted"
        raise Rejected("gate-open", what, "it is open, and nobody asks for work", shown(state))
    return state.work


def submit(state: Round, request: SubmitRequest, now: datetime) -> str:
    """The owner has done the work; the clocks go on."""
    done = check_submit(state)
    team = state.product.definition.get("team", ())
    if request.actor != state.product.owner and request.actor not in team:
        raise Forbidden(
            "not-owner",
            f"{request.actor} may not submit {place(state)}",
            f"only its owner, {state.product.owner}, and its team may",
            f"phasegate product show {state.product.key}",
        )
    state.work = None
    state.work_done = [*state.work_done, done][-WORK_KEPT:]
    state.had_a_hand.setdefault(request.actor, "submitted the gate")
    state.void_barred(now)
    if state.paused_at is None:
        state.clocks.go_on(now)
    return f"{request.actor} submits {state.gate.id} again; {done.actor} had asked for work"


def check_extend(state: Round, request: ExtendRequest, now: datetime) -> None:
    require_undecided(state, "extensions")
    what = f"{place(state)} cannot be extended to then"
    if min(request.resolve, request.respond or request.resolve) <= now:
        raise Rejected("in-the-past", what, "that instant is past", shown(state))
    if request.resolve > now + FARTHEST:
        why = f"more than {FARTHEST.days} days ahead; a gate that waits so long is a hold"
        hint = f"phasegate product hold {state.product.key} --as {state.product.owner}"
        raise Rejected("too-far", what, why, hint)
    table = state.clocks.timetable
    later = table is None or request.resolve > table.resolve
    if table and request.respond:
        later = later or any(request.respond > due for due in table.respond.values())
    if table and not later:
        why = f"it has until {table.resolve:%Y-%m-%d %H:%M} UTC already"
        raise Rejected("not-later", what, why, f"{shown(state)}  # an extension shortens nothing")


def extend(state: Round, request: ExtendRequest, rights: Authority, now: datetime) -> str:
    """More time for everybody who has not answered."""
    check_extend(state, request, now)
    require_permission(state, request.actor, rights, Permission.extend, "extend")
    table = state.clocks.extend(Extension(resolve=request.resolve, respond=request.respond))
    return f"{request.actor} extends {state.gate.id} to {table.resolve:%Y-%m-%d %H:%M} UTC"


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
    require_no_hand(state, actor, f"{verb} a gate of")
    if permission not in rights.permissions:
        raise Forbidden(
            "not-permitted",
            f"{actor} may not {verb} {place(state)}",
            f"none of their groups has the permission {permission} at tier {state.product.tier}",
            f"phasegate directory show {state.product.directory}",
        )


def require_impartial(state: Round, actor: str, verb: str) -> None:
    """Raise Forbidden for whoever has a hand in what is decided here."""
    _refuse_hand(state, actor, verb, state.barred)


def require_no_hand(state: Round, actor: str, verb: str) -> None:
    """The same for permissions: nobody uses one on a product that they ever had a hand in."""
    _refuse_hand(state, actor, verb, state.product.hands | state.barred)


def _refuse_hand(state: Round, actor: str, verb: str, hands: Mapping[str, str]) -> None:
    if why := hands.get(actor):
        raise Forbidden(
            "self-approval",
            f"{actor} may not {verb} {state.product.key}",
            f"{actor} {why}, and nobody decides on their own work",
            shown(state),
        )


def require_seat(state: Round, person: str, verb: str) -> None:
    require_impartial(state, person, f"{verb} a gate of")
    if not any(person in step.people for step in state.seats()):
        raise Forbidden(
            "stranger",
            f"{person} may not {verb} {place(state)}",
            f"{person} sits in none of its groups",
            f"phasegate directory show {state.product.directory}",
        )
