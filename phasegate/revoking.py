"""What becomes of what was signed, once the key that signed it is known to be somebody else's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from phasegate.casting import Attestation, CastVote
from phasegate.review import Round
from phasegate.standing_in import Delegation

WHY = "the key that signed it is revoked"


@dataclass(frozen=True)
class Undone:
    """What a lost key takes with it. `people` are those whose keys they were."""

    people: Sequence[str] = ()
    votes: Sequence[CastVote] = ()
    attested: Sequence[Attestation] = ()
    delegations: Sequence[Delegation] = ()

    def __bool__(self) -> bool:
        return bool(self.votes or self.attested or self.delegations)

    @property
    def again(self) -> list[str]:
        """Those whose votes are asked again."""
        return list(dict.fromkeys(vote.holder for vote in self.votes))


def void_revoked(state: Round, now: datetime) -> Undone:
    """Take out of a round what was signed with keys that are revoked now.

    A no is void, too: nobody knows whose it was. A delegation ends, and with it what was voted by
    it, be it by whom the delegate handed on to, or before another delegation took its place. A seat
    that was given away stays where it is: others may have voted since, and who may reassign can
    give it back.
    """
    revoked = state.convened.revoked if state.convened else ()
    if not revoked or state.closed:
        return Undone()
    named = [d for d in state.mandates.given if d.key in revoked]
    void = [
        vote
        for vote in state.ballots.standing()
        if vote.key in revoked or any(key in revoked for key in vote.mandates.values())
    ]
    attested = [said for said in state.attestations if said.key in revoked and not said.voided]
    state.ballots.void(void, WHY)
    for said in attested:
        said.voided = True
    for given in named:
        state.mandates.take_back(given.approver)
    state.ask_again(void, now)
    people = [vote.approver for vote in void if vote.key in revoked]
    people += [said.actor for said in attested] + [given.approver for given in named]
    people += [who for vote in void for who, key in vote.mandates.items() if key in revoked]
    return Undone(list(dict.fromkeys(people)), void, attested, named)
