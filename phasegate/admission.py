"""Which votes a round admits: in time, of the evidence it has now, by whom and for whom."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import NoReturn

from phasegate.casting import ADVICE, CastVote, text_bytes
from phasegate.errors import Forbidden, Rejected
from phasegate.requests import VoteRequest
from phasegate.review import SHORT_TEXT, TEXT_KEPT, Round
from phasegate.seats import Step
from phasegate.signing import Signed


@dataclass(frozen=True)
class Seat:
    """Where a vote counts: the step (0 for advice), whose seat it fills, what groups gave it."""

    step: int
    holder: str
    groups: tuple[str, ...]


def shown(state: Round) -> str:
    """The command that shows the round."""
    return f"phasegate gate show {state.product.key}/{state.gate.id}"


def require_undecided(state: Round, what: str = "votes") -> None:
    """Raise Rejected once the round is decided. Decided is final."""
    if state.closed:
        raise Rejected(
            "gate-decided",
            f"{state.gate.id} of {state.product.key} takes no more {what}",
            f"round {state.round} is decided: {state.outcome or 'abandoned'}",
            shown(state),
        )


def require_going(state: Round, what: str = "votes") -> None:
    """Raise Rejected while the round is decided or its product on hold."""
    require_undecided(state, what)
    if state.paused_at:
        raise Rejected(
            "gate-on-hold",
            f"{state.gate.id} of {state.product.key} takes no {what} now",
            "the product is on hold",
            f"phasegate product show {state.product.key}  # its owner can resume it",
        )


def require_current(state: Round, seen: str | None, what: str, again: str) -> None:
    """Raise Rejected where what is said names evidence that has changed since."""
    if seen and seen != state.revision:
        raise Rejected(
            "stale-revision",
            f"{what} names evidence {seen}",
            f"the evidence is now {state.revision}",
            f"{shown(state)}  # then {again} with --revision {state.revision}",
        )


def check_vote(state: Round, request: VoteRequest) -> None:
    """Raise Rejected for a vote that is late, stale or ill-timed. Says nothing of rights."""
    require_going(state)
    require_current(state, request.revision, "the vote", "vote")
    text = text_bytes(request.comment, request.conditions)
    taken = sum(vote.length for vote in state.ballots.standing())
    if text > SHORT_TEXT and text + taken > TEXT_KEPT:
        raise Rejected(
            "text-too-long",
            f"the vote on {state.gate.id} of {state.product.key} carries {text} bytes of text",
            f"the round has taken {TEXT_KEPT} bytes already; {SHORT_TEXT} are always taken",
            f"phasegate product evidence {state.product.key}  # attach the text as a link",
        )
    _check_scores(state, request)


def _check_scores(state: Round, request: VoteRequest) -> None:
    known = {c.id: c for c in state.gate.criteria}
    judged = [
        c.id
        for c in state.gate.criteria
        if c.kind == "should" and not (c.milestone or c.expression or c.attested_by)
    ]
    for name in sorted(request.scores):
        if name in judged:
            continue
        what = f"the vote scores {name}"
        if name in known and known[name].kind == "must":
            raise Rejected("no-score", what, "a must is met or not, and has no score", shown(state))
        why = (
            "it is checked, not judged by votes" if name in known else "there is no such criterion"
        )
        why += f"; approvers of {state.gate.id} score: {', '.join(judged) or 'nothing'}"
        raise Rejected("unknown-criterion", what, why, shown(state))


def admit(state: Round, request: VoteRequest, now: datetime) -> Seat:
    """Where this vote counts. Raises Forbidden (recorded) or Rejected."""
    person, what = request.approver, _may_not_vote(state, request.approver)
    if why := state.barred.get(person):
        why = f"{person} {why}, and nobody approves their own work"
        raise Forbidden("self-approval", what, why, shown(state))
    steps = state.seats()
    sits = any(person in step.people for step in steps)
    holder = state.heir_of(request.on_behalf_of) if request.on_behalf_of else None
    if holder is None and not sits:
        # Advice costs nothing; whoever reviews and also acts for somebody says so by name.
        if advice := _advice(state, person):
            return advice
        holder = _whom_else(state, person, now) or _stranger(state, person)
    holder = holder or person
    if holder != person and person not in state.stand_ins(holder, now):
        _no_mandate(state, person, holder, now)
    step = _open_step(state, steps, holder, request.step, now)
    _once(state, person, holder, step.number)
    _known_promisers(state, request, now)
    return Seat(step.number, holder, tuple(sorted(step.people[holder])))


def _may_not_vote(state: Round, person: str) -> str:
    return f"{person} may not vote on {state.gate.id} of {state.product.key}"


def _no_mandate(state: Round, person: str, holder: str, now: datetime) -> NoReturn:
    why = f"{holder} has named nobody, or somebody else, to act for them now"
    named = any(d.approver == holder and d.to == person for d in state.mandates.given)
    if named and (acting := state.mandates.delegate_of(holder, now)) not in (None, person):
        why = f"{person} is away or has delegated, so that {acting} acts for {holder} now"
    convened, table = state.convened, state.clocks.timetable
    assert convened is not None
    assert table is not None
    if person == convened.deputies.get(holder) and holder in table.respond:
        why = f"{person} is their deputy, and may from {_day(table.respond[holder])} on"
    elif person in convened.managers.get(holder, ()) and holder in table.escalate:
        why = f"{person} is their manager, and may from {_day(table.escalate[holder])} on"
    raise Forbidden(
        "no-mandate",
        f"{person} may not vote for {holder} on {state.gate.id} of {state.product.key}",
        why,
        f"phasegate gate delegate {state.product.key}/{state.gate.id} {person} --as {holder}",
    )


def _day(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M} UTC"


def _whom_else(state: Round, person: str, now: datetime) -> str | None:
    """The one for whom somebody without a seat acts; asked back where there are several."""
    able = state.acts_for(person, now)
    if not able:
        return None
    step = state.verdict(now).step
    counted = [vote for vote in state.ballots.counted() if vote.step == step]
    answered = {vote.holder for vote in counted if vote.approver != person}
    holders = tuple(holder for holder in able if holder not in answered) or able
    if len(holders) > 1:
        raise Rejected(
            "for-whom",
            f"{person} acts for several people on {state.gate.id} of {state.product.key}",
            f"they are {', '.join(holders)}; a vote fills one seat",
            f"phasegate gate vote {state.product.key}/{state.gate.id} go --as {person} "
            f"--for {holders[0]}",
        )
    return holders[0]


def _advice(state: Round, person: str) -> Seat | None:
    groups = tuple(group for group, people in state.reviewers().items() if person in people)
    return Seat(ADVICE, person, groups) if groups else None


def _stranger(state: Round, person: str) -> NoReturn:
    groups = sorted({group for r in state.gate.requires for group in r.groups})
    why = f"{person} sits in none of its groups ({', '.join(groups)}) and acts for nobody there"
    for given in state.reassigned:
        if given.approver == person:
            why = f"{given.by} gave {person}'s seat to {given.to}: {given.reason}"
    raise Forbidden(
        "stranger",
        _may_not_vote(state, person),
        why,
        f"phasegate directory show {state.product.directory}",
    )


def _open_step(
    state: Round, steps: tuple[Step, ...], holder: str, wanted: int | None, now: datetime
) -> Step:
    """The latest step up to the open one in which the holder sits, or the one asked for."""
    seats = [step for step in steps if holder in step.people]
    if not seats:
        _stranger(state, holder)
    open_step = state.verdict(now).step
    here = [step for step in seats if step.number <= open_step]
    if not here:
        raise Rejected(
            "later-step",
            f"{holder} votes in step {seats[0].number} of {state.gate.id}",
            f"step {open_step} is still open",
            shown(state),
        )
    if wanted is None:
        return here[-1]
    for step in here:
        if step.number == wanted:
            return step
    raise Rejected(
        "no-seat",
        f"{holder} has no vote in step {wanted} of {state.gate.id}",
        f"{holder} votes in step {', '.join(str(step.number) for step in here)}",
        shown(state),
    )


def _once(state: Round, person: str, holder: str, step: int) -> None:
    """Raise Rejected where this would be a second say of one person, or of one seat."""
    here = [vote for vote in state.ballots.counted() if vote.step == step]
    for vote in here:
        if vote.approver == person and vote.holder != holder:
            whose = "their own" if vote.holder == person else f"{vote.holder}'s"
            raise Rejected(
                "double-vote",
                f"{person} cannot vote for {holder} on {state.gate.id} of {state.product.key}",
                f"{person} has given {whose} vote in step {step}, and nobody counts twice",
                f"phasegate gate withdraw {state.product.key}/{state.gate.id} --as {person}",
            )
        if vote.holder == holder != person != vote.approver:
            by = "in person" if vote.approver == holder else f"through {vote.approver}"
            who = holder if vote.approver == holder else f"{holder} or {vote.approver}"
            raise Rejected(
                "voted-already",
                f"{person} cannot vote for {holder} on {state.gate.id} of {state.product.key}",
                f"{holder} has voted {by}, and only {who} changes that",
                shown(state),
            )


def _known_promisers(state: Round, request: VoteRequest, now: datetime) -> None:
    """A promise needs somebody whom the round knows, since nobody else would hear of it, and time
    to be kept in."""
    known = {person for people in state.members().values() for person in people}
    known |= {request.approver, state.product.owner, *state.product.definition.get("team", ())}
    for promise in request.conditions:
        if promise.due and promise.due <= now:
            raise Rejected(
                "in-the-past",
                f"a condition of {state.gate.id} cannot be due on {_day(promise.due)}",
                "that instant is past",
                shown(state),
            )
        if promise.owner and promise.owner not in known:
            raise Rejected(
                "unknown-person",
                f"{promise.owner} cannot keep a condition of {state.gate.id}",
                "a condition belongs to the product's owner or team, or to somebody at the gate",
                f"phasegate directory show {state.product.directory}",
            )


def vote_of(
    state: Round,
    request: VoteRequest,
    seat: Seat,
    now: datetime,
    channel: str,
    signed: Signed | None = None,
) -> CastVote:
    """The vote as the record keeps it."""
    return CastVote(
        approver=request.approver,
        on_behalf_of=seat.holder if seat.holder != request.approver else None,
        vote=request.vote,
        comment=request.comment,
        conditions=request.conditions,
        scores=request.scores,
        at=now,
        step=seat.step,
        groups=seat.groups,
        revision=state.revision,
        channel=channel,
        assurance="signed" if signed else "claimed",
        key=signed.key if signed else "",
        mandates=state.signed_mandates(request.approver, seat.holder, now),
    )
