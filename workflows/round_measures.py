"""What a round counts of its votes and its end."""

from __future__ import annotations

from datetime import datetime

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from phasegate.admission import Seat
    from phasegate.casting import ADVICE, CastVote
    from phasegate.measures import DECISIONS, ROUND_DURATION, VOTE_LATENCY, VOTES
    from phasegate.review import Round
    from workflows.measuring import count, took


def measure_vote(state: Round, vote: CastVote, seat: Seat, now: datetime) -> None:
    """How long the vote took whom it is for, before it is cast. Advice is nobody's duty."""
    asked = state.asked_since(seat.holder) or state.opened_at
    if seat.step == ADVICE or asked is None:
        return
    table = state.clocks.timetable
    due = table.respond.get(seat.holder) if table else None
    in_time = "yes" if due is None or now <= due else "no"
    count(VOTES, vote=vote.vote.value, in_time=in_time)
    took(VOTE_LATENCY, now - asked, vote=vote.vote.value)


def measure_end(state: Round, outcome: str) -> None:
    """A round has ended."""
    count(DECISIONS, outcome=outcome)
    if state.opened_at and state.decided_at:
        took(ROUND_DURATION, state.decided_at - state.opened_at, outcome=outcome)
