"""The rounds a workflow has held: the one that sits now, and what became of the others."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from phasegate.base import Instant, Wire
from phasegate.facts import ProductFacts
from phasegate.views import ConditionView, GateSummaryView, GateView

Kind = Literal["phase", "review", "sunset"]
OpenerAction = Literal["pause", "resume", "condition-closed", "milestone", "facts", "ping"]

SUMMARIES_KEPT = 60
"""Closed rounds kept in state; the ledger has all of them."""


class GateReport(Wire):
    """What a round tells the workflow that opened it. `outcome` is None if it was abandoned."""

    gate: str
    round: int
    token: str
    outcome: str | None
    why: str
    decided_at: Instant
    votes: dict[str, str] = {}
    conditions: list[ConditionView] = []
    had_a_hand: dict[str, str] = Field({}, description="of which only the round was told")
    override: str = Field("", description="who decided in the approvers' place")

    @classmethod
    def of(cls, view: GateView, token: str) -> GateReport:
        """The report of a closed round, as its view shows it."""
        assert view.decided_at is not None
        return cls(
            gate=view.gate,
            round=view.round,
            token=token,
            outcome=view.outcome,
            why=view.why,
            decided_at=view.decided_at,
            votes={
                vote.on_behalf_of or vote.approver: vote.vote
                for vote in view.votes
                if vote.state == "standing" and not vote.advice
            },
            conditions=view.conditions if view.outcome == "conditional-go" else [],
            override=view.override.actor if view.override else "",
        )


class Verdict(Wire):
    """A decision that somebody made in the approvers' place, until the product has followed it."""

    kind: Kind
    report: GateReport


class OpenerNote(Wire):
    """What the opener of a round tells it. Only the opener knows the token."""

    token: str
    action: OpenerAction
    condition: str = Field("", description="the condition or the milestone it is about")
    state: str = Field("", description="what the milestone has become")
    facts: ProductFacts | None = Field(None, description="the product as it is now")
    actor: str = Field("", description="who changed it")


class OpenGate(Wire):
    """The round that is sitting now."""

    gate: str
    round: int
    kind: Kind = "phase"
    workflow_id: str
    submitter: str = ""
    token: str = Field(description="only the round that was given it may report")
    since: Instant | None = Field(None, description="when it was begun")
    policy: str = Field("", description="that it was convened under, if it is not the product's")
    policy_digest: str = ""
    report: GateReport | None = None


class Sittings(Wire):
    """There is never a second open round."""

    rounds: dict[str, int] = {}
    open: OpenGate | None = None
    closed: list[GateSummaryView] = []

    def begin(
        self, gate: str, kind: Kind, *, workflow_id: str, token: str, submitter: str = ""
    ) -> OpenGate:
        """Number the next round of this gate and make it the open one."""
        assert self.open is None, f"{self.open} is still sitting"
        self.rounds[gate] = self.rounds.get(gate, 0) + 1
        self.open = OpenGate(
            gate=gate,
            round=self.rounds[gate],
            kind=kind,
            workflow_id=workflow_id,
            submitter=submitter,
            token=token,
        )
        return self.open

    def take(self, report: GateReport) -> bool:
        """Keep the report of the open round; False for any other, or a second one."""
        sitting = self.open
        if sitting is None or sitting.report is not None:
            return False
        expected = (sitting.gate, sitting.round, sitting.token)
        if (report.gate, report.round, report.token) != expected:
            return False
        sitting.report = report
        return True

    def end(self) -> GateReport:
        """Close the open round and hand out its report."""
        assert self.open is not None
        assert self.open.report is not None
        ended, report, self.open = self.open, self.open.report, None
        self.sum_up(report, ended.submitter, ended.since)
        return report

    def sum_up(self, report: GateReport, submitter: str, opened_at: datetime | None = None) -> None:
        """Keep what became of a round. What an override decided without a round never opened."""
        self.closed.append(
            GateSummaryView(
                gate=report.gate,
                round=report.round,
                outcome=report.outcome or "abandoned",
                decided_at=report.decided_at,
                votes=report.votes,
                why=report.why,
                submitter=submitter,
                opened_at=opened_at,
            )
        )
        del self.closed[:-SUMMARIES_KEPT]
