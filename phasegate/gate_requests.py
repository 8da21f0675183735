"""What people ask of an open round beside voting: the arguments of its other Updates."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from phasegate.base import PersonId, Slug, Text
from phasegate.requests import Asked, PlannedDue
from phasegate.signing import Signable
from phasegate.votes import Outcome


class Spoken(Asked, Signable):
    """What somebody asks of a round in their own name, and may have to sign."""


class WithdrawRequest(Spoken):
    """Take a vote back; the record keeps it, and the gate waits for this person again."""

    on_behalf_of: PersonId | None = None
    reason: Text = ""


class DelegateRequest(Spoken):
    """Let somebody act for the actor in this round, from `start` to `end` if these are given.

    `to` nobody takes back what the actor delegated.
    """

    to: PersonId | None = None
    start: PlannedDue | None = None
    end: PlannedDue | None = None
    reason: Text = ""

    @model_validator(mode="after")
    def _forwards(self) -> DelegateRequest:
        if self.to == self.actor:
            raise ValueError("nobody delegates to themselves")
        if self.to is None and (self.start or self.end):
            raise ValueError("what is taken back has neither a start nor an end")
        if self.start and self.end and self.end <= self.start:
            raise ValueError("ends before it starts")
        return self


class ReassignRequest(Spoken):
    """Give one person's seat in this round to another, for good."""

    approver: PersonId = Field(description="who has the seat now")
    to: PersonId
    reason: Text = Field(min_length=1)

    @model_validator(mode="after")
    def _two_people(self) -> ReassignRequest:
        if self.to == self.approver:
            raise ValueError(f"{self.to} has the seat already")
        return self


class AttestRequest(Spoken):
    """Say whether a criterion is met, and how well, as a member of the group that attests it."""

    criterion: Slug
    state: Literal["met", "unmet"]
    score: int | None = Field(None, ge=0, le=10, description="of a should: 0 to 10")
    note: Text = Field(min_length=1, description="what shows it")
    revision: str | None = Field(None, max_length=80, description="the evidence the attester saw")


class NeedsWorkRequest(Spoken):
    """Ask the owner for work. The clocks stop until the owner submits the gate again."""

    what: Text = Field(min_length=1, description="what is missing")


class ExtendRequest(Spoken):
    """Give a round more time, until `resolve` and perhaps `respond`."""

    resolve: PlannedDue
    respond: PlannedDue | None = None
    reason: Text = Field(min_length=1)

    @model_validator(mode="after")
    def _in_order(self) -> ExtendRequest:
        if self.respond and self.respond > self.resolve:
            raise ValueError("respond would end after resolve")
        return self


class OverrideRequest(Spoken):
    """Decide in the place of the approvers. Loud: it stands in the record, and in the outcome."""

    outcome: Outcome
    reason: Text = Field(min_length=1)
    gate: Slug | None = None


class LookAgainRequest(Asked):
    """The directory has a new publication: read it again."""

    directory_digest: str = Field("", max_length=80)
