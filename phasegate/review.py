"""One sitting of a gate: who may vote, what was said, and what it comes to.

The aggregate that GateReview makes durable. Everything here is a function of the state and of the
instants passed in.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from hashlib import sha256

from phasegate.base import Instant, Wire, canonical
from phasegate.casting import CastVote, Refused
from phasegate.criteria import judged_by_milestone
from phasegate.errors import Refusal
from phasegate.facts import ProductFacts
from phasegate.gate import Gate
from phasegate.ports import Convened
from phasegate.requests import Promise, Receipt, VoteRequest, remember
from phasegate.rules import Ballot, Situation, Verdict, decide
from phasegate.seats import Step, steps_of
from phasegate.votes import Outcome

REFUSALS_KEPT = 50
HANDLED_KEPT = 500
VOTES_KEPT = 500
CHANGED_TEXT_KEPT = 100_000
"""Standing votes are always kept; of changed ones, so many votes and bytes of comments and
conditions. The record in the ledger has all."""

TEXT_KEPT = 300_000
SHORT_TEXT = 300
"""Bytes of text that the standing votes of a round may carry. A payload takes 2 MB; when this is
used up, a vote with a short text or none is still taken."""


class Round(Wire):
    """The state of one round. A wire contract: it is carried across continue-as-new."""

    schema_version: int = 1
    product: ProductFacts
    gate: Gate
    round: int
    submitter: str
    open_conditions: list[str] = []
    opened_at: Instant | None = None
    convened: Convened | None = None
    votes: list[CastVote] = []
    refused: list[Refused] = []
    refused_more: int = 0
    handled: dict[str, Receipt] = {}
    paused_at: Instant | None = None
    reminders_sent: int = 0
    respond_announced: bool = False
    escalations: int = 0
    outcome: Outcome | None = None
    decided_at: Instant | None = None
    why: str = ""
    abandoned: str = ""

    @property
    def revision(self) -> str:
        """A digest of the evidence: what a voter saw."""
        return "r" + sha256(canonical(self.product.evidence)).hexdigest()[:12]

    @property
    def status(self) -> str:
        if self.outcome or self.abandoned:
            return "decided"
        return "on-hold" if self.paused_at else "open"

    @property
    def closed(self) -> bool:
        return self.status == "decided"

    # -- who may vote ---------------------------------------------------------------------------

    def steps(self) -> tuple[Step, ...]:
        members = self.convened.members if self.convened else {}
        return steps_of(
            self.gate.requires,
            members,
            tier=self.product.tier,
            excluded=(self.product.owner, self.submitter),
        )

    def verdict(self, now: datetime) -> Verdict:
        """What the standing votes amount to at `now`; while it stands still, when it stopped."""
        assert self.convened is not None, "a round is judged only once it is convened"
        now = min(at for at in (now, self.paused_at, self.decided_at) if at)
        criteria = self.convened.criteria
        situation = Situation(
            unmet_musts=tuple(c.id for c in criteria if c.kind == "must" and c.state == "unmet"),
            weak_shoulds=tuple(c.id for c in criteria if c.kind == "should" and c.state == "unmet"),
            open_conditions=tuple(self.open_conditions),
            respond_passed=now >= self.convened.respond_due,
            resolve_passed=now >= self.convened.resolve_due,
            on_timeout=self.gate.clocks.on_timeout,
            wait_for_all=self.gate.wait_for == "all",
        )
        ballots = (Ballot(v.approver, v.vote, v.step) for v in self.standing())
        return decide(self.steps(), ballots, situation)

    def standing(self) -> list[CastVote]:
        return [vote for vote in self.votes if vote.state == "standing"]

    # -- votes ----------------------------------------------------------------------------------

    def cast(self, request: VoteRequest, *, step: int, now: datetime, channel: str) -> None:
        """Take the vote; an earlier one of the same person in this step is marked changed."""
        for vote in self.standing():
            if vote.approver == request.approver and vote.step == step:
                vote.state = "changed"
        self.votes.append(
            CastVote(
                approver=request.approver,
                vote=request.vote,
                comment=request.comment,
                conditions=request.conditions,
                at=now,
                step=step,
                revision=self.revision,
                channel=channel,
            )
        )
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

    def refuse(self, actor: str, refusal: Refusal, *, now: datetime, channel: str) -> bool:
        """Record a refusal; True while there is room for it (then it is also announced)."""
        if len(self.refused) >= REFUSALS_KEPT:
            self.refused_more += 1
            return False
        self.refused.append(
            Refused(actor=actor, what=refusal.what, why=refusal.why, at=now, channel=channel)
        )
        return True

    def remember(self, key: str, receipt: Receipt) -> None:
        remember(self.handled, key, receipt, kept=HANDLED_KEPT)

    # -- the course of a round ------------------------------------------------------------------

    def settle(self, now: datetime) -> Verdict:
        """Judge the round, and keep the outcome if there is one. Decided is final."""
        verdict = self.verdict(now)
        if verdict.outcome and not self.closed:
            self.outcome, self.decided_at, self.why = verdict.outcome, now, verdict.why
        return verdict

    def promises(self) -> list[tuple[CastVote, Promise]]:
        """The united conditions of the standing votes (rule 11)."""
        return [(vote, promise) for vote in self.standing() for promise in vote.conditions]

    def abandon(self, why: str, now: datetime) -> None:
        if not self.closed:
            self.abandoned, self.decided_at, self.why = why, now, why

    def hear_of_milestone(self, milestone: str, state: str) -> None:
        """A milestone of the product was settled while the round sits: its criteria follow."""
        if self.convened is None:
            return
        named = {c.id for c in self.gate.criteria if c.milestone == milestone}
        for criterion in self.convened.criteria:
            if criterion.id in named:
                criterion.state, criterion.why = judged_by_milestone(milestone, state)

    def pause(self, now: datetime) -> None:
        if not self.closed and self.paused_at is None:
            self.paused_at = now

    def resume(self, now: datetime) -> None:
        """Go on; every instant of the round moves by as long as it stood still."""
        if self.paused_at is None or self.closed:
            return
        shift, self.paused_at = now - self.paused_at, None
        if self.convened:
            self.convened.respond_due += shift
            self.convened.resolve_due += shift
            self.convened.remind_at = [instant + shift for instant in self.convened.remind_at]

    def next_wake(self, now: datetime) -> datetime | None:
        """The next instant at which a clock of this round has something to do."""
        if self.convened is None or self.paused_at or self.closed:
            return None
        instants = self.convened.remind_at[self.reminders_sent :]
        if not self.respond_announced:
            instants = [*instants, self.convened.respond_due]
        return min([*instants, self.convened.resolve_due])

    def extend(self, now: datetime) -> timedelta:
        """After an escalation the resolve clock starts again; the escalations are counted."""
        assert self.convened is not None
        self.escalations += 1
        due = self.gate.clocks.resolve.after(now)
        self.convened.resolve_due = due
        return due - now
