"""Rounds lived through in every way, at random: what must hold after every single step.

Votes by members, stand-ins, advisers and strangers; evidence, owners, milestones and the directory
changing in mid-gate; holds, work, clocks, extensions, overrides, workers that come and go.

PHASEGATE_ROUNDS=5000 plays so many examples per machine at random instead of the ones CI plays.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random
from typing import ClassVar

import committee
import pytest
from committee import DAY, HOUR, START, WORKFLOW, convened, facts, may, says, turn_clocks
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from phasegate import chair, seating
from phasegate.criteria import judged_by_milestone
from phasegate.errors import Forbidden, Refusal
from phasegate.facts import ProductFacts
from phasegate.gate import Clocks, Criterion, Gate, Requirement, TimeoutAction
from phasegate.gate_page import gate_page
from phasegate.gate_requests import (
    AttestRequest,
    DelegateRequest,
    ExtendRequest,
    NeedsWorkRequest,
    OverrideRequest,
    ReassignRequest,
    WithdrawRequest,
)
from phasegate.gate_view import gate_memo, gate_view
from phasegate.grounds import Grounds, grounds_of, judged_again
from phasegate.ports import Away, ClockOrder, CriterionFinding
from phasegate.requests import SubmitRequest
from phasegate.review import REFUSALS_KEPT, Round
from phasegate.rules import Ballot, Verdict
from phasegate.votes import Outcome, Vote

GROUPS = ("eng", "fin", "legal")
ADVISERS, ATTESTERS = "rev", "att"
VOTERS = ("ann", "bob", "cyd", "dan", "eve")
BOSSES = ("max", "moe")
PEOPLE = (*VOTERS, *BOSSES, "olga", "sue", "ada")
ANYBODY = (*PEOPLE, "zed")
NO_TRACE = {"refused", "refused_more"}
LOOK_EVERY = 6
"""Steps from one look at what is shown to the next: drawing it costs as much as ten steps do."""

people = st.sampled_from(PEOPLE)
voters = st.sampled_from(VOTERS)
anybody = st.sampled_from(ANYBODY)
rarely = st.sampled_from([False] * 5 + [True])
mostly = st.sampled_from([True] * 4 + [False])
# Mostly yes: gates of small committees otherwise hardly ever pass.
words = st.sampled_from([*Vote, Vote.go, Vote.go, Vote.go, Vote.conditional_go])


@dataclass
class World:
    """The directory as it is now; a round knows what it was when it looked last."""

    members: dict[str, tuple[str, ...]]
    deputies: dict[str, str]
    managers: dict[str, tuple[str, ...]]
    lag: dict[str, timedelta]
    absences: dict[str, tuple[Away, ...]] = field(default_factory=dict)
    gone: tuple[str, ...] = ()


@st.composite
def requirements(draw: st.DrawFn, step: int) -> Requirement:
    veto = draw(st.booleans())
    groups = draw(st.lists(st.sampled_from(GROUPS), min_size=1, max_size=3, unique=True))
    need = draw(st.integers(0 if veto else 1, 2))
    include = draw(st.lists(st.sampled_from(groups), max_size=need, unique=True))
    tiers = draw(st.sampled_from([(), (), (), (1,), (2, 3)]))
    if len(groups) == 1 and not include:
        return Requirement(group=groups[0], need=need, veto=veto, step=step, tiers=tiers)
    any_of, wanted = tuple(groups), tuple(include)
    return Requirement(any_of=any_of, include=wanted, need=need, veto=veto, step=step, tiers=tiers)


CRITERIA = (
    Criterion(id="done", text="Beta is done", milestone="beta"),
    Criterion(id="proven", text="It works", expression="evidence.proven"),
    Criterion(id="secure", text="It is secure", attested_by=ATTESTERS),
    Criterion(id="liked", text="Customers like it", kind="should", weight=3),
    Criterion(id="cheap", text="It is cheap", kind="should", attested_by=ATTESTERS),
)


@st.composite
def gates(draw: st.DrawFn) -> Gate:
    """Steps, vetoes, reserved seats, criteria of every sort, advisers, every end of time."""
    requires = [
        draw(requirements(step))
        for step in range(1, draw(st.integers(1, 3)) + 1)
        for _ in range(draw(st.integers(1, 2)))
    ]
    some = st.lists(st.sampled_from(CRITERIA), max_size=3, unique_by=lambda c: c.id)
    criteria = draw(st.just([]) | some)
    scored = any(c.kind == "should" for c in criteria)
    return Gate(
        id="g1",
        title="Idea",
        requires=tuple(requires),
        criteria=tuple(criteria),
        threshold=draw(st.sampled_from([None, 60])) if scored else None,
        reviewers=draw(st.sampled_from([(), (ADVISERS,), (ADVISERS, "fin")])),
        wait_for=draw(st.sampled_from(["need", "need", "all"])),
        clocks=Clocks(on_timeout=draw(st.sampled_from(TimeoutAction))),
    )


@st.composite
def worlds(draw: st.DrawFn) -> World:
    seated = st.sampled_from([*VOTERS, *VOTERS, "olga", "sue", "max"])
    some = st.lists(seated, min_size=draw(st.sampled_from([0, 2, 3])), max_size=6, unique=True)
    few = st.lists(st.sampled_from(["ada", "ann", "bob", "olga"]), max_size=2, unique=True)
    members = {group: tuple(sorted(draw(some))) for group in GROUPS}
    members |= {group: tuple(sorted(draw(few))) for group in (ADVISERS, ATTESTERS)}
    return World(
        members=members,
        deputies=draw(st.dictionaries(voters, people, max_size=3)),
        managers={
            person: draw(st.sampled_from([(), ("max",), ("max", "moe"), ("olga", "moe")]))
            for person in VOTERS
        },
        lag=draw(st.dictionaries(voters, st.sampled_from([2 * DAY, 4 * DAY]), max_size=2)),
    )


class RoundMachine(RuleBasedStateMachine):
    """One gate of one product, its rounds one after the other, as GateReview would hold them."""

    steps: ClassVar[int] = 0
    decided: ClassVar[dict[str, int]] = {}

    # -- the stage --------------------------------------------------------------------------------

    @initialize(
        gate=gates(),
        world=worlds(),
        patience=st.sampled_from([0, 0, 1, 3]),
        conditions=st.sampled_from([[], [], [], ["g0-1-1"]]),
    )
    def open(self, gate: Gate, world: World, patience: int, conditions: list[str]) -> None:
        """`patience` is for how many steps the directory takes its time to answer."""
        self.world, self.patience, self.now = world, patience, START
        self.product = facts(owner="olga", definition={"team": ["eve"]})
        self.number, self.played = 0, 0
        self.sit(gate, conditions)

    def sit(self, gate: Gate, conditions: list[str]) -> None:
        self.number += 1
        self.hands = {self.product.owner, "sue", *(e["by"] for e in self.product.evidence)}
        self.state = Round(
            product=self.product.model_copy(deep=True),
            gate=gate,
            round=self.number,
            submitter="sue",
            open_conditions=list(conditions),
            opened_at=self.now,
        )
        self.state.clocks.ask_again("opened", "start", self.now)
        self.flight: tuple[ClockOrder, ProductFacts, tuple[str, ...]] | None = None
        self.waited = 0
        self.final: str | None = None
        self.since_final = 0
        self.accepted = 0
        self.refusals = 0
        self.live()

    def live(self) -> None:
        """What the workflow does by itself: look at the directory, turn the clocks."""
        for _ in range(30):
            state = self.state
            if state.closed:
                self.flight = None
                return
            if state.clocks.again:
                if self.flight is None:
                    self.look()
                if self.waited < self.patience:
                    return
                self.directory_answers()
                continue
            wake = state.next_wake(self.now)
            if wake is None or wake > self.now:
                return
            turn_clocks(state, self.now)
        raise AssertionError("the clocks spin")

    def look(self) -> None:
        """Ask the directory; what happens until it answers is not in its answer."""
        state = self.state
        order = state.clocks.again[0].order.model_copy(
            update={"before": state.clocks.timetable}, deep=True
        )
        seated = tuple(g.to for g in (*state.reassigned, *state.mandates.given))
        self.flight, self.waited = (order, state.product.model_copy(deep=True), seated), 0

    def directory_answers(self) -> None:
        assert self.flight
        (order, product, seated), self.flight = self.flight, None
        state, world = self.state, self.world
        answer = convened(
            state,
            world.members,
            seated=seated,
            lag=world.lag,
            order=order,
            deputies=world.deputies,
            managers=world.managers,
            absences=world.absences,
            gone=world.gone,
            criteria=[finding(c, product) for c in state.gate.criteria],
            applying=[
                i
                for i, r in enumerate(state.gate.requires)
                if not r.tiers or product.tier in r.tiers
            ],
        )
        state.convene(answer)
        state.settle(self.now)

    def ask(self, actor: str, do: Callable[[], object]) -> Refusal | None:
        """Somebody asks for something, as the Updates of the workflow take it."""
        if self.state.convened is None:
            return None  # the workflow lets them wait
        before, closed = self.trace(), self.state.closed
        try:
            do()
        except Refusal as caught:
            refusal = caught
        else:
            assert not closed, "decided is final"
            self.state.settle(self.now)
            self.after()
            return None
        assert self.trace() == before, "a refused request leaves no trace by itself"
        assert refusal.what
        assert refusal.why
        assert refusal.hint.startswith("phasegate ")
        assert not closed or refusal.code == "gate-decided"
        if isinstance(refusal, Forbidden):
            room = self.refusals < REFUSALS_KEPT
            kept = self.state.refuse(actor, refusal, now=self.now, channel="update")
            assert kept is room
            self.refusals += 1
        self.after()
        return refusal

    def after(self) -> None:
        self.waited += 1
        self.live()

    def trace(self) -> str:
        return self.state.model_dump_json(exclude=NO_TRACE)

    def barred(self) -> set[str]:
        """Who has had a hand in it, kept by the test itself."""
        return self.hands

    # -- votes ------------------------------------------------------------------------------------

    @rule(who=voters, word=words)
    def votes(self, who: str, word: Vote) -> None:
        self.vote(who, word)

    @rule(who=voters)
    def agrees(self, who: str) -> None:
        self.vote(who, Vote.go)

    @rule(data=st.data(), word=words)
    def somebody_pending_votes(self, data: st.DataObject, word: Vote) -> None:
        if self.state.convened is None or self.state.closed:
            return
        waiting = self.state.verdict(self.now).pending
        if waiting:
            self.vote(data.draw(st.sampled_from(waiting)), word)

    @rule()
    def everybody_agrees(self) -> None:
        if self.state.convened and not self.state.closed:
            for person in self.state.verdict(self.now).pending:
                self.vote(person, Vote.go)

    @rule(who=anybody, word=words, whose=people, stale=rarely)
    def votes_for_another(self, who: str, word: Vote, whose: str, stale: bool) -> None:
        self.vote(who, word, on_behalf_of=whose, revision="r0" if stale else None)

    @rule(
        who=anybody,
        word=words,
        step=st.sampled_from([None, None, 1, 2]),
        stale=rarely,
        scores=st.sampled_from([{}, {"liked": 9}, {"liked": 2}, {"cheap": 3}]),
    )
    def anybody_votes(
        self, who: str, word: Vote, step: int | None, stale: bool, scores: dict[str, int]
    ) -> None:
        revision = "r0" if stale else self.state.revision
        self.vote(who, word, step=step, revision=revision, scores=scores)

    @rule(data=st.data(), word=words)
    def a_stand_in_votes(self, data: st.DataObject, word: Vote) -> None:
        """Somebody who may, for somebody who has not."""
        state = self.state
        if state.convened is None or state.closed:
            return
        for person in state.verdict(self.now).pending:
            if others := state.stand_ins(person, self.now):
                self.vote(data.draw(st.sampled_from(others)), word, on_behalf_of=person)
                return

    def vote(self, who: str, word: Vote, **more: object) -> None:
        state, now = self.state, self.now
        if state.convened is None:
            return
        request = says(who, word, **more)
        whose = request.on_behalf_of
        holder = state.heir_of(whose) if whose else who
        sits = self.seats_of(holder)
        counted = state.ballots.counted()
        judged = [c.id for c in state.gate.criteria if c.kind == "should" and not c.attested_by]
        musts = [c.id for c in state.gate.criteria if c.kind == "must"]
        mine = [vote for vote in counted if vote.approver == who]
        reasons = {
            "gate-decided": state.closed,
            "gate-on-hold": state.paused_at is not None,
            "stale-revision": request.revision == "r0",
            "unknown-criterion": bool(set(request.scores) - set(judged)),
            "self-approval": who in self.barred(),
            "stranger": not sits or holder in self.barred(),
            "no-score": any(name in request.scores for name in musts),
            "no-mandate": holder != who and who not in state.stand_ins(holder, now),
            "for-whom": len(state.acts_for(who, now)) > 1 and not self.seats_of(who),
            "later-step": True,
            "no-seat": request.step is not None,
            "double-vote": bool(mine),
            "voted-already": any(
                v.holder in {holder, *state.acts_for(who, now)} and v.approver != who
                for v in counted
            ),
        }
        refusal = self.ask(who, lambda: self.accept(request))
        if refusal is not None:
            assert reasons[refusal.code], refusal.code
            return
        self.accepted += 1
        first = ("gate-decided", "gate-on-hold", "stale-revision", "unknown-criterion")
        assert not any(reasons[code] for code in (*first, "self-approval", "no-mandate"))

    def accept(self, request: object) -> None:
        vote = committee.take(self.state, request, self.now)  # type: ignore[arg-type]
        if vote.step == 0:
            assert vote.holder == vote.approver
            assert not self.seats_of(vote.approver)
            return
        assert vote.step in self.seats_of(vote.holder)
        assert {vote.holder, vote.approver}.isdisjoint(self.barred())
        assert self.state.ballots.votes[-1] is vote

    def knows(self, person: str) -> bool:
        return person != "zed" and person not in self.world.gone

    def seats_of(self, person: str) -> set[int]:
        """The steps in which a person sits now."""
        state = self.state
        if state.convened is None or person in self.barred():
            return set()
        members = state.members()
        found = {
            state.gate.requires[index].step
            for index in state.convened.applying
            for group in state.gate.requires[index].groups
            if person in members.get(group, ())
        }
        return found

    @rule(who=anybody, whose=st.none() | voters)
    def withdraws(self, who: str, whose: str | None) -> None:
        request = WithdrawRequest(actor=who, on_behalf_of=whose, request_id="r")
        self.ask(who, lambda: chair.withdraw(self.state, request))

    # -- who acts for whom ------------------------------------------------------------------------

    @rule(
        who=people,
        to=anybody,
        start=st.sampled_from([None, None, -1, 1, 3]),
        days=st.sampled_from([None, 2, 6]),
    )
    def delegates(self, who: str, to: str, start: int | None, days: int | None) -> None:
        if who == to:
            return
        begin = self.now + start * DAY if start is not None else None
        request = DelegateRequest(
            actor=who,
            to=to,
            start=begin,
            end=(begin or self.now) + days * DAY if days else None,
            request_id="r",
        )
        found = may(about_known=self.knows(to), absences=self.world.absences)
        refusal = self.ask(who, lambda: seating.delegate(self.state, request, found, self.now))
        if refusal is None and self.state.convened:
            assert to not in self.barred()
            assert self.knows(to)

    @rule(who=people)
    def takes_back(self, who: str) -> None:
        given = [d.approver for d in self.state.mandates.given]
        request = DelegateRequest(actor=who, request_id="r")
        done = lambda: seating.delegate(self.state, request, may(), self.now)  # noqa: E731
        refusal = self.ask(who, done)
        if refusal is None and self.state.convened:
            assert who in given
            assert who not in [d.approver for d in self.state.mandates.given]

    @rule(who=st.sampled_from(["moe", "ada", "cyd"]), sure=rarely)
    def leaves_for_good(self, who: str, sure: bool) -> None:
        """Somebody leaves the directory, and open gates are told."""
        if not sure:
            return
        world = self.world
        world.gone = (*world.gone, who)
        world.members = {g: tuple(p for p in of if p != who) for g, of in world.members.items()}
        if not self.state.closed and self.state.convened:
            self.state.clocks.ask_again("directory", "keep", self.now, actor="admin")
        self.after()

    @rule(who=people, to=st.none() | people, start=st.integers(-1, 4), days=st.integers(1, 9))
    def goes_away(self, who: str, to: str | None, start: int, days: int) -> None:
        begin = self.now + start * DAY
        self.world.absences[who] = (committee.away(begin, begin + days * DAY, to),)

    @rule(who=people, group=st.sampled_from([*GROUPS, ADVISERS, ATTESTERS]), told=mostly)
    def joins_or_leaves(self, who: str, group: str, told: bool) -> None:
        """A new publication of the directory, of which open gates are told, or not yet."""
        kept = set(self.world.members[group]) ^ ({who} if self.knows(who) else set())
        self.world.members[group] = tuple(sorted(kept))
        if told and not self.state.closed and self.state.convened:
            self.state.clocks.ask_again("directory", "keep", self.now, actor="admin")
        self.after()

    @rule(
        actor=anybody,
        person=people,
        to=anybody,
        rights=st.sampled_from([may(manages=True), may("reassign"), may()]),
    )
    def reassigns(self, actor: str, person: str, to: str, rights: object) -> None:
        if person == to:
            return
        state = self.state
        request = ReassignRequest(actor=actor, approver=person, to=to, reason="r", request_id="r")
        held = any(vote.holder == person for vote in state.ballots.counted())
        found = may(about_known=self.knows(to))
        refusal = self.ask(
            actor,
            lambda: seating.reassign(state, request, rights, found, self.now),  # type: ignore[arg-type]
        )
        if refusal is None and state.convened:
            assert not held
            assert {actor, to}.isdisjoint(self.barred())
            assert rights != may()

    # -- the product changes ----------------------------------------------------------------------

    def tell(self, **changed: object) -> None:
        """The opener's note; a gate that is decided does not listen."""
        self.product = self.product.model_copy(update=changed, deep=True)
        state = self.state
        if state.closed:
            return
        before = [vote.model_copy() for vote in state.ballots.counted()]
        revision, attested = state.revision, [a.model_copy() for a in state.attestations]
        void = state.hear(self.product.model_copy(deep=True), self.now)
        new = state.revision != revision
        for was in before:
            now = next(v for v in [*void, *state.ballots.standing()] if same_vote(v, was))
            out = {was.holder, was.approver} & self.barred()
            gone = not was.vote.is_no if out else new and was.vote.is_yes
            assert now.state == ("voided" if gone else "standing")
            assert bool(now.why) is gone
            assert now.revision == was.revision, "a no is marked with what it saw"
        for a_was, a_now in zip(attested, state.attestations, strict=True):
            if new:
                assert a_now.voided is (a_was.voided or a_was.state == "met" or a_now.voided)
        self.noted()

    def noted(self) -> None:
        if self.state.convened and not self.state.paused_at:
            self.state.settle(self.now)
        self.after()

    @rule(by=st.sampled_from(["olga", "olga", "eve", "ann"]), proven=st.booleans())
    def evidence(self, by: str, proven: bool) -> None:
        piece = {"title": f"e{len(self.product.evidence)}", "link": "", "digest": "", "by": by}
        self.hands = self.hands | ({by} if not self.state.closed else set())
        self.tell(evidence=[*self.product.evidence, piece], figures={"proven": proven})

    @rule(to=st.sampled_from(["olga", "olga", "cyd", "ann"]))
    def changes_hands(self, to: str) -> None:
        if not self.state.closed:
            self.hands = self.hands | {to}
        self.tell(owner=to)

    @rule(tier=st.sampled_from([1, 1, 2]))
    def changes_its_tier(self, tier: int) -> None:
        self.tell(tier=tier)

    @rule(status=st.sampled_from(["met", "met", "met", "waived", "missed"]))
    def milestone_moves(self, status: str) -> None:
        self.product.milestones["beta"] = status
        if not self.state.closed:
            self.state.hear_of_milestone("beta", status)
            self.noted()

    @rule()
    def condition_is_kept(self) -> None:
        if self.state.open_conditions and not self.state.closed:
            self.state.open_conditions.pop()
            self.noted()

    # -- the chair --------------------------------------------------------------------------------

    @rule(
        who=st.sampled_from(["ada", "ada", "ann", "bob", "olga", "zed"]),
        criterion=st.sampled_from(["secure", "secure", "cheap", "liked"]),
        state=st.sampled_from(["met", "met", "unmet"]),
        score=st.sampled_from([None, None, 8]),
    )
    def attests(self, who: str, criterion: str, state: str, score: int | None) -> None:
        request = AttestRequest.model_validate(
            {
                "actor": who,
                "criterion": criterion,
                "state": state,
                "score": score,
                "note": "seen",
                "request_id": "r",
            }
        )
        refusal = self.ask(who, lambda: chair.attest(self.state, request, self.now))
        if refusal is None and self.state.convened:
            assert who not in self.barred()
            assert who in self.state.members()[ATTESTERS]

    @rule(who=anybody)
    def asks_for_work(self, who: str) -> None:
        request = NeedsWorkRequest(actor=who, what="a plan", request_id="r")
        self.ask(who, lambda: chair.ask_for_work(self.state, request, self.now))

    @rule(who=st.sampled_from(["olga", "olga", "eve", "ann"]))
    def submits(self, who: str) -> None:
        request = SubmitRequest(actor=who, request_id="r")
        state = self.state
        refusal = self.ask(who, lambda: chair.submit(state, request, self.now))
        if refusal is None and state.convened:
            self.hands = self.hands | {who}

    @rule(
        who=anybody,
        days=st.sampled_from([-1, 1, 12, 30]),
        respond=st.sampled_from([None, 1, 8]),
        permitted=mostly,
    )
    def extends(self, who: str, days: int, respond: int | None, permitted: bool) -> None:
        if respond and respond > days:
            return
        request = ExtendRequest(
            actor=who,
            resolve=self.now + days * DAY,
            respond=self.now + respond * DAY if respond else None,
            reason="r",
            request_id="r",
        )
        rights = may("extend") if permitted else may("override")
        self.ask(who, lambda: chair.extend(self.state, request, rights, self.now))

    @rule(who=anybody, outcome=st.sampled_from(Outcome), permitted=rarely, sure=rarely)
    def overrides(self, who: str, outcome: Outcome, permitted: bool, sure: bool) -> None:
        request = OverrideRequest(actor=who, outcome=outcome, reason="r", request_id="r")
        rights = may("override") if permitted and sure else may("extend")
        refusal = self.ask(who, lambda: chair.override(self.state, request, rights, self.now))
        if refusal is None and self.state.convened:
            assert who not in self.barred()
            assert self.state.override

    @rule()
    def is_held(self) -> None:
        self.state.pause(self.now)
        self.after()

    @precondition(lambda self: self.state.paused_at)
    @rule()
    def is_resumed(self) -> None:
        self.state.resume(self.now)
        self.noted()

    @rule(sure=rarely)
    def is_abandoned(self, sure: bool) -> None:
        if sure and self.now > START + 60 * DAY:
            self.state.abandon("cancelled", self.now)
            self.after()

    # -- time, workers, rounds --------------------------------------------------------------------

    @rule(hours=st.sampled_from([1, 5, 20, 48, 130, 300]))
    def time_passes(self, hours: int) -> None:
        """A worker may have slept long; the clocks act on what they find when it is back."""
        self.now += hours * HOUR
        self.after()

    @rule()
    def until_the_next_clock(self) -> None:
        wake = self.state.next_wake(self.now)
        if wake:
            assert wake > self.now
            self.now = wake
            self.after()

    @rule()
    def another_worker_takes_over(self) -> None:
        read_back = Round.model_validate_json(self.state.model_dump_json())
        assert read_back == self.state
        self.state = read_back

    @precondition(lambda self: self.since_final > 6)
    @rule(conditions=st.sampled_from([[], [], ["g1-1-1"]]))
    def next_round(self, conditions: list[str]) -> None:
        self.sit(self.state.gate, conditions)

    @rule(dice=st.integers(0, 2**16))
    def votes_are_counted_again(self, dice: int) -> None:
        """The votes that stand, before any deadline, in any order: pass, stop and its word."""
        state = self.state
        if state.convened is None or state.clocks.unsure:
            return
        at_once = self.recount(None)
        one, other = self.recount(dice), self.recount(dice + 1)
        assert kind(one) == kind(other) == kind(at_once)
        if state.gate.wait_for == "all":
            assert one == other == at_once

    def recount(self, dice: int | None) -> Outcome | None:
        """The outcome of a fresh round that is fed the standing votes; all at once without dice."""
        state = self.state
        assert state.convened
        members = {group: set(people) for group, people in state.members().items()}
        votes = [vote.model_copy() for vote in state.ballots.counted()]
        for vote in votes:
            for group in vote.groups:
                members.setdefault(group, set()).add(vote.holder)
        fresh = state.model_copy(
            update={
                "ballots": type(state.ballots)(),
                "outcome": None,
                "override": None,
                "abandoned": "",
                "decided_at": None,
                "paused_at": None,
                "reassigned": [],
                "clocks": type(state.clocks)(),
                "step": 1,
            },
            deep=True,
        )
        fresh.clocks.ask_again("opened", "start", START)
        fresh.convene(
            state.convened.model_copy(
                update={"members": {g: tuple(sorted(p)) for g, p in members.items()}}, deep=True
            )
        )
        assert fresh.clocks.timetable
        far = START + 10_000 * DAY
        fresh.clocks.timetable.resolve = far
        fresh.clocks.timetable.respond = dict.fromkeys(fresh.clocks.timetable.respond, far)
        if dice is None:
            for vote in votes:
                fresh.ballots.cast(vote)
            return fresh.verdict(START).outcome
        # The no of somebody who has had a hand in it since stands, and nobody waits for it.
        kept = [vote for vote in votes if not {vote.holder, vote.approver}.isdisjoint(state.barred)]
        for vote in kept:
            fresh.ballots.cast(vote)
        votes = [vote for vote in votes if vote not in kept]
        Random(dice).shuffle(votes)  # noqa: S311 - a game
        fresh.settle(START)
        while votes and not fresh.closed:
            step = fresh.verdict(START).step
            vote = next((vote for vote in votes if vote.step <= step), None)
            if vote is None:
                break
            votes.remove(vote)
            fresh.ballots.cast(vote)
            fresh.settle(START)
        return fresh.outcome

    # -- what must hold ---------------------------------------------------------------------------

    @invariant()
    def holds(self) -> None:
        type(self).steps += 1
        self.decided_is_final()
        self.nobody_counts_twice()
        going_on = self.state.convened is not None and not self.state.closed
        verdict = self.state.verdict(self.now) if going_on else None
        self.whoever_had_a_hand_in_it_is_in_nothing(verdict)
        self.it_never_gets_stuck(verdict)
        self.clocks_stand_still_while_nothing_can_be_done()
        self.refusals_are_bounded_and_counted()
        self.what_is_shown_agrees_with_the_verdict(verdict)

    def decided_is_final(self) -> None:
        state = self.state
        assert not (state.outcome and state.abandoned)
        if self.final is not None:
            assert self.trace() == self.final
            self.since_final += 1
        elif state.closed:
            assert state.decided_at == self.now
            assert state.why
            assert not state.paused_at or state.override or state.abandoned
            self.final, self.since_final = self.trace(), 0
            name = str(state.outcome or "abandoned")
            name = f"override to {name}" if state.override else name
            type(self).decided[name] = type(self).decided.get(name, 0) + 1
            if state.outcome and state.outcome.is_pass and not state.override:
                self.a_pass_is_earned()
            if state.outcome and not state.override:
                self.it_is_derived_again()

    def it_is_derived_again(self) -> None:
        """From what the record has of it, as an auditor does."""
        state = self.state
        kept = Grounds.model_validate_json(grounds_of(state, self.now).model_dump_json())
        ballots = [Ballot(v.holder, v.vote, v.step) for v in reversed(state.ballots.counted())]
        found = judged_again(state.gate, kept, ballots)
        assert (found.outcome, found.why) == (state.outcome, state.why)

    def a_pass_is_earned(self) -> None:
        """Worked out from the votes, the committee and the product alone, at the moment it is."""
        state = self.state
        assert state.convened
        assert not state.open_conditions
        for criterion in state.gate.criteria:
            if criterion.kind == "must":
                assert self.is_true(criterion), criterion.id
        counted = state.ballots.counted()
        assert any(vote.vote.is_yes for vote in counted)
        members = state.members()
        for number in {state.gate.requires[i].step for i in state.convened.applying}:
            asked = [
                r
                for i, r in enumerate(state.gate.requires)
                if i in state.convened.applying and r.step == number
            ]
            votes = {vote.holder: vote for vote in counted if vote.step == number}
            groups = {p: {g for g in members if p in members[g]} for p in PEOPLE}
            for person, vote in votes.items():
                groups[person] |= set(vote.groups)
            yes = {p: groups[p] for p, vote in votes.items() if vote.vote.is_yes}
            seats = [seat for requirement in asked for seat in seats_of(requirement)]
            assert can_fill(seats, yes)
            for veto in (r for r in asked if r.veto):
                assert any(groups[p] & set(veto.groups) for p in votes), "a veto that nobody gave"
            vetoing = {g for r in asked if r.veto for g in r.groups}
            for person in PEOPLE:
                if groups[person] & vetoing and person not in self.barred():
                    assert person in votes, "a veto holder was not waited for"
                    assert not votes[person].vote.is_no

    def is_true(self, criterion: Criterion) -> bool:
        if criterion.milestone:
            return self.product.milestones.get(criterion.milestone) in ("met", "waived")
        if criterion.expression:
            return self.product.figures.get("proven") is True
        said = [
            a
            for a in self.state.attestations
            if a.criterion == criterion.id and a.actor not in self.barred()
        ]
        return any(a.state == "met" and a.revision == self.state.revision for a in said)

    def nobody_counts_twice(self) -> None:
        counted = self.state.ballots.counted()
        for places in (
            [(vote.holder, vote.step) for vote in counted],
            [(vote.approver, vote.step) for vote in counted],
        ):
            assert len(set(places)) == len(places)
        assert len(self.state.ballots.votes) == self.accepted, "the record keeps all"

    def whoever_had_a_hand_in_it_is_in_nothing(self, verdict: Verdict | None) -> None:
        state = self.state
        if state.closed:
            return
        barred = self.barred()
        assert set(state.barred) == barred
        for vote in state.ballots.counted():
            assert vote.vote.is_no or {vote.holder, vote.approver}.isdisjoint(barred)
        if state.convened:
            out = barred | set(state.convened.gone)
            for person in VOTERS:
                assert out.isdisjoint(state.stand_ins(person, self.now))
            assert verdict
            assert barred.isdisjoint(verdict.pending)

    def it_never_gets_stuck(self, verdict: Verdict | None) -> None:
        state = self.state
        if state.closed:
            assert state.next_wake(self.now) is None
            return
        owed = state.paused_at is not None or state.work is not None
        assert (state.clocks.stopped_at is not None) is owed
        if state.clocks.again:
            assert self.flight, "the directory is being asked"
        elif owed:
            assert state.next_wake(self.now) is None
        else:
            wake = state.next_wake(self.now)
            assert wake is not None
            assert wake > self.now
            assert verdict
            assert verdict.outcome is None, f"undecided, though {verdict.why}"
            assert not verdict.escalate
            if not verdict.pending:
                assert verdict.ready, verdict.why

    def clocks_stand_still_while_nothing_can_be_done(self) -> None:
        clocks = self.state.clocks
        if not clocks.running:
            assert clocks.at(self.now + 1000 * DAY) == clocks.at(self.now) <= self.now
        else:
            assert clocks.at(self.now) == self.now

    def refusals_are_bounded_and_counted(self) -> None:
        assert len(self.state.refused) == min(self.refusals, REFUSALS_KEPT)
        assert len(self.state.refused) + self.state.refused_more == self.refusals

    def what_is_shown_agrees_with_the_verdict(self, verdict: Verdict | None) -> None:
        state = self.state
        self.played += 1
        if state.convened is None or (self.played % LOOK_EVERY and self.since_final != 1):
            return
        view = gate_view(state, WORKFLOW, self.now)
        verdict = verdict or state.verdict(self.now)
        assert (view.outcome, view.status) == (state.outcome, state.status)
        cannot = verdict.cannot_pass and state.override is None
        assert (view.step, view.cannot_pass) == (verdict.step, cannot)
        waiting = () if state.closed else verdict.pending
        assert tuple(pending.approver for pending in view.pending) == waiting
        filled: dict[int, list[str]] = {}
        for tally in verdict.tallies:
            seats = filled.setdefault(state.gate.requires[tally.requirement].step, [])
            seats += tally.filled_by
        yes = {(v.holder, v.step) for v in state.ballots.counted() if v.vote.is_yes}
        for step, seated in filled.items():
            assert len(set(seated)) == len(seated), "one seat per person"
            assert {(person, step) for person in seated} <= yes
        for shown in view.requirements:
            assert shown.have <= shown.need
            assert (shown.state == "later") is (shown.step > view.step)
            assert shown.step >= view.step or shown.state == "met"
            assert shown.state != "met" or shown.have == shown.need
            if shown.step == view.step and not shown.veto:
                assert (shown.state == "met") is (shown.have == shown.need)
            assert shown.state != "cannot-pass" or view.cannot_pass or state.override
        if view.cannot_pass and view.requirements:
            assert "cannot-pass" in {shown.state for shown in view.requirements}
            assert shown.why
        if state.outcome and state.outcome.is_pass and not state.override:
            assert {shown.state for shown in view.requirements} == {"met"}
        page = gate_page(view, state.product.name, "Is it worth it?")
        assert page.startswith("### Idea: ")
        assert view.model_validate_json(view.model_dump_json()) == view
        if not state.closed:
            assert set(verdict.pending) <= set(gate_memo(state, view, self.now)["seats"])


def finding(criterion: Criterion, product: ProductFacts) -> CriterionFinding:
    """What the activity says of a criterion, by the product it was shown."""
    state, why = "judged", ""
    if criterion.milestone:
        status = product.milestones.get(criterion.milestone)
        state, why = judged_by_milestone(criterion.milestone, status)
    elif criterion.expression:
        state = "met" if product.figures.get("proven") else "unmet"
    return CriterionFinding(id=criterion.id, kind=criterion.kind, state=state, why=why)


def same_vote(one: object, other: object) -> bool:
    seen = ("approver", "on_behalf_of", "vote", "step", "at", "revision", "comment", "groups")
    return all(getattr(one, name) == getattr(other, name) for name in seen)


def kind(outcome: Outcome | None) -> str | None:
    return "pass" if outcome and outcome.is_pass else outcome


def seats_of(requirement: Requirement) -> list[set[str]]:
    reserved = [{group} for group in requirement.include]
    return reserved + [set(requirement.groups)] * (requirement.need - len(reserved))


def can_fill(seats: Sequence[set[str]], people: Mapping[str, set[str]]) -> bool:
    """Try every way to seat these people."""
    if not seats:
        return True
    return any(
        can_fill(seats[1:], {name: of for name, of in people.items() if name != person})
        for person, groups in people.items()
        if groups & seats[0]
    )


AT_RANDOM = int(os.environ.get("PHASEGATE_ROUNDS", "0"))
EXAMPLES, STEPS, MACHINES = AT_RANDOM or 230, 100, 8
PHASES = list(Phase) if os.environ.get("PHASEGATE_SHRINK") else [Phase.generate]
"""A hundred steps of a whole committee shrink for minutes: fail at once, and shrink on demand."""
LEAST, GAMES = 12_500, 8
"""Steps of each machine, counted as they are played. Hypothesis gives some examples up early, and
draws on constants of whatever modules the process has loaded: the same seed is another game in
another process. So further games are played, of seeds derived from the first, until it is enough.
"""


def machine(number: int) -> type:
    """A machine of its own seed, so that several can play at the same time."""
    name = f"RoundMachine{number}"
    made: type[RoundMachine] = type(name, (RoundMachine,), {"steps": 0, "decided": {}})

    def enough() -> bool:
        return made.steps >= LEAST and made.decided.keys() >= {"go", "hold", "kill"}

    class Played(made.TestCase):  # type: ignore[name-defined,misc]
        def runTest(self) -> None:
            for game in range(GAMES):
                if not AT_RANDOM:
                    seed(number + game * MACHINES)(made)
                super().runTest()
                if enough():
                    return
            raise AssertionError(f"only {made.steps} steps, decided: {made.decided}")

    Played.settings = settings(
        max_examples=EXAMPLES,
        stateful_step_count=STEPS,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=PHASES,
    )
    Played.__name__ = Played.__qualname__ = f"TestRounds{number}"
    return pytest.mark.slow(pytest.mark.timeout(0 if AT_RANDOM else 600)(Played))


for _number in range(1, MACHINES + 1):
    globals()[f"TestRounds{_number}"] = machine(_number)


def test_the_machines_play_a_hundred_thousand_steps() -> None:
    assert LEAST * MACHINES >= 100_000
