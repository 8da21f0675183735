"""Which votes a round admits: in time, of the evidence it has now, and by whom."""

from __future__ import annotations

from datetime import datetime

from phasegate.casting import text_bytes
from phasegate.errors import Forbidden, Rejected
from phasegate.requests import VoteRequest
from phasegate.review import SHORT_TEXT, TEXT_KEPT, Round


def check_vote(state: Round, request: VoteRequest) -> None:
    """Raise Rejected for a vote that is late, stale or ill-timed. Says nothing of rights."""
    if state.closed:
        word = state.outcome or "abandoned"
        raise Rejected(
            "gate-decided",
            f"{state.gate.id} of {state.product.key} takes no more votes",
            f"round {state.round} is decided: {word}",
            f"phasegate gate show {state.product.key}/{state.gate.id}",
        )
    if state.paused_at:
        raise Rejected(
            "gate-on-hold",
            f"{state.gate.id} of {state.product.key} takes no votes now",
            "the product is on hold",
            f"phasegate product show {state.product.key}  # its owner can resume it",
        )
    if request.revision and request.revision != state.revision:
        raise Rejected(
            "stale-revision",
            f"the vote names evidence {request.revision}",
            f"the evidence is now {state.revision}",
            f"phasegate gate show {state.product.key}/{state.gate.id}",
        )
    text = text_bytes(request.comment, request.conditions)
    if text > SHORT_TEXT and text + sum(v.length for v in state.standing()) > TEXT_KEPT:
        raise Rejected(
            "text-too-long",
            f"the vote on {state.gate.id} of {state.product.key} carries {text} bytes of text",
            f"the round has taken {TEXT_KEPT} bytes already; {SHORT_TEXT} are always taken",
            f"phasegate product evidence {state.product.key}  # attach the text as a link",
        )


def authorize(state: Round, request: VoteRequest, now: datetime) -> int:
    """The step this person's vote counts in. Raises Forbidden (recorded) or Rejected."""
    person = request.approver
    if person in (state.product.owner, state.submitter):
        role = "owns the product" if person == state.product.owner else "submitted the gate"
        raise Forbidden(
            "self-approval",
            f"{person} may not vote on {state.gate.id} of {state.product.key}",
            f"{person} {role}, and nobody approves their own work",
            f"phasegate gate show {state.product.key}/{state.gate.id}",
        )
    steps = state.steps()
    seats = [step for step in steps if person in step.people]
    if not seats:
        groups = sorted({group for r in state.gate.requires for group in r.groups})
        raise Forbidden(
            "stranger",
            f"{person} may not vote on {state.gate.id} of {state.product.key}",
            f"{person} sits in none of its groups ({', '.join(groups)})",
            f"phasegate directory show {state.product.directory}",
        )
    open_step = state.verdict(now).step
    here = [step for step in seats if step.number <= open_step]
    if not here:
        raise Rejected(
            "later-step",
            f"{person} votes in step {seats[0].number} of {state.gate.id}",
            f"step {open_step} is still open",
            f"phasegate gate show {state.product.key}/{state.gate.id}",
        )
    return here[-1].number
