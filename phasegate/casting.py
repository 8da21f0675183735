"""What a round keeps of every vote it took and of every attempt it refused."""

from __future__ import annotations

from collections.abc import Iterable

from phasegate.base import Instant, Wire
from phasegate.requests import Promise
from phasegate.votes import Vote


def text_bytes(comment: str, conditions: Iterable[Promise]) -> int:
    """The size of what somebody wrote with a vote, in bytes of UTF-8."""
    return len(comment.encode()) + sum(len(promise.text.encode()) for promise in conditions)


class CastVote(Wire):
    """A vote as the record keeps it."""

    approver: str
    vote: Vote
    comment: str = ""
    conditions: list[Promise] = []
    at: Instant
    step: int
    revision: str
    state: str = "standing"
    channel: str
    on_behalf_of: str | None = None
    assurance: str = "claimed"

    @property
    def length(self) -> int:
        """How much text came with it, in bytes."""
        return text_bytes(self.comment, self.conditions)


class Refused(Wire):
    actor: str
    what: str
    why: str
    at: Instant
    channel: str
