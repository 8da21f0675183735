"""One sitting of a gate: who may vote, what was said, and what it comes to.

The aggregate that GateReview makes durable. Everything here is a function of the state and of the
instants passed in. What people may ask of it is in phasegate.admission and phasegate.chair.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Annotated

from phasegate.assembly import Assembly
from phasegate.base import Instant, Wire
from phasegate.casting import ADVICE, Attestation, CastVote, Refused
from phasegate.criteria import judged_by_milestone
from phasegate.errors import Refusal
from phasegate.facts import ProductFacts, revision_of
from phasegate.ports import Convened, Timetable
from phasegate.requests import Promise, Receipt, remember
from phasegate.rules import Ballot, Situation, Verdict, decide
from phasegate.scorecard import Scorecard
from phasegate.seats import Step
from phasegate.state_version import up_to
from phasegate.votes import Outcome

REFUSALS_KEPT = 50
HANDLED_KEPT = 500

TEXT_KEPT = 300_000
SHORT_TEXT = 300
"""Bytes of text that the standing votes of a round may carry. A payload takes 2 MB; when this is
used up, a vote with a short text or none is still taken."""

SIDE_TEXT_KEPT = 100_000
"""Bytes of text that attestations, delegations, given seats and work asked for may carry."""


class Work(Wire):
    """Somebody asks the owner for work before the gate goes on."""

    actor: str
    what: str
    at: Instant


class Override(Wire):
    """An authority decided in the place of the approvers."""

    actor: str
    outcome: Outcome
    reason: str
    at: Instant
    votes_said: str = ""


class Round(Assembly):
    """The state of one round. A wire contract: it is carried across continue-as-new.

    Version 1 was never released.
    """

    schema_version: Annotated[int, up_to(2)] = 2
    round: int
    open_conditions: list[str] = []
    opened_at: Instant | None = None
    attestations: list[Attestation] = []
    work: Work | None = None
    work_done: list[Work] = []
    step: int = 1
    step_since: Instant | None = None
    asked_again: dict[str, Instant] = {}
    refused: list[Refused] = []
    refused_more: int = 0
    handled: dict[str, Receipt] = {}
    signed_at: dict[str, Instant] = {}
    """When each of those who signed something here last did: nothing older is taken of them."""
    paused_at: Instant | None = None
    outcome: Outcome | None = None
    override: Override | None = None
    decided_at: Instant | None = None
    why: str = ""
    abandoned: str = ""
    ending_said: bool = False

    @property
    def revision(self) -> str:
        """A digest of the evidence and the definition: what a voter saw."""
        return revision_of(self.product)

    @property
    def status(self) -> str:
        if self.outcome or self.abandoned:
            return "decided"
        if self.paused_at:
            return "on-hold"
        return "waiting-on-owner" if self.work else "open"

    @property
    def closed(self) -> bool:
        return self.status == "decided"

    # -- what it comes to -----------------------------------------------------------------------

    def scorecard(self) -> Scorecard:
        findings = self.convened.criteria if self.convened else []
        attested = [said for said in self.attestations if self._binds(said)]
        return Scorecard(self.gate, findings, attested, self.ballots.counted())

    def _binds(self, said: Attestation) -> bool:
        """An objection of somebody who has left the group is nobody's to take back: it is gone."""
        groups = {c.id: c.attested_by for c in self.gate.criteria}
        return said.state == "met" or said.actor in self.members().get(
            groups.get(said.criterion) or "", ()
        )

    def verdict(self, now: datetime) -> Verdict:
        """What the standing votes amount to at `now`; while it stands still, when it stopped."""
        assert self.convened is not None, "a round is judged only once it is convened"
        steps = self.steps()
        votes = [Ballot(v.holder, v.vote, v.step) for v in self.ballots.counted()]
        return decide(steps, votes, self.situation(steps, now))

    def situation(self, steps: Sequence[Step], now: datetime) -> Situation:
        """What decides beside the votes."""
        at = min(t for t in (self.clocks.at(now), self.decided_at) if t)
        card = self.scorecard()
        table = self.clocks.timetable
        assert table is not None
        return Situation(
            late=self._late(steps, at),
            unmet_musts=card.unmet_musts(),
            weak_shoulds=card.weak_shoulds(),
            open_conditions=tuple(self.open_conditions),
            resolve_passed=at >= table.resolve,
            on_timeout=self.gate.clocks.on_timeout,
            wait_for_all=self.gate.wait_for == "all",
        )

    def _late(self, steps: Sequence[Step], at: datetime) -> tuple[int, ...]:
        """The step that sits, once its deadline has passed. A step that opens now, or again, has
        one of its own, which is being found out."""
        due = [self.clocks.respond_due(s.people) for s in steps if s.number == self.step]
        passed = bool(due) and at >= due[0] and not self.clocks.counting_anew
        return (self.step,) if passed else ()

    def settle(self, now: datetime) -> Verdict:
        """Judge the round, and keep the outcome if there is one. Decided is final."""
        verdict = self.verdict(now)
        if self.clocks.unsure or self.paused_at:
            return verdict  # who has to agree is being found out, or the product is on hold
        if verdict.outcome and not self.closed:
            self.outcome, self.decided_at, self.why = verdict.outcome, now, verdict.why
        elif verdict.step != self.step and not self.closed:
            self.step, self.step_since = verdict.step, now
            self.clocks.ask_again("step", "respond", now)
        return verdict

    def promises(self) -> list[tuple[CastVote, Promise]]:
        """The united conditions of the standing votes (rule 11)."""
        return [(vote, promise) for vote in self.ballots.counted() for promise in vote.conditions]

    def asked_since(self, person: str) -> datetime | None:
        """Since when the gate waits for this person."""
        instants = [self.step_since or self.opened_at, self.asked_again.get(person)]
        return max((at for at in instants if at), default=None)

    def people_asked(self) -> list[str]:
        """Whose vote was asked: of the step that is open, and of those before it."""
        if self.convened is None:
            return []
        reached = [step.people for step in self.steps() if step.number <= self.step]
        return sorted({person for people in reached for person in people})

    # -- the course of a round ------------------------------------------------------------------

    def convene(self, found: Convened) -> None:
        """Take the slice of the directory, the timetable and the criteria, as they are now."""
        # The clocks keep the timetable: twice that of a large committee would fill a payload.
        bare = Timetable(resolve=found.timetable.resolve)
        self.convened = found.model_copy(update={"timetable": bare})
        self._judge_by_milestones()  # one may have moved while the answer was on its way
        self.mandates.absences = found.absences
        self.clocks.planned(found.timetable)

    def refuse(self, actor: str, refusal: Refusal, *, now: datetime, channel: str) -> bool:
        """Record a refusal; True while there is room for it (then it is also announced)."""
        if len(self.refused) >= REFUSALS_KEPT:
            self.refused_more += 1
            return False
        self.refused.append(
            Refused(
                actor=actor,
                what=refusal.what,
                why=refusal.why,
                hint=refusal.hint,
                code=refusal.code,
                at=now,
                channel=channel,
            )
        )
        return True

    def side_text(self) -> int:
        """How much text the round carries beside votes, in bytes."""
        said = [a.note for a in self.attestations] + [w.what for w in self.work_done]
        said += [d.reason for d in self.mandates.given] + [r.reason for r in self.reassigned]
        return sum(len(text.encode()) for text in said)

    def remember(self, key: str, receipt: Receipt) -> None:
        remember(self.handled, key, receipt, kept=HANDLED_KEPT)

    def hear(self, facts: ProductFacts, now: datetime) -> list[CastVote]:
        """The product changed. Yes-votes on what it was are void, and so is what was attested as
        met; a no stands, marked with the revision it saw. The votes that became void."""
        before = self.revision
        if facts.owner != self.product.owner:
            self.had_a_hand[self.product.owner] = "owned the product while the gate was open"
        # Who sits was settled when it opened: its owner must not narrow it while votes are cast.
        self.product = facts.model_copy(update={"narrowed": self.product.narrowed})
        changed = self.revision != before
        void = self.void_barred(now)
        if changed:
            stale = [v for v in self.ballots.counted() if v.vote.is_yes]
            self.ballots.void(stale, f"the evidence is now {self.revision}")
            void += stale
            for said in self.attestations:
                said.voided = said.voided or said.state == "met"
        self.ask_again(void, now)
        self.clocks.ask_again("facts", "respond" if changed else "keep", now)
        return void

    def void_barred(self, now: datetime) -> list[CastVote]:
        """Take out of it whoever has a hand in it now: their yes-votes, those that they cast for
        others, and what they attested. The votes that became void.

        A no stands: else an owner could end a veto by handing the product to who gave it.
        """
        barred = self.barred
        void = [
            v
            for v in self.ballots.standing()
            if not v.vote.is_no and (v.holder in barred or v.approver in barred)
        ]
        self.ballots.void(void, "who votes may not have a hand in it")
        for said in self.attestations:
            said.voided = said.voided or said.actor in barred
        self.ask_again(void, now)
        return void

    def ask_again(self, void: Iterable[CastVote], now: datetime) -> None:
        """The gate waits again for those whose votes these were."""
        for vote in void:
            self.asked_again[vote.holder] = now

    def hear_of_milestone(self, milestone: str, state: str) -> None:
        """A milestone of the product was settled while the round sits: its criteria follow."""
        self.product.milestones[milestone] = state
        self._judge_by_milestones()

    def _judge_by_milestones(self) -> None:
        named = {c.id: c.milestone for c in self.gate.criteria if c.milestone}
        for criterion in self.convened.criteria if self.convened else ():
            if milestone := named.get(criterion.id):
                status = self.product.milestones.get(milestone)
                criterion.state, criterion.why = judged_by_milestone(milestone, status)

    def abandon(self, why: str, now: datetime) -> None:
        if not self.closed:
            self.abandoned, self.decided_at, self.why = why, now, why

    def pause(self, now: datetime) -> None:
        """The product is on hold."""
        if not self.closed and self.paused_at is None:
            self.paused_at = now
            self.clocks.stop(now)

    def resume(self, now: datetime) -> None:
        """Go on; what was left of the clocks is left now, unless the owner owes work."""
        if self.paused_at is not None and not self.closed:
            self.paused_at = None
            if self.work is None:
                self.clocks.go_on(now)

    def escalate(self, now: datetime) -> None:
        """Undecided at its deadline: one more level of managers may act, and the resolve clock
        starts again (roughly at first; calendars then say when exactly)."""
        self.clocks.escalate(now, self.gate.clocks.resolve.approximate)

    def next_wake(self, now: datetime) -> datetime | None:
        """The next instant at which a clock of this round has something to do."""
        if self.convened is None or self.closed or not self.clocks.running:
            return None
        verdict = self.verdict(now)
        if verdict.outcome:
            return now  # a deadline that decides has passed, and nobody has looked since
        people = next((s.people for s in self.steps() if s.number == verdict.step), ())
        due = self.clocks.respond_due(people)
        turns = [*self.mandates.turns(now), *([due] if due > now else [])]
        return self.clocks.next_wake(verdict.pending, turns)

    def advice(self) -> list[CastVote]:
        return [vote for vote in self.ballots.standing() if vote.step == ADVICE]
