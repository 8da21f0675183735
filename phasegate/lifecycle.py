"""The state of one product's lifecycle, and what it may do next.

The aggregate that ProductLifecycle makes durable: pydantic, additive, carried from run to run.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from phasegate.adjusting import Adjustments
from phasegate.base import Instant, Wire
from phasegate.errors import Forbidden, Rejected
from phasegate.events import Outbox
from phasegate.evidence import Evidence, figures_of
from phasegate.facts import ProductFacts, revision_of
from phasegate.hands import BROUGHT
from phasegate.legal_hold import LegalHold
from phasegate.migration_ports import LastMigration
from phasegate.milestones import Milestone
from phasegate.ports import PhaseBrief
from phasegate.product import Product
from phasegate.promises import Condition
from phasegate.requests import Receipt, remember
from phasegate.room import fitting
from phasegate.sittings import Sittings, Verdict
from phasegate.state_version import up_to
from phasegate.sunset_report import SunsetReport
from phasegate.sunset_views import PastSunsetView
from phasegate.views import ConditionView

HANDLED_KEPT = 200
"""Request ids remembered, so that a retried command is answered and not done twice."""


class Status(StrEnum):
    active = "active"
    on_hold = "on-hold"
    sunsetting = "sunsetting"
    retired = "retired"
    completed = "completed"
    killed = "killed"
    cancelled = "cancelled"

    @property
    def is_final(self) -> bool:
        return self in (Status.retired, Status.completed, Status.killed, Status.cancelled)


class PolicyRef(Wire):
    name: str
    version: str
    digest: str


class Revival(Wire):
    """Somebody wants a killed product back; whether they may is asked when it starts."""

    by: str
    reason: str
    key: str = Field(description="of the request, which is answered once")


class Lifecycle(Wire):
    """Everything a product carries through its years."""

    schema_version: Annotated[int, up_to(1)] = 1
    product: Product
    definition_digest: str = ""
    policy: PolicyRef
    directory: str
    outbox: Outbox
    status: Status = Status.active
    brief: PhaseBrief | None = None
    entering: bool = False
    entered_at: Instant | None = None
    started_at: Instant | None = None
    ended_at: Instant | None = None
    milestones: list[Milestone] = []
    first_dates: dict[str, Instant] = Field({}, description="PHASE/ID → date, once it was changed")
    evidence: list[Evidence] = []
    conditions: list[Condition] = []
    sittings: Sittings = Sittings()
    verdict: Verdict | None = None
    submitted_by: str | None = None
    needs_submit: bool = False
    held_since: Instant | None = None
    held_by: str = Field("", description="the gate that decided hold; empty if the owner did")
    override_signed_at: Instant | None = Field(
        None, description="of the last signed override of a stop: what was signed before is past"
    )
    invested_from: str | None = None
    revival: Revival | None = None
    review_due: Instant | None = None
    sunset_token: str = ""
    sunset: SunsetReport | None = None
    sunsets: int = Field(0, description="how many were begun")
    past_sunsets: list[PastSunsetView] = []
    adjustments: Adjustments | None = Field(
        None, description="what the owner changes in the policy's sunset, before it begins"
    )
    legal_holds: list[LegalHold] = []
    migrations: int = Field(0, description="how often it was put under another policy")
    migrated: LastMigration | None = None
    reopening: bool = Field(False, description="a migration stopped the round: convene it anew")
    refusals: int = 0
    cancelled_by: str | None = None
    cancel_reason: str = ""
    had_a_hand: dict[str, str] = Field({}, description="who owned or submitted it, and which")
    ahead_only: bool = Field(False, description="lists leave out dates of phases that are left")
    owned_here: list[str] = Field([], description="former owners, since this phase began")
    handled: dict[str, Receipt] = {}

    @property
    def key(self) -> str:
        return self.product.key

    @property
    def word(self) -> str:
        return self.status.value

    @property
    def phase_id(self) -> str | None:
        return self.brief.phase.id if self.brief else None

    @property
    def phase_shown(self) -> str | None:
        """Where people see it: the sunset is a phase to them, and a retired product has none."""
        if self.status is Status.sunsetting:
            return "sunset"
        return None if self.status is Status.retired else self.phase_id

    def here(self) -> list[Milestone]:
        """The milestones of the phase the product is in."""
        return [m for m in self.milestones if m.phase == self.phase_id]

    def milestone(self, milestone_id: str) -> Milestone:
        for milestone in self.milestones:
            if milestone.id == milestone_id:
                return milestone
        known = ", ".join(m.id for m in self.milestones) or "none yet"
        raise Rejected(
            "unknown-milestone",
            f"{self.key} has no milestone {milestone_id}",
            f"it has: {known}; those of a later phase come with that phase",
            f"phasegate milestone list {self.key}",
        )

    def take_conditions(self, found: list[ConditionView], now: datetime, gate: str = "") -> None:
        """Keep conditions that a gate decided on, each once, as far as there is room.

        The sunset makes room for those of its gates, and names no gate.
        """
        known = {condition.id for condition in self.conditions}
        new = [condition for condition in found if condition.id not in known]
        fit = fitting(new, self.open_conditions()) if gate else new
        self.conditions += [Condition.promised(condition, now, gate) for condition in fit]

    def take_sunset(self, report: SunsetReport, now: datetime) -> bool:
        """Keep how the sunset stands; False unless it comes from the one that was started.

        What it has said last counts, and its end is final.
        """
        if not self.sunset_token or report.token != self.sunset_token:
            return False
        if self.sunset and (self.sunset.ended or report.overtaken_by(self.sunset)):
            return True  # it was on its way for longer than one that was sent after it
        self.sunset = report
        self.take_conditions(report.conditions, now)
        self.had_a_hand = report.had_a_hand | self.had_a_hand
        return True

    def open_conditions(self) -> list[Condition]:
        return [condition for condition in self.conditions if condition.state == "open"]

    # -- what may happen next -------------------------------------------------------------------

    def milestones_settled(self) -> bool:
        return all(milestone.state.settled for milestone in self.here())

    def may_open_gate(self) -> bool:
        """The phase's gate opens when the owner submits, or by itself once milestones are met."""
        assert self.brief is not None
        gate = self.brief.phase.gate
        if self.status is not Status.active:
            return False
        if gate is None:
            ready = self.milestones_settled() and not self.needs_submit
            return ready and self.brief.phase.review is None
        if self.submitted_by is not None:
            return True
        return gate.opens == "milestones" and not self.needs_submit and self.milestones_settled()

    def review_is_due(self, now: datetime) -> bool:
        return (
            self.status is Status.active and self.review_due is not None and now >= self.review_due
        )

    def next_wake(self, now: datetime) -> datetime | None:
        """The next instant at which a clock of the product has something to do."""
        if self.status.is_final or self.status is Status.on_hold:
            return None
        turns = [turn for c in self.conditions if (turn := c.next_turn())]
        if self.status is Status.active:
            turns += [turn for m in self.here() if (turn := m.next_turn())]
            if self.sittings.open is None and self.review_due:
                turns.append(self.review_due)
        return min(turns, default=None)

    def require_owner(self, actor: str, what: str) -> None:
        if actor != self.product.owner:
            raise Forbidden(
                "not-owner",
                f"{actor} may not {what} {self.key}",
                f"only its owner, {self.product.owner}, may",
                f"phasegate product show {self.key}",
            )

    def require_alive(self) -> None:
        if self.status.is_final:
            raise Rejected(
                "product-ended",
                f"{self.key} takes no more requests",
                f"it is {self.status}",
                f"phasegate product show {self.key}",
            )

    def resume(self, now: datetime) -> None:
        """Go on after a hold; open dates move by as long as it stood still."""
        assert self.held_since is not None
        shift, self.held_since, self.held_by = now - self.held_since, None, ""
        self.status = Status.active
        for milestone in self.here():
            milestone.shift(shift)
        for condition in self.conditions:
            condition.shift(shift)
        if self.review_due:
            self.review_due += shift

    def remember(self, key: str, receipt: Receipt) -> None:
        remember(self.handled, key, receipt, kept=HANDLED_KEPT)

    # -- facts for others -----------------------------------------------------------------------

    def facts(self, gate: str) -> ProductFacts:
        """What a gate of this product needs to know. A round stays under the policy that it was
        convened with."""
        sitting = self.sittings.open
        earlier = sitting if sitting and sitting.gate == gate and sitting.policy_digest else None
        return ProductFacts(
            key=self.key,
            name=self.product.name,
            owner=self.product.owner,
            tier=self.product.tier,
            policy=earlier.policy if earlier else self.policy.name,
            policy_digest=earlier.policy_digest if earlier else self.policy.digest,
            directory=self.directory,
            narrowed=dict(self.product.approvers.get(gate, {})),
            definition=self.product.model_dump(mode="json"),
            milestones={m.id: m.state.value for m in self.milestones},
            evidence=[piece.shown for piece in self.evidence],
            figures=figures_of(self.evidence),
            former_owners=list(self.owned_here),
            hands=self.hands_before(),
        )

    def hands_before(self) -> dict[str, str]:
        """Who ever owned it or submitted a gate that is closed, and why that counts. What older
        states do not list is derived."""
        brought = [summary.submitter for summary in self.sittings.closed]
        return {person: BROUGHT for person in brought if person} | self.had_a_hand

    def revision(self) -> str:
        """What voters see now, as a digest: the same for every gate of this product."""
        return revision_of(self.facts(""))
