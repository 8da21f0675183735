"""What the engine shows of itself. Scripts rely on these names: add, don't rename."""

from __future__ import annotations

from datetime import timedelta

from pydantic import Field

from phasegate.adjusting import Adjustments
from phasegate.base import Figure, Instant, Wire
from phasegate.forecast_view import Forecast
from phasegate.sunset import Maturity
from phasegate.sunset_views import PastSunsetView


class RequirementView(Wire):
    group: str
    need: int
    have: int
    step: int
    veto: bool
    state: str = Field(description="met, waiting, later or cannot-pass")
    why: str
    candidates: list[str] = Field([], description="who could still give what is missing")


class VoteView(Wire):
    approver: str
    on_behalf_of: str | None
    vote: str
    comment: str
    conditions: list[str]
    at: Instant
    assurance: str = Field(description="claimed, or signed: how it is known who voted")
    revision: str
    state: str
    channel: str = Field("", description="update, or signal for a vote sent by hand")
    step: int = 1
    advice: bool = Field(False, description="from a reviewer: it counts for nothing")
    scores: dict[str, int] = {}
    why: str = Field("", description="why it was withdrawn or voided")
    key: str = Field("", description="the fingerprint of the key that signed it")


class PendingView(Wire):
    approver: str
    group: str
    since: Instant
    respond_due: Instant
    acting: list[str] = Field([], description="who may vote for them now")


class CriterionView(Wire):
    id: str
    kind: str
    state: str
    why: str
    score: float | None = Field(None, description="of a should: 0 to 10")
    text: str = ""
    milestone: str | None = None
    expression: str | None = None
    attested_by: str | None = None
    weight: int = 1
    waits_for: list[str] = Field([], description="who may attest it, while nobody has")


class WorkView(Wire):
    """Work that an approver asks of the owner; the clocks stand still meanwhile."""

    actor: str
    what: str
    at: Instant


class OverrideView(Wire):
    """Who decided in the place of the approvers, why, and what the votes came to."""

    actor: str
    reason: str
    at: Instant
    votes_said: str


class DelegationView(Wire):
    """Who acts for whom in this round; by `reassigned` for good."""

    approver: str
    to: str
    start: Instant
    end: Instant | None
    by: str
    reason: str
    reassigned: bool = False


class ConditionView(Wire):
    id: str
    text: str
    owner: str
    due: Instant | None
    state: str = Field(description="open, closed or waived")
    overdue: bool = Field(False, description="it was still open on its day")
    gate: str = Field("", description="the gate that decided on it")
    closed_by: str = Field("", description="who closed or waived it")
    closed_at: Instant | None = None
    note: str = Field("", description="what shows that it is kept, or why it need not be")
    link: str = ""
    digest: str = ""


class RefusalView(Wire):
    actor: str
    what: str
    why: str
    at: Instant
    channel: str
    code: str = ""
    hint: str = Field("", description="what to do instead")


class GateView(Wire):
    schema_version: int = 1
    product: str
    gate: str
    title: str = ""
    question: str = ""
    tier: int | None = None
    round: int
    revision: str
    status: str
    outcome: str | None
    why: str = ""
    cannot_pass: bool
    step: int
    opened_at: Instant | None
    decided_at: Instant | None
    workflow_id: str
    ui_url: str = ""
    evidence: list[dict[str, str]] = Field([], description="title, link, digest and by of each")
    figures: dict[str, Figure] = Field({}, description="the latest word of each figure")
    reviewers: dict[str, list[str]] = Field({}, description="groups asked for advice")
    requirements: list[RequirementView]
    votes: list[VoteView]
    pending: list[PendingView]
    criteria: list[CriterionView]
    conditions: list[ConditionView]
    open_conditions: list[ConditionView] = Field(
        [], description="of earlier gates; no Go over them"
    )
    refused: list[RefusalView]
    refused_more: int = Field(0, description="refusals beyond the 50 that are kept")
    score: float | None = Field(None, description="percent that the should-criteria score")
    threshold: int | None = None
    work: WorkView | None = None
    override: OverrideView | None = None
    delegations: list[DelegationView] = []
    notes: list[str] = Field([], description="what could not be found out when it was convened")
    respond_due: Instant | None
    resolve_due: Instant | None
    stopped_since: Instant | None = Field(None, description="the clocks stand still since then")
    policy_digest: str = Field("", description="of the policy that the round sits under")
    assurance: str = Field("claimed", description="what a vote here needs: claimed or signed")


class MilestoneView(Wire):
    id: str
    title: str
    phase: str
    state: str
    due: Instant | None
    planned: Instant | None = Field(None, description="the first date it had")
    met_at: Instant | None = None
    expected: Instant | None = Field(
        None, description="its due date, or that of what it waits for if that is later"
    )
    waits_for: str = Field("", description="a step of another product, as KEY/ID")
    why: str = ""


class AheadView(Wire):
    """A milestone that the definition dates, of a phase that is still to come."""

    id: str
    title: str
    phase: str
    due: Instant | None
    planned: Instant | None = None
    waits_for: str = Field("", description="a step of another product, as KEY/ID")


class GateSummaryView(Wire):
    """One closed round."""

    gate: str
    round: int
    outcome: str
    decided_at: Instant
    votes: dict[str, str]
    why: str = ""
    submitter: str = Field("", description="who brought it to the gate")
    opened_at: Instant | None = None


class ProductView(Wire):
    schema_version: int = 1
    key: str
    name: str
    owner: str
    tier: int = 3
    maturity: Maturity = "ga"
    status: str
    phase: str | None
    gate: str | None
    round: int | None
    policy: str
    policy_digest: str
    directory: str = ""
    definition_digest: str = ""
    milestones: list[MilestoneView]
    conditions: list[ConditionView]
    gates: list[GateSummaryView] = []
    next_due: Instant | None
    waiting_for: str = Field("", description="what the product waits for, in a sentence")
    ends_with: str = Field("", description="the gate that ends the phase it is in")
    ends_within: timedelta | None = Field(
        None, description="about how long that gate takes, by its resolve clock"
    )
    invested_from: str | None = Field(
        None, description="the phase in the market whose review led back to this one"
    )
    revision: str = Field("", description="what voters would see now; their votes name it")
    ahead: list[AheadView] = Field([], description="milestones of the phases still to come")
    gate_since: Instant | None = Field(None, description="when the open round was begun")
    review_due: Instant | None = None
    held_since: Instant | None = None
    entered_at: Instant | None = Field(None, description="when it entered its phase")
    started_at: Instant | None = None
    ended_at: Instant | None = None
    workflow_id: str
    ui_url: str = ""
    adjustments: Adjustments | None = Field(
        None, description="what is planned for its next sunset, where anything is"
    )
    sunsets: int = Field(0, description="how many sunsets were begun")
    sunset_state: str = Field(
        "", description="of the one under way: sunsetting, waiting-for-plan or aborting"
    )
    past_sunsets: list[PastSunsetView] = Field([], description="those that were aborted")
    legal_holds: list[str] = Field([], description="the matters for which nothing is deleted")
    beyond_return: bool = Field(False, description="the point of no return is passed")
    forecast: Forecast | None = Field(None, description="reckoned by whoever shows it")
