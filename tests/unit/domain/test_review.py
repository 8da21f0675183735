"""A round lived through in every way: votes, strangers, holds, clocks, restarts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from phasegate.admission import authorize, check_vote
from phasegate.criteria import judged_by_milestone
from phasegate.errors import Forbidden, Refusal, Rejected
from phasegate.facts import ProductFacts
from phasegate.gate import Clocks, Gate, Requirement, TimeoutAction
from phasegate.gate_view import gate_memo, gate_page, gate_view, lost_round_view
from phasegate.ports import Convened, CriterionFinding
from phasegate.requests import ConfirmRequest, Promise, Receipt, VoteRequest
from phasegate.requirement_view import open_step
from phasegate.review import (
    CHANGED_TEXT_KEPT,
    HANDLED_KEPT,
    REFUSALS_KEPT,
    SHORT_TEXT,
    TEXT_KEPT,
    VOTES_KEPT,
    Round,
)
from phasegate.search import review_attributes
from phasegate.sittings import OpenGate
from phasegate.span import Span
from phasegate.votes import Outcome, Vote

START = datetime(2026, 11, 23, 9, tzinfo=UTC)
DAY = timedelta(days=1)
WORKFLOW = "product/kettle/gate/g1"
GROUPS = ("eng", "fin", "legal")
PEOPLE = ("ann", "bob", "cyd", "dan", "owner", "sue")


def facts(**more: object) -> ProductFacts:
    return ProductFacts.model_validate(
        {
            "key": "kettle",
            "name": "Kettle",
            "owner": "owner",
            "tier": 1,
            "policy": "standard",
            "policy_digest": "sha256:0",
            "directory": "default",
            **more,
        }
    )


def sitting(
    requires: list[Requirement],
    members: dict[str, tuple[str, ...]],
    *,
    convened: dict[str, object] | None = None,
    **gate: object,
) -> Round:
    """A convened round: respond in five days, resolve in ten, reminders on days three and four."""
    return Round(
        product=facts(),
        gate=Gate.model_validate({"id": "g1", "title": "Idea", "requires": requires, **gate}),
        round=1,
        submitter="sue",
        opened_at=START,
        convened=Convened.model_validate(
            {
                "directory_digest": "sha256:1",
                "members": members,
                "respond_due": START + 5 * DAY,
                "resolve_due": START + 10 * DAY,
                "remind_at": [START + 3 * DAY, START + 4 * DAY],
                **(convened or {}),
            }
        ),
    )


def says(approver: str, vote: str, **more: object) -> VoteRequest:
    conditions = [{"text": "docs"}] if vote == "conditional-go" else []
    return VoteRequest.model_validate(
        {"approver": approver, "vote": vote, "request_id": "r", "conditions": conditions, **more}
    )


def cast(state: Round, request: VoteRequest, now: datetime) -> None:
    """Take a vote as the workflow does."""
    check_vote(state, request)
    step = authorize(state, request, now)
    state.cast(request, step=step, now=now, channel="update")
    state.settle(now)


def turn_clocks(state: Round, now: datetime) -> None:
    """Let the clocks act as the workflow does."""
    assert state.convened
    state.reminders_sent = sum(at <= now for at in state.convened.remind_at)
    state.respond_announced = state.respond_announced or now >= state.convened.respond_due
    if state.settle(now).escalate:
        state.extend(now)


@st.composite
def rounds(draw: st.DrawFn) -> Round:
    """A committee with steps, vetoes and reserved seats, and what else decides."""

    def requirement(step: int) -> Requirement:
        any_of = draw(st.lists(st.sampled_from(GROUPS), min_size=1, unique=True))
        veto = draw(st.booleans())
        need = draw(st.integers(0 if veto else 1, 2))
        include = draw(st.lists(st.sampled_from(any_of), max_size=need, unique=True))
        tiers = draw(st.sampled_from([(), (), (1,), (2, 3)]))
        return Requirement(
            any_of=tuple(any_of),
            need=need,
            veto=veto,
            include=tuple(include),
            step=step,
            tiers=tiers,
        )

    requires = [
        requirement(step)
        for step in range(1, draw(st.integers(1, 3)) + 1)
        for _ in range(draw(st.integers(1, 2)))
    ]
    some = st.lists(st.sampled_from(PEOPLE), unique=True, min_size=1).map(tuple)
    kinds = [("must", "met"), ("must", "unmet"), ("should", "unmet"), ("must", "judged")]
    found = draw(st.lists(st.sampled_from(kinds), max_size=2))
    state = sitting(
        requires,
        {group: draw(some) for group in GROUPS},
        wait_for=draw(st.sampled_from(["need", "all"])),
        clocks=Clocks(on_timeout=draw(st.sampled_from(TimeoutAction))),
        convened={
            "criteria": [
                CriterionFinding(id=f"c{i}", kind=kind, state=word)
                for i, (kind, word) in enumerate(found)
            ]
        },
    )
    state.open_conditions = draw(st.sampled_from([[], [], ["g0-1-1"]]))
    return state


class RoundMachine(RuleBasedStateMachine):
    """Everything that can happen to a round, in any order, with its state saved and read back."""

    @initialize(state=rounds())
    def open(self, state: Round) -> None:
        self.now = START
        self.state = state
        self.decided: tuple[object, ...] | None = None
        self.refusals = 0
        self.state.settle(self.now)

    def entitled(self, person: str) -> set[int]:
        """The steps a person may vote in, worked out from the gate and the directory alone."""
        assert self.state.convened
        if person in ("owner", "sue"):
            return set()
        return {
            requirement.step
            for requirement in self.state.gate.requires
            if not requirement.tiers or 1 in requirement.tiers
            for group in requirement.groups
            if person in self.state.convened.members[group]
        }

    @rule(
        who=st.sampled_from([*PEOPLE, "stranger"]),
        vote=st.sampled_from([*Vote, Vote.go, Vote.go]),
        stale=st.sampled_from([False, False, False, True]),
    )
    def vote(self, who: str, vote: Vote, stale: bool) -> None:
        state, request = self.state, says(who, vote, revision="r0" if stale else None)
        before = state.model_dump_json()
        refusal = self.attempt(request)
        if refusal is None:
            newest = state.votes[-1]
            assert (newest.approver, newest.vote, newest.state) == (who, vote, "standing")
            assert newest.step in self.entitled(who)
            assert not stale
            return
        assert state.model_dump_json() == before, "a refused vote leaves no trace by itself"
        assert refusal.hint.startswith("phasegate ")
        reasons = {
            "gate-decided": state.closed,
            "gate-on-hold": state.paused_at is not None,
            "stale-revision": stale,
            "later-step": bool(self.entitled(who)),
            "self-approval": who in ("owner", "sue"),
            "stranger": not self.entitled(who),
        }
        assert reasons[refusal.code]
        if isinstance(refusal, Forbidden):
            self.refuse(who, refusal)

    def attempt(self, request: VoteRequest) -> Refusal | None:
        try:
            cast(self.state, request, self.now)
        except Refusal as refusal:
            return refusal
        return None

    def refuse(self, who: str, refusal: Forbidden) -> None:
        room = self.refusals < REFUSALS_KEPT
        kept = self.state.refuse(who, refusal, now=self.now, channel="update")
        assert kept is room
        self.refusals += 1

    @rule(times=st.integers(1, 40))
    def pester(self, times: int) -> None:
        for _ in range(times):
            self.refuse("stranger", Forbidden("stranger", "may not vote", "sits nowhere"))

    @rule(hours=st.integers(1, 24 * 12))
    def time_passes(self, hours: int) -> None:
        """A worker may have slept long; the clocks act on what they find when it is back."""
        self.now += timedelta(hours=hours)
        wake = self.state.next_wake(self.now)
        if wake and wake <= self.now:
            turn_clocks(self.state, self.now)
            after = self.state.next_wake(self.now)
            assert after is None or after > self.now, "the clocks would spin"
            assert (after is None) is self.state.closed

    @rule()
    def pause(self) -> None:
        self.state.pause(self.now)

    @rule()
    def resume(self) -> None:
        state, now = self.state, self.now
        assert state.convened
        dues = state.convened.model_copy(deep=True)
        stood_still = now - state.paused_at if state.paused_at and not state.closed else 0 * DAY
        state.resume(now)
        assert state.convened.respond_due - dues.respond_due == stood_still
        assert state.convened.resolve_due - dues.resolve_due == stood_still
        assert [at - stood_still for at in state.convened.remind_at] == dues.remind_at
        assert state.closed or state.paused_at is None
        if not state.closed:
            state.settle(now)

    @precondition(lambda self: self.state.open_conditions and not self.state.paused_at)
    @rule()
    def condition_is_kept(self) -> None:
        self.state.open_conditions.clear()
        self.state.settle(self.now)

    @precondition(lambda self: self.now > START + 20 * DAY)
    @rule()
    def abandon(self) -> None:
        self.state.abandon("cancelled", self.now)

    @rule()
    def another_worker_takes_over(self) -> None:
        read_back = Round.model_validate_json(self.state.model_dump_json())
        assert read_back == self.state
        assert read_back.verdict(self.now) == self.state.verdict(self.now)
        self.state = read_back

    @invariant()
    def decided_is_final(self) -> None:
        state = self.state
        result = (state.outcome, state.abandoned, state.decided_at, state.why, state.standing())
        if self.decided is not None:
            assert result == self.decided
        elif state.closed:
            self.decided = result
            assert state.decided_at == self.now
        assert not (state.outcome and state.abandoned)

    @invariant()
    def a_pass_is_earned(self) -> None:
        if self.state.outcome and self.state.outcome.is_pass:
            assert not self.state.open_conditions
            assert any(vote.vote.is_yes for vote in self.state.standing())
            assert self.state.convened
            musts = [c.state for c in self.state.convened.criteria if c.kind == "must"]
            assert "unmet" not in musts

    @invariant()
    def votes_are_those_of_entitled_people_one_per_step(self) -> None:
        standing = self.state.standing()
        places = [(vote.approver, vote.step) for vote in standing]
        assert len(set(places)) == len(places)
        assert all(step in self.entitled(person) for person, step in places)

    @invariant()
    def refusals_are_bounded_and_counted(self) -> None:
        assert len(self.state.refused) == min(self.refusals, REFUSALS_KEPT)
        assert len(self.state.refused) + self.state.refused_more == self.refusals

    @invariant()
    def it_sleeps_only_while_nothing_is_due(self) -> None:
        wake = self.state.next_wake(self.now)
        assert (wake is None) is (self.state.closed or self.state.paused_at is not None)

    @invariant()
    def what_is_shown_agrees_with_the_verdict(self) -> None:
        state = self.state
        view = gate_view(state, WORKFLOW, self.now)
        verdict = state.verdict(self.now)
        assert view.outcome == state.outcome
        assert (view.step, view.cannot_pass) == (verdict.step, verdict.cannot_pass)
        assert view.status in ("open", "on-hold", "decided")
        assert (view.status == "decided") is state.closed
        if not state.closed:
            assert [pending.approver for pending in view.pending] == list(verdict.pending)
            assert all(view.step in self.entitled(p.approver) for p in view.pending)
        else:
            assert view.pending == []
        applying = [r for r in state.gate.requires if not r.tiers or 1 in r.tiers]
        assert [r.need for r in view.requirements] == [r.need for r in applying]
        for shown in view.requirements:
            assert shown.have <= shown.need
            assert (shown.state == "later") is (shown.step > view.step)
            assert shown.state != "met" or shown.have == shown.need
            if shown.step <= view.step and not shown.veto:
                assert (shown.state == "met") is (shown.have == shown.need)
            assert shown.state != "cannot-pass" or view.cannot_pass
        if view.outcome in ("go", "conditional-go"):
            assert {shown.state for shown in view.requirements} == {"met"}
        assert len(view.votes) == len(state.votes)
        assert view.model_validate_json(view.model_dump_json()) == view
        assert gate_page(view, state.product.name, "Is it worth it?").startswith("### Idea: ")


RoundMachine.TestCase.settings = settings(max_examples=120, stateful_step_count=25, deadline=None)
TestRound = RoundMachine.TestCase

ONE = [Requirement(group="eng")]


def test_a_person_in_two_steps_is_asked_in_each() -> None:
    requires = [Requirement(group="eng"), Requirement(group="legal", step=2)]
    state = sitting(requires, {"eng": ("ann",), "legal": ("ann", "lea")})
    cast(state, says("ann", "go"), START)
    assert state.outcome is None
    cast(state, says("ann", "go"), START)
    assert [vote.step for vote in state.standing()] == [1, 2]
    assert state.outcome is Outcome.go


def test_a_vote_for_a_step_that_is_not_open_says_which_one_is() -> None:
    requires = [Requirement(group="eng"), Requirement(group="legal", step=2)]
    state = sitting(requires, {"eng": ("ann",), "legal": ("lea",)})
    with pytest.raises(Rejected, match="lea votes in step 2 of g1: step 1 is still open"):
        cast(state, says("lea", "go"), START)


def test_a_latecomer_of_an_earlier_step_may_still_vote_and_may_stop_nothing_by_it() -> None:
    requires = [Requirement(group="eng"), Requirement(group="legal", step=2)]
    state = sitting(requires, {"eng": ("ann", "bob"), "legal": ("lea",)})
    cast(state, says("ann", "go"), START)
    cast(state, says("bob", "kill"), START)
    cast(state, says("lea", "go"), START)
    assert state.outcome is Outcome.go


def test_changing_a_yes_reopens_its_step_and_keeps_the_later_votes() -> None:
    requires = [Requirement(group="eng"), Requirement(group="legal", step=2, need=2)]
    state = sitting(requires, {"eng": ("ann", "bob"), "legal": ("lea", "max")})
    cast(state, says("ann", "go"), START)
    cast(state, says("lea", "go"), START)
    cast(state, says("ann", "abstain"), START)
    assert (state.verdict(START).step, state.verdict(START).pending) == (1, ("bob",))
    cast(state, says("bob", "go"), START)
    assert state.verdict(START).pending == ("max",)
    assert [(v.approver, v.vote.value) for v in state.votes if v.state == "changed"] == [
        ("ann", "go")
    ]


def test_the_word_after_a_decision_is_in_the_refusal() -> None:
    state = sitting(ONE, {"eng": ("ann", "bob")})
    cast(state, says("ann", "go"), START)
    with pytest.raises(Rejected, match="round 1 is decided: go") as refused:
        cast(state, says("bob", "kill"), START)
    assert refused.value.hint == "phasegate gate show kettle/g1"
    ended = sitting(ONE, {"eng": ("ann",)})
    ended.abandon("cancelled", START)
    with pytest.raises(Rejected, match="round 1 is decided: abandoned"):
        cast(ended, says("ann", "go"), START)


@pytest.mark.parametrize(
    ("who", "role"), [("owner", "owns the product"), ("sue", "submitted the gate")]
)
def test_nobody_approves_their_own_work_even_as_a_member(who: str, role: str) -> None:
    state = sitting(ONE, {"eng": ("ann", "owner", "sue")})
    with pytest.raises(Forbidden, match=role) as refused:
        cast(state, says(who, "go"), START)
    assert refused.value.code == "self-approval"


def test_a_stranger_is_told_whose_gate_it_is() -> None:
    groups = ("support", "legal", "qa", "eng", "fin")
    requires = [Requirement(any_of=groups), Requirement(group="eng", step=2)]
    state = sitting(requires, {"eng": ("ann",), "legal": ("lea",)})
    named = r"zed sits in none of its groups \(eng, fin, legal, qa, support\)"
    with pytest.raises(Forbidden, match=named):
        cast(state, says("zed", "go"), START)


def test_a_vote_on_evidence_that_has_changed_is_stale() -> None:
    state = sitting(ONE, {"eng": ("ann",)})
    seen = state.revision
    state.product.evidence.append({"title": "plan", "link": "https://x", "digest": ""})
    assert state.revision != seen
    assert state.revision.startswith("r")
    assert len(state.revision) == 13
    with pytest.raises(Rejected, match=f"evidence {seen}"):
        cast(state, says("ann", "go", revision=seen), START)
    cast(state, says("ann", "go", revision=state.revision), START)
    assert state.votes[0].revision == state.revision


def test_on_hold_no_vote_counts_and_no_deadline_passes() -> None:
    """The clocks stand still: what is shown on day 100 is what was true when it was held."""
    state = sitting(
        [Requirement(group="eng", veto=True)],
        {"eng": ("ann", "bob")},
        clocks=Clocks(on_timeout=TimeoutAction.kill),
    )
    cast(state, says("ann", "recycle"), START)
    held, much_later = START + 2 * DAY, START + 100 * DAY
    state.pause(held)
    state.pause(held + DAY)
    assert state.paused_at == held
    with pytest.raises(Rejected, match="the product is on hold") as refused:
        cast(state, says("bob", "go"), much_later)
    assert refused.value.hint == "phasegate product show kettle  # its owner can resume it"
    assert state.settle(much_later).outcome is None
    assert "deadline" not in gate_view(state, WORKFLOW, much_later).why
    assert state.next_wake(much_later) is None
    state.resume(much_later)
    assert state.next_wake(much_later) == much_later + DAY
    assert state.settle(much_later + 3 * DAY).outcome is Outcome.recycle


def test_a_hold_before_the_round_is_convened_shifts_nothing_yet() -> None:
    state = Round(
        product=facts(), gate=Gate(id="g1", title="x", requires=tuple(ONE)), round=1, submitter="s"
    )
    assert (state.next_wake(START), state.status, state.steps()[0].people) == (None, "open", {})
    state.pause(START)
    assert state.status == "on-hold"
    state.resume(START + DAY)
    assert state.status == "open"
    view = gate_view(state, WORKFLOW, START)
    assert (view.why, view.pending, view.respond_due) == ("the round is being convened", [], None)
    assert [r.state for r in view.requirements] == ["waiting"]


def test_a_round_that_was_abandoned_on_hold_stays_as_it_ended() -> None:
    state = sitting(ONE, {"eng": ("ann",)})
    state.pause(START + DAY)
    state.abandon("cancelled", START + 2 * DAY)
    ended = state.model_dump()
    state.resume(START + 3 * DAY)
    state.pause(START + 4 * DAY)
    state.abandon("again", START + 5 * DAY)
    assert state.model_dump() == ended
    assert gate_page(gate_view(state, WORKFLOW, START), "K", "").startswith("### Idea: ABANDONED")


def test_the_clocks_of_a_silent_round_one_after_the_other() -> None:
    state = sitting(ONE, {"eng": ("ann",)})
    seen = []
    while len(seen) < 6:
        now = state.next_wake(START)
        assert now is not None
        seen.append((now - START).days)
        turn_clocks(state, now)
    assert seen == [3, 4, 5, 10, 20, 30], "reminders, respond, resolve, then each escalation"
    assert (state.escalations, state.outcome) == (3, None)


def test_an_escalation_starts_the_resolve_clock_again_and_says_for_how_long() -> None:
    state = sitting(ONE, {"eng": ("ann",)}, clocks=Clocks(resolve=Span.parse("2 months")))
    assert state.extend(START) == timedelta(days=61)
    assert state.convened
    assert state.convened.resolve_due == datetime(2027, 1, 23, 9, tzinfo=UTC)


@pytest.mark.parametrize("action", ["hold", "kill"])
def test_a_silent_round_ends_as_its_policy_says(action: str) -> None:
    clocks = Clocks(on_timeout=TimeoutAction(action))
    state = sitting(ONE, {"eng": ("ann",)}, clocks=clocks)
    assert state.settle(START + 10 * DAY - timedelta(seconds=1)).outcome is None
    assert state.settle(START + 10 * DAY).outcome == action
    assert "the resolve deadline passed" in state.why


def test_somebody_who_keeps_changing_their_mind_does_not_outgrow_the_state() -> None:
    """The longest vote there is, again and again: the state stays small."""
    state = sitting([Requirement(group="eng", need=2)], {"eng": ("ann", "bob")})
    cast(state, says("bob", "go", comment="stays"), START)
    long = [Promise(text="p" * 500)] * 5
    for i in range(VOTES_KEPT + 50):
        word, more = ("conditional-go", {"conditions": long}) if i % 2 else ("hold", {})
        request = says("ann", word, comment="c" * 2000, **more)
        step = authorize(state, request, START)
        state.cast(request, step=step, now=START, channel="update")
    assert len(state.votes) <= VOTES_KEPT
    changed = [vote for vote in state.votes if vote.state == "changed"]
    assert 0 < sum(vote.length for vote in changed) <= CHANGED_TEXT_KEPT
    assert len(state.model_dump_json()) < 500_000
    assert [vote.approver for vote in state.standing()] == ["bob", "ann"]
    assert state.votes[0].comment == "stays"


def test_of_many_short_changes_the_newest_are_kept() -> None:
    state = sitting([Requirement(group="eng", need=2)], {"eng": ("ann", "bob")})
    for i in range(VOTES_KEPT + 3):
        state.cast(says("ann", "go", comment=f"{i}"), step=1, now=START, channel="signal")
    assert [vote.comment for vote in state.votes] == [str(i) for i in range(3, VOTES_KEPT + 3)]


def test_standing_votes_are_never_forgotten() -> None:
    crowd = tuple(f"p{i:03}" for i in range(VOTES_KEPT + 5))
    state = sitting([Requirement(group="eng", need=50)], {"eng": crowd})
    for person in crowd:
        state.cast(says(person, "hold", comment="x" * 300), step=1, now=START, channel="update")
    assert len(state.standing()) == len(crowd)


def test_answers_are_kept_for_retries_and_the_oldest_go_first() -> None:
    state = sitting(ONE, {"eng": ("ann",)})
    for i in range(HANDLED_KEPT + 2):
        state.remember(f"r{i}", Receipt(workflow_id=WORKFLOW, text=f"{i}"))
    assert len(state.handled) == HANDLED_KEPT
    assert next(iter(state.handled)) == "r2"
    assert state.handled[f"r{HANDLED_KEPT + 1}"].text == f"{HANDLED_KEPT + 1}"


def test_conditions_of_standing_votes_are_united_and_numbered() -> None:
    state = sitting([Requirement(group="eng", need=3)], {"eng": ("ann", "bob", "cyd")})
    due = datetime(2027, 1, 1, tzinfo=UTC)
    first = [Promise(text="dropped"), Promise(text="dropped too")]
    cast(state, says("ann", "conditional-go", conditions=first), START)
    cast(state, says("ann", "conditional-go", conditions=[Promise(text="docs")]), START)
    bobs = [Promise(text="audit", owner="lea", due=due)]
    cast(state, says("bob", "conditional-go", conditions=bobs), START)
    cast(state, says("cyd", "go"), START)
    shown = gate_view(state, WORKFLOW, START).conditions
    assert state.outcome is Outcome.conditional_go
    assert [(c.id, c.text, c.owner, c.due, c.state) for c in shown] == [
        ("g1-1-1", "docs", "owner", None, "open"),
        ("g1-1-2", "audit", "lea", due, "open"),
    ]


def test_the_view_explains_each_requirement() -> None:
    requires = [
        Requirement(group="eng", need=2),
        Requirement(group="fin"),
        Requirement(group="sales", need=0, veto=True),
        Requirement(group="legal", step=2),
        Requirement(group="ops", tiers=(3,)),
    ]
    members = {"eng": ("ann", "bob"), "fin": ("fay",), "legal": ("lea",), "sales": ("sam",)}
    state = sitting(requires, members)
    cast(state, says("ann", "go"), START)
    cast(state, says("fay", "go"), START)
    shown = gate_view(state, WORKFLOW, START).requirements
    assert [(r.group, r.state, r.have, r.why) for r in shown] == [
        ("eng", "waiting", 1, "1 more from eng"),
        ("fin", "met", 1, "yes from fay"),
        ("sales", "waiting", 0, "may still veto: sam"),
        ("legal", "later", 0, "step 2 follows step 1"),
    ]
    cast(state, says("bob", "recycle"), START)
    view = gate_view(state, WORKFLOW, START)
    assert (view.cannot_pass, view.outcome) == (True, None)
    assert view.requirements[0].state == "cannot-pass"
    assert "### Idea: cannot pass" in gate_page(view, "Kettle", "")


@pytest.mark.parametrize(
    ("word", "shown"),
    [
        ("abstain", ("met", "no veto")),
        ("go", ("met", "no veto")),
        ("hold", ("cannot-pass", "veto: sam says hold")),
    ],
)
def test_the_view_says_whether_a_veto_was_used(word: str, shown: tuple[str, str]) -> None:
    requires = [Requirement(group="eng"), Requirement(group="sales", need=0, veto=True)]
    state = sitting(requires, {"eng": ("ann",), "sales": ("sam",)})
    cast(state, says("sam", word), START)
    sales = gate_view(state, WORKFLOW, START).requirements[1]
    assert (sales.state, sales.why) == shown


def test_the_memo_of_the_inbox_is_plain_json_and_names_the_open_step() -> None:
    requires = [Requirement(group="eng"), Requirement(group="legal", step=2)]
    state = sitting(requires, {"eng": ("ann",), "legal": ("lea",)})
    cast(state, says("ann", "go"), START)
    verdict = state.verdict(START)
    assert gate_memo(state, verdict.step) == {
        "opened_at": "2026-11-23T09:00:00+00:00",
        "respond_due": "2026-11-28T09:00:00+00:00",
        "resolve_due": "2026-12-03T09:00:00+00:00",
        "revision": state.revision,
        "round": 1,
        "step": 2,
        "members": {"eng": ["ann"], "legal": ["lea"]},
    }
    assert set(open_step(state, verdict).people) == {"lea"}


@pytest.mark.parametrize(
    "due",
    ["0001-01-01T00:00:00+23:00", "9999-12-31T23:59:59-05:00", "0001-01-01", "1969-12-31"],
)
def test_a_date_at_the_edge_of_the_calendar_is_refused_and_breaks_nothing(due: str) -> None:
    with pytest.raises(ValueError, match=r"conditions\.0\.due"):
        says("ann", "conditional-go", conditions=[{"text": "docs", "due": due}])


@pytest.mark.parametrize(
    ("vote", "conditions", "message"),
    [
        ("conditional-go", [], "needs at least one condition"),
        ("go", [{"text": "docs"}], "conditions go with conditional-go, not with go"),
        ("conditional-go", [{"text": "  "}], "at least 1 character"),
        ("conditional-go", [{"text": "x"}] * 6, "at most 5"),
        ("maybe", [], "go"),
    ],
)
def test_votes_that_make_no_sense(vote: str, conditions: list[object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        says("ann", vote, conditions=conditions)


def test_a_round_takes_so_much_text_and_then_short_texts_only() -> None:
    """Two megabytes are a payload's end; sizes are counted in bytes, not in characters."""
    crowd = tuple(f"p{i:03}" for i in range(100))
    state = sitting([Requirement(group="eng", need=50)], {"eng": crowd}, wait_for="all")
    taken = TEXT_KEPT // 6000
    for person in crowd[:taken]:
        cast(state, says(person, "go", comment="語" * 2000), START)
    for person in crowd[taken:]:
        with pytest.raises(Rejected, match="6000 bytes of text") as refused:
            cast(state, says(person, "go", comment="語" * 2000), START)
        assert refused.value.code == "text-too-long"
        cast(state, says(person, "go", comment="語" * (SHORT_TEXT // 3)), START)
    assert len(state.standing()) == 100
    assert len(state.model_dump_json().encode()) < 2 * TEXT_KEPT


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("met", "met"),
        ("waived", "judged"),
        ("planned", "unmet"),
        ("missed", "unmet"),
        (None, "unmet"),
    ],
)
def test_what_a_milestone_says_about_its_criterion(status: str | None, state: str) -> None:
    found, why = judged_by_milestone("beta", status)
    assert found == state
    assert "beta" in why


def test_criteria_follow_the_milestone_they_name_while_the_round_sits() -> None:
    criteria = [
        {"id": "done", "text": "Beta done", "milestone": "beta"},
        {"id": "liked", "text": "Customers like it"},
    ]
    unmet = [
        {"id": "done", "kind": "must", "state": "unmet"},
        {"id": "liked", "kind": "must", "state": "judged"},
    ]
    state = sitting(
        [Requirement(group="eng")],
        {"eng": ("ann",)},
        convened={"criteria": unmet},
        criteria=criteria,
    )
    cast(state, says("ann", "go"), START)
    assert state.outcome is None
    state.hear_of_milestone("other", "met")
    state.settle(START)
    assert state.outcome is None
    state.hear_of_milestone("beta", "met")
    state.settle(START)
    assert state.outcome is Outcome.go


def test_a_round_that_is_not_convened_yet_learns_of_milestones_when_it_is() -> None:
    state = Round(
        product=facts(),
        gate=Gate(id="g1", title="Idea", requires=(Requirement(group="eng"),)),
        round=1,
        submitter="sue",
    )
    before = state.model_copy(deep=True)
    state.hear_of_milestone("beta", "met")
    assert state == before


def test_a_round_that_was_lost_shows_as_decided_without_an_outcome() -> None:
    sitting_gate = OpenGate(gate="g1", round=2, workflow_id=WORKFLOW, token="t")
    view = lost_round_view("kettle", sitting_gate, "ended from outside", START)
    assert (view.status, view.outcome, view.round, view.why) == (
        "decided",
        None,
        2,
        "ended from outside",
    )


def test_the_attributes_a_round_starts_with() -> None:
    assert review_attributes(facts(), "g1") == {
        "PhasegateStatus": "open",
        "PhasegateProduct": "kettle",
        "PhasegateOwner": "owner",
        "PhasegatePolicy": "standard",
        "PhasegateGate": "g1",
    }


def test_a_retry_is_the_same_persons_with_the_same_id() -> None:
    assert says("ann", "go").key == says("ann", "kill").key
    assert says("ann", "go").key != says("bob", "go").key
    assert ConfirmRequest(actor="ann", task="t", note="n", request_id="r").key == "ann/r"
