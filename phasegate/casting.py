"""What a round keeps of every vote it took and of every attempt it refused."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from phasegate.base import Instant, Wire
from phasegate.requests import Promise
from phasegate.votes import Vote

VOTES_KEPT = 500
CHANGED_TEXT_KEPT = 100_000
"""Standing votes are always kept; of the others, so many votes and bytes of comments and
conditions. The record in the ledger has all."""

VoteState = Literal["standing", "changed", "withdrawn", "voided"]

ADVICE = 0
"""The step of a vote that counts for nothing."""


def text_bytes(comment: str, conditions: Iterable[Promise]) -> int:
    """The size of what somebody wrote with a vote, in bytes of UTF-8."""
    return len(comment.encode()) + sum(len(promise.text.encode()) for promise in conditions)


class CastVote(Wire):
    """A vote as the record keeps it. `groups` are those that gave the seat when it was cast."""

    approver: str
    vote: Vote
    comment: str = ""
    conditions: list[Promise] = []
    scores: dict[str, int] = {}
    at: Instant
    step: int
    groups: tuple[str, ...] = ()
    revision: str
    state: VoteState = "standing"
    channel: str
    on_behalf_of: str | None = None
    assurance: str = "claimed"
    why: str = ""
    key: str = ""
    """The fingerprint of the key that signed it; the ledger has the signature."""
    mandates: dict[str, str] = {}
    """Who signed the delegations by which it fills another's seat → the key's fingerprint."""

    @property
    def holder(self) -> str:
        """Whose seat it fills."""
        return self.on_behalf_of or self.approver

    @property
    def length(self) -> int:
        """How much text it carries, in bytes."""
        return text_bytes(self.comment, self.conditions) + len(self.why.encode())


class Refused(Wire):
    """An attempt that was refused, as the record keeps it."""

    actor: str
    what: str
    why: str
    hint: str = ""
    code: str = ""
    at: Instant
    channel: str


class Attestation(Wire):
    """Somebody of the group that attests a criterion says whether it is met."""

    criterion: str
    actor: str
    state: Literal["met", "unmet"]
    score: int | None = None
    note: str
    at: Instant
    revision: str
    voided: bool = False
    key: str = ""
    """As of a vote: the fingerprint of the key that signed it."""


class Ballots(Wire):
    """Every vote of a round, in the order it came. One standing vote per seat holder and step."""

    votes: list[CastVote] = []

    def standing(self) -> list[CastVote]:
        """The votes that count, and advice."""
        return [vote for vote in self.votes if vote.state == "standing"]

    def counted(self) -> list[CastVote]:
        return [vote for vote in self.standing() if vote.step != ADVICE]

    def cast(self, vote: CastVote) -> None:
        """Take it; an earlier one for the same seat is marked changed."""
        for earlier in self.standing():
            if earlier.holder == vote.holder and earlier.step == vote.step:
                earlier.state = "changed"
        self.votes.append(vote)
        self._forget_oldest_changed()

    def void(self, votes: Iterable[CastVote], why: str) -> None:
        for vote in votes:
            vote.state, vote.why = "voided", why

    def withdraw(self, vote: CastVote, why: str) -> None:
        vote.state, vote.why = "withdrawn", why
        self._forget_oldest_changed()

    def _forget_oldest_changed(self) -> None:
        """Bound the state: somebody who keeps changing their mind must not outgrow a payload."""
        changed = [vote for vote in self.votes if vote.state != "standing"]
        text = sum(vote.length for vote in changed)
        for vote in changed:
            if len(self.votes) <= VOTES_KEPT and text <= CHANGED_TEXT_KEPT:
                break
            self.votes.remove(vote)
            text -= vote.length

    def last_of(self, actor: str, on_behalf_of: str | None) -> CastVote | None:
        """The latest standing vote that this person cast, or that was cast for them."""
        for vote in reversed(self.standing()):
            mine = actor in (vote.approver, vote.holder)
            if mine and (on_behalf_of is None or vote.holder == on_behalf_of):
                return vote
        return None
