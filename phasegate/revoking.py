"""What becomes of what was signed, once the key that signed it is known to be somebody else's."""

from __future__ import annotations

from datetime import datetime

from phasegate.casting import CastVote
from phasegate.review import Round

WHY = "the key that signed it is revoked"


def void_revoked(state: Round, now: datetime) -> list[CastVote]:
    """Take out of a round what was signed with keys that are revoked now; the votes that were.

    A no is void, too: nobody knows whose it was. A delegation ends, and with it what the delegate
    voted. A seat that was given away stays where it is: others may have voted since, and who may
    reassign can give it back.
    """
    revoked = state.convened.revoked if state.convened else ()
    if not revoked or state.closed:
        return []
    named = [d for d in state.mandates.given if d.key in revoked]
    pairs = [(d.approver, d.to) for d in named]
    void = [
        vote
        for vote in state.ballots.standing()
        if vote.key in revoked or (vote.holder, vote.approver) in pairs
    ]
    state.ballots.void(void, WHY)
    for said in state.attestations:
        said.voided = said.voided or said.key in revoked
    for given in named:
        state.mandates.take_back(given.approver)
    state.ask_again(void, now)
    return void
