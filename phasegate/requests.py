"""What people ask of a running lifecycle: the arguments of its Updates and Signals."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    Field,
    StringConstraints,
    model_validator,
)

from phasegate.adjusting import Adjustments
from phasegate.base import Due, Figure, FigureName, PersonId, Slug, Text, Wire
from phasegate.product import Product
from phasegate.signing import Signable
from phasegate.votes import Vote

RequestId = Annotated[str, StringConstraints(min_length=1, max_length=64)]
"""Made once per command and reused for its retries only: a second vote is a second request."""


def _plannable(due: datetime) -> datetime:
    """Keep the calendar's edges out: arithmetic there fails, and would fail in a workflow."""
    if due.year < 1970:
        raise ValueError("is before 1970")
    return due


PlannedDue = Annotated[Due, AfterValidator(_plannable)]
"""A due date that somebody asks for."""


class Promise(Wire):
    """A condition that comes with a conditional go."""

    text: Text = Field(min_length=1, max_length=500)
    owner: PersonId | None = Field(None, description="who keeps it; the product's owner if unset")
    due: PlannedDue | None = None


class Asked(Wire):
    """A request of one person. A retry is the same person's, with the same id."""

    actor: PersonId
    request_id: RequestId

    @property
    def key(self) -> str:
        return f"{self.actor}/{self.request_id}"


class VoteRequest(Signable):
    """One person's vote on the open round of a gate.

    What a round takes of comments and conditions is bounded in all, too (phasegate.admission).
    """

    approver: PersonId
    vote: Vote
    comment: Text = Field("", max_length=2000)
    conditions: list[Promise] = Field([], max_length=5)
    revision: str | None = Field(None, max_length=80, description="the evidence the voter saw")
    on_behalf_of: PersonId | None = Field(None, description="whose seat it fills, if not one's own")
    scores: dict[Slug, Annotated[int, Field(ge=0, le=10)]] = Field(
        {}, max_length=50, description="0 to 10 for should-criteria that approvers judge"
    )
    step: int | None = Field(None, ge=1, le=9, description="an earlier step, to change that vote")
    request_id: RequestId

    @property
    def key(self) -> str:
        """See Asked: a retry is the same person's, with the same id."""
        return f"{self.approver}/{self.request_id}"

    @model_validator(mode="after")
    def _conditions_fit_the_vote(self) -> VoteRequest:
        if self.vote is Vote.conditional_go and not self.conditions:
            raise ValueError("a conditional-go needs at least one condition")
        if self.conditions and self.vote is not Vote.conditional_go:
            raise ValueError(f"conditions go with conditional-go, not with {self.vote}")
        return self


class OwnerRequest(Asked):
    """Something only the product's owner may ask: submit, hold, resume, cancel."""

    reason: Text = ""


class SubmitRequest(OwnerRequest):
    """Open the phase's gate now; after a recycle or a hold this is how it comes back."""

    gate: Slug | None = None


class EvidenceRequest(OwnerRequest):
    """Attach evidence; voters see it, and the revision they vote on is a digest of all of it."""

    title: Text = Field(min_length=1)
    link: str = Field("", max_length=2000)
    digest: str = Field("", max_length=80, description="sha256 of a file, as sha256:…")
    figures: dict[FigureName, Figure] = Field(
        {}, max_length=50, description="what it says in numbers; criteria judge them"
    )


class MilestoneRequest(Asked):
    """Report a milestone met, waive it, or plan it anew."""

    milestone: Slug
    action: Annotated[str, StringConstraints(pattern=r"^(report|waive|replan)$")] = "report"
    due: PlannedDue | None = None
    note: Text = ""

    @model_validator(mode="after")
    def _replan_has_a_date(self) -> MilestoneRequest:
        if (self.action == "replan") != (self.due is not None):
            raise ValueError("replan needs a due date, and only replan takes one")
        return self


class ConditionRequest(Asked):
    """Close a condition of an earlier Conditional Go, saying what shows that it is kept.

    Or waive it, saying why it need not be kept.
    """

    condition: str = Field(max_length=80)
    action: Literal["close", "waive"] = "close"
    note: Text = Field(min_length=1)
    link: str = Field("", max_length=2000, description="where what shows it can be read")
    digest: str = Field("", max_length=80, description="sha256 of a file that shows it")


class UpdateProductRequest(Asked):
    """Replace the product's definition by this one; key, policy and owner stay."""

    product: Product
    note: Text = ""


class HandoverRequest(Asked):
    """Give the product another owner."""

    to: PersonId
    reason: Text = Field(min_length=1)


class ReviveRequest(Asked):
    """Bring a killed product back to the phase it was killed in."""

    reason: Text = Field(min_length=1)


class ConfirmRequest(Asked):
    """Confirm a manual sunset task, saying what shows that it was done.

    Where a task waits because nobody knows whether its act was done, say what you found out: an
    outcome `not-done` lets it be tried once more.
    """

    task: Slug
    note: Text = Field(min_length=1)
    outcome: Literal["done", "not-done"] = "done"
    proof: dict[FigureName, Figure] = Field({}, max_length=20)


class PlanSunsetRequest(Asked):
    """Adjust the policy's sunset for this product, before it starts or while it runs."""

    adjustments: Adjustments


class AbortRequest(Asked):
    """Bring the product back into the market, and undo what its sunset did."""

    reason: Text = Field(min_length=1, max_length=500)


class LegalHoldRequest(Asked):
    """Place a legal hold, or lift it: deletions wait while one is placed."""

    matter: Slug = Field(description="what the hold is known by")
    reason: Text = Field(min_length=1, max_length=500)
    lift: bool = False


class CustomersRequest(Asked):
    """The customers of the product are not what they were: look at them again."""

    text: Text = Field("", max_length=500, description="what happened to them, for the record")
    digest: str = Field("", max_length=80, description="of the file that was imported")


class Receipt(Wire):
    """What the engine answers when it has taken a request."""

    workflow_id: str
    text: str
    status: str = ""
    outcome: str | None = None
    round: int | None = None
    revision: str | None = None


def remember(handled: dict[str, Receipt], key: str, receipt: Receipt, *, kept: int) -> None:
    """Keep the answer for retries of the same command; bounded, the oldest go first."""
    handled[key] = receipt
    while len(handled) > kept:
        del handled[next(iter(handled))]
