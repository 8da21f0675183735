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
    """What a lost key takes with it."""

    votes: Sequence[CastVote] = ()
    attested: Sequence[Attestation] = ()
    delegations: Sequence[Delegation] = ()

    def __bool__(self) -> bool:
        return bool(self.votes or self.attested or self.delegations)

    @property
    def people(self) -> list[str]:
        """Whose keys they were: a delegate's own key is not the one that is lost."""
        pairs = [(d.approver, d.to) for d in self.delegations]
        own = [v.approver for v in self.votes if (v.holder, v.approver) not in pairs]
        named = [approver for approver, _ in pairs]
        return list(dict.fromkeys([*own, *(a.actor for a in self.attested), *named]))

    @property
    def again(self) -> list[str]:
        """Those whose votes are asked again."""
        return list(dict.fromkeys(vote.holder for vote in self.votes))


def void_revoked(state: Round, now: datetime) -> Undone:
    """Take out of a round what was signed with keys that are revoked now.

    A no is void, too: nobody knows whose it was. A delegation ends, and with it what the delegate
    voted. A seat that was given away stays where it is: others may have voted since, and who may
    reassign can give it back.
    """
    revoked = state.convened.revoked if state.convened else ()
    if not revoked or state.closed:
        return Undone()
    named = [d for d in state.mandates.given if d.key in revoked]
    pairs = [(d.approver, d.to) for d in named]
    void = [
        vote
        for vote in state.ballots.standing()
        if vote.key in revoked or (vote.holder, vote.approver) in pairs
    ]
    attested = [said for said in state.attestations if said.key in revoked and not said.voided]
    state.ballots.void(void, WHY)
    for said in attested:
        said.voided = True
    for given in named:
        state.mandates.take_back(given.approver)
    state.ask_again(void, now)
    return Undone(void, attested, named)
