"""One round of a gate: steps, evidence in mid-gate, who leaves, what is kept and for how long."""

from __future__ import annotations

import pytest
from committee import (
    DAY,
    ONE,
    START,
    TWO,
    TWO_STEPS,
    WORKFLOW,
    again,
    cast,
    convened,
    facts,
    forbidden,
    hear,
    may,
    opened,
    refused,
    says,
    sitting,
    take,
)

from phasegate import chair
from phasegate.casting import CHANGED_TEXT_KEPT, VOTES_KEPT
from phasegate.criteria import judged_by_milestone
from phasegate.errors import Forbidden
from phasegate.gate import Clocks, Requirement, TimeoutAction
from phasegate.gate_requests import AttestRequest, OverrideRequest
from phasegate.requests import Promise, Receipt
from phasegate.review import HANDLED_KEPT, REFUSALS_KEPT, SHORT_TEXT, TEXT_KEPT, Round
from phasegate.votes import Outcome


def standing(state: Round) -> list[tuple[str, str, int]]:
    return [(v.holder, v.vote.value, v.step) for v in state.ballots.standing()]


# -- steps ----------------------------------------------------------------------------------------


def test_a_person_in_two_steps_is_asked_in_each() -> None:
    state = sitting(TWO_STEPS, {"eng": ("ann",), "legal": ("ann", "lea")})
    cast(state, "ann", "go")
    assert state.outcome is None
    cast(state, "ann", "go")
    assert standing(state) == [("ann", "go", 1), ("ann", "go", 2)]
    assert state.outcome is Outcome.go


def test_the_next_step_has_its_own_days_to_answer_and_the_gate_the_same_end() -> None:
    state = sitting(TWO_STEPS, {"eng": ("ann",), "legal": ("lea",)})
    assert state.people_asked() == ["ann"]
    cast(state, "ann", "go", START + 3 * DAY)
    assert (state.step, state.step_since) == (2, START + 3 * DAY)
    assert state.people_asked() == ["ann", "lea"]
    assert state.asked_since("lea") == START + 3 * DAY
    assert [(w.why, w.order.kind) for w in state.clocks.again] == [("step", "respond")]
    again(state)
    assert state.clocks.timetable
    assert state.clocks.timetable.respond["lea"] == START + 8 * DAY
    assert state.clocks.timetable.resolve == START + 10 * DAY


def test_a_latecomer_of_an_earlier_step_may_still_vote_and_may_stop_nothing_by_it() -> None:
    state = sitting(TWO_STEPS, {"eng": ("ann", "bob"), "legal": ("lea",)})
    cast(state, "ann", "go")
    cast(state, "bob", "kill")
    cast(state, "lea", "go")
    assert state.outcome is Outcome.go


def test_changing_a_yes_reopens_its_step_and_keeps_the_later_votes() -> None:
    requires = [Requirement(group="eng"), Requirement(group="legal", step=2, need=2)]
    state = sitting(requires, {"eng": ("ann", "bob"), "legal": ("lea", "max")})
    cast(state, "ann", "go")
    cast(state, "lea", "go")
    cast(state, "ann", "abstain")
    assert (state.verdict(START).step, state.verdict(START).pending) == (1, ("bob",))
    cast(state, "bob", "go")
    assert state.verdict(START).pending == ("max",)
    changed = [v for v in state.ballots.votes if v.state == "changed"]
    assert [(v.approver, v.vote.value) for v in changed] == [("ann", "go")]


def test_a_step_that_opens_while_the_directory_is_asked_is_asked_about_once() -> None:
    state = sitting(TWO_STEPS, {"eng": ("ann", "bob"), "legal": ("lea",)})
    state.clocks.ask_again("directory", "keep", START)
    for word in ("go", "abstain", "go"):
        cast(state, "ann", word)
    assert [w.why for w in state.clocks.again] == ["directory", "step"]


# -- decided --------------------------------------------------------------------------------------


def test_the_word_after_a_decision_is_in_the_refusal() -> None:
    state = sitting(ONE, {"eng": ("ann", "bob")})
    cast(state, "ann", "go")
    found = refused("gate-decided", lambda: cast(state, "bob", "kill"), "round 1 is decided: go")
    assert found.hint == "phasegate gate show kettle/g1"
    ended = sitting(ONE, {"eng": ("ann",)})
    ended.abandon("cancelled", START)
    refused("gate-decided", lambda: cast(ended, "ann", "go"), "round 1 is decided: abandoned")


def test_decided_is_final_and_time_changes_nothing_of_what_is_shown() -> None:
    state = sitting(ONE, {"eng": ("ann", "bob")}, clocks=Clocks(on_timeout=TimeoutAction.kill))
    cast(state, "ann", "go")
    before = state.model_dump()
    state.pause(START + DAY)
    state.resume(START + 2 * DAY)
    state.abandon("late", START + 3 * DAY)
    assert state.settle(START + 100 * DAY).outcome is Outcome.go
    assert state.model_dump() == before
    assert state.next_wake(START + DAY) is None


def test_a_round_that_was_abandoned_on_hold_stays_as_it_ended() -> None:
    state = sitting(ONE, {"eng": ("ann",)})
    state.pause(START + DAY)
    state.abandon("cancelled", START + 2 * DAY)
    ended = state.model_dump()
    state.resume(START + 3 * DAY)
    state.pause(START + 4 * DAY)
    state.abandon("again", START + 5 * DAY)
    assert state.model_dump() == ended


@pytest.mark.parametrize("action", ["hold", "kill"])
def test_a_silent_round_ends_as_its_policy_says(action: str) -> None:
    state = sitting(ONE, {"eng": ("ann",)}, clocks=Clocks(on_timeout=TimeoutAction(action)))
    assert state.settle(START + 10 * DAY - DAY / 86400).outcome is None
    assert state.settle(START + 10 * DAY).outcome == action
    assert "the resolve deadline passed" in state.why


def test_on_hold_nothing_is_decided_and_what_is_due_is_decided_afterwards() -> None:
    state = sitting(ONE, {"eng": ("ann",)})
    state.open_conditions.append("g0-1-1")
    cast(state, "ann", "go")
    state.pause(START)
    state.open_conditions.clear()
    assert state.settle(START).outcome is Outcome.go
    assert state.outcome is None
    state.resume(START + DAY)
    state.settle(START + DAY)
    assert state.outcome is Outcome.go


# -- people who have a hand in it -----------------------------------------------------------------


def test_whoever_submits_evidence_loses_every_vote_also_a_kill_and_those_cast_for_others() -> None:
    state = sitting(TWO, {"eng": ("ann", "bob", "cyd")}, found={"deputies": {"bob": "ann"}})
    now = START + 6 * DAY
    cast(state, "ann", "go", now, on_behalf_of="bob")
    void = hear(state, now, by="ann")
    assert [(v.holder, v.state) for v in void] == [("bob", "voided")]
    assert void[0].why == "who votes may not have a hand in it"
    assert state.asked_again == {"bob": now}
    again(state)
    assert state.verdict(now).pending == ("bob", "cyd")
    assert state.stand_ins("bob", now) == ()
    forbidden(
        "self-approval", lambda: cast(state, "ann", "go", now), "ann submitted evidence for it"
    )


@pytest.mark.parametrize(("said", "stands"), [("go", []), ("kill", [("ann", "kill", 1)])])
def test_a_no_of_somebody_who_is_then_given_the_product_stands(
    said: str, stands: list[tuple[str, str, int]]
) -> None:
    """Else an owner could end a veto by handing the product to who gave it."""
    state = sitting(TWO, {"eng": ("ann", "bob", "cyd")})
    cast(state, "ann", said)
    state.hear(facts(owner="ann"), START)
    again(state)
    assert standing(state) == stands
    assert state.verdict(START).pending == ("bob", "cyd")
    why = "owned the product while the gate was open"
    assert state.barred == {"owner": why, "sue": "submitted the gate", "ann": "owns the product"}


def test_what_somebody_attested_who_then_owns_the_product_does_not_stand() -> None:
    criteria = [{"id": "safe", "text": "Safe", "attested_by": "qa"}]
    members = {"eng": ("ann",), "qa": ("kim",)}
    state = sitting(ONE, members, criteria=criteria)
    said = {"criterion": "safe", "state": "met", "note": "tested", "request_id": "r"}
    chair.attest(state, AttestRequest.model_validate({"actor": "kim", **said}), START)
    cast(state, "ann", "abstain")
    assert state.scorecard().unmet_musts() == ()
    state.hear(facts(owner="kim"), START)
    assert state.scorecard().unmet_musts() == ("safe",)


# -- evidence in mid-gate -------------------------------------------------------------------------


def test_new_evidence_voids_yes_votes_and_a_kill_stands_marked_with_what_it_saw() -> None:
    state = sitting(TWO, {"eng": ("ann", "bob", "cyd", "dan")})
    seen, now = state.revision, START + DAY
    cast(state, "ann", "conditional-go")
    cast(state, "bob", "kill")
    cast(state, "dan", "abstain")
    void = hear(state, now)
    assert state.revision != seen
    assert [(v.approver, v.state, v.why) for v in void] == [
        ("ann", "voided", f"the evidence is now {state.revision}")
    ]
    assert standing(state) == [("bob", "kill", 1), ("dan", "abstain", 1)]
    assert {v.revision for v in state.ballots.votes} == {seen}
    assert state.asked_again == {"ann": now}
    again(state)
    assert state.verdict(now).pending == ("ann", "cyd")
    assert state.promises() == []
    assert state.clocks.timetable
    assert state.clocks.timetable.respond["ann"] == now + 5 * DAY, "they have their days again"


def test_a_definition_that_changes_is_a_new_revision_and_an_owner_is_not() -> None:
    state = sitting(TWO, {"eng": ("ann", "bob")})
    cast(state, "ann", "go")
    assert state.hear(facts(owner="zoe"), START) == []
    assert standing(state) == [("ann", "go", 1)]
    changed = facts(owner="zoe", definition={"summary": "larger"})
    assert [v.approver for v in state.hear(changed, START)] == ["ann"]
    kinds = [(w.why, w.order.kind) for w in state.clocks.again]
    assert kinds == [("facts", "keep"), ("facts", "respond")]


def test_new_evidence_voids_what_was_attested_as_met_and_nothing_else() -> None:
    criteria = [{"id": c, "text": c, "attested_by": "qa"} for c in ("safe", "fast")]
    members = {"eng": ("ann",), "qa": ("kim",)}
    state = sitting(ONE, members, criteria=criteria)
    for criterion, word in (("safe", "met"), ("fast", "unmet")):
        said = {"criterion": criterion, "state": word, "note": "tested", "request_id": "r"}
        chair.attest(state, AttestRequest.model_validate({"actor": "kim", **said}), START)
    hear(state)
    assert [(a.criterion, a.voided) for a in state.attestations] == [
        ("safe", True),
        ("fast", False),
    ]
    why = {s.id: s.why for s in state.scorecard().views()}
    assert why == {"safe": "to be attested by qa", "fast": "kim attests: tested"}


def test_new_evidence_reopens_the_first_step() -> None:
    state = sitting(TWO_STEPS, {"eng": ("ann",), "legal": ("lea",)})
    cast(state, "ann", "go")
    again(state)
    hear(state)
    again(state)
    state.settle(START)
    assert (state.step, state.verdict(START).pending) == (1, ("ann",))


def test_nothing_is_decided_until_it_is_known_whom_a_change_asks() -> None:
    """The tier may be another now, and with it the requirements."""
    requires = [Requirement(group="eng"), Requirement(group="legal", tiers=(1,))]
    state = sitting(requires, {"eng": ("ann",), "legal": ("lea",)}, facts={"tier": 2})
    state.hear(facts(tier=1), START)
    cast(state, "ann", "go")
    assert state.outcome is None
    again(state)
    state.settle(START)
    assert (state.outcome, state.verdict(START).pending) == (None, ("lea",))


def test_a_vote_names_the_evidence_it_saw_and_is_refused_when_that_has_changed() -> None:
    state = sitting(ONE, {"eng": ("ann",)})
    seen = state.revision
    assert seen.startswith("r")
    assert len(seen) == 13
    hear(state)
    stale = says("ann", "go", revision=seen)
    found = refused("stale-revision", lambda: take(state, stale), f"evidence {seen}")
    assert f"then vote with --revision {state.revision}" in found.hint
    vote = cast(state, "ann", "go", revision=state.revision)
    assert vote.revision == state.revision


def test_a_vote_that_names_no_evidence_is_recorded_with_what_it_counted_on() -> None:
    state = sitting(TWO, {"eng": ("ann", "bob")})
    hear(state)
    vote = cast(state, "ann", "go")
    assert vote.revision == state.revision
    assert state.ballots.standing() == [vote]


# -- the directory changes ------------------------------------------------------------------------


def test_leaving_a_group_takes_a_seat_that_is_empty_and_no_vote_that_was_cast() -> None:
    state = sitting(TWO, {"eng": ("ann", "bob", "cyd")})
    cast(state, "ann", "go")
    again_with = {"eng": ("cyd", "dan")}
    state.clocks.ask_again("directory", "keep", START)
    again(state, again_with)
    verdict = state.verdict(START)
    assert verdict.pending == ("cyd", "dan")
    assert verdict.tallies[0].filled_by == ("ann",)
    cast(state, "dan", "go")
    assert state.outcome is Outcome.go


def test_a_vote_keeps_the_seats_it_was_cast_with_when_one_of_two_groups_is_left() -> None:
    requires = [Requirement(group="eng"), Requirement(group="legal")]
    state = sitting(requires, {"eng": ("ann", "bob"), "legal": ("ann",)})
    cast(state, "ann", "go")
    state.clocks.ask_again("directory", "keep", START)
    again(state, {"eng": ("ann", "bob"), "legal": ()})
    assert not state.verdict(START).cannot_pass
    cast(state, "bob", "go")
    assert state.outcome is Outcome.go


def test_who_left_after_voting_in_one_step_is_not_asked_in_the_next() -> None:
    both = [Requirement(group="eng", need=2), Requirement(group="eng", step=2)]
    state = sitting(both, {"eng": ("ann", "bob")})
    cast(state, "ann", "go")
    state.clocks.ask_again("directory", "keep", START)
    again(state, {"eng": ("bob",)})
    assert [tuple(step.people) for step in state.steps()] == [("ann", "bob"), ("bob",)]


def test_a_round_that_is_not_convened_yet_has_nobody_to_advise_it() -> None:
    state = opened(ONE, reviewers=("docs",))
    assert state.reviewers() == {"docs": ()}
    forbidden("stranger", lambda: cast(state, "kim", "go"))


def test_a_veto_cast_by_somebody_who_left_still_stops_the_gate() -> None:
    requires = [Requirement(group="eng"), Requirement(group="legal", need=0, veto=True)]
    state = sitting(requires, {"eng": ("ann",), "legal": ("lea",)})
    cast(state, "lea", "hold")
    state.clocks.ask_again("directory", "keep", START)
    again(state, {"eng": ("ann",), "legal": ()})
    cast(state, "ann", "go")
    assert state.outcome is Outcome.hold


def test_whoever_joins_has_their_days_from_then_and_holds_nobody_elses_up() -> None:
    state = sitting(TWO, {"eng": ("ann", "bob")})
    state.clocks.ask_again("directory", "keep", START + 4 * DAY)
    again(state, {"eng": ("ann", "bob", "cyd")})
    assert state.clocks.timetable
    assert state.clocks.timetable.respond == {
        "ann": START + 5 * DAY,
        "bob": START + 5 * DAY,
        "cyd": START + 9 * DAY,
    }


# -- milestones -----------------------------------------------------------------------------------


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


BETA = [
    {"id": "done", "text": "Beta done", "milestone": "beta"},
    {"id": "liked", "text": "Customers like it"},
]
FOUND = [
    {"id": "done", "kind": "must", "state": "unmet"},
    {"id": "liked", "kind": "must", "state": "judged"},
]


def test_criteria_follow_the_milestone_they_name_while_the_round_sits() -> None:
    state = sitting(ONE, {"eng": ("ann",)}, criteria=BETA, found={"criteria": FOUND})
    cast(state, "ann", "go")
    assert state.outcome is None
    assert state.why == ""
    state.hear_of_milestone("other", "met")
    state.settle(START)
    assert state.outcome is None
    state.hear_of_milestone("beta", "met")
    state.settle(START)
    assert state.outcome is Outcome.go


def test_a_milestone_that_moves_while_the_directory_answers_is_not_forgotten() -> None:
    state = opened(ONE, criteria=BETA)
    state.hear_of_milestone("beta", "met")
    assert state.convened is None
    state.convene(convened(state, {"eng": ("ann",)}, criteria=FOUND))
    cast(state, "ann", "go")
    assert state.outcome is Outcome.go


# -- bounds ---------------------------------------------------------------------------------------


def test_somebody_who_keeps_changing_their_mind_does_not_outgrow_the_state() -> None:
    """The longest vote there is, again and again: the state stays small."""
    state = sitting(TWO, {"eng": ("ann", "bob")})
    cast(state, "bob", "go", comment="stays")
    long = [Promise(text="p" * 500)] * 5
    for i in range(VOTES_KEPT + 50):
        word, more = ("conditional-go", {"conditions": long}) if i % 2 else ("hold", {})
        take(state, says("ann", word, comment="c" * 2000, **more))
    votes = state.ballots.votes
    assert len(votes) <= VOTES_KEPT
    assert 0 < sum(v.length for v in votes if v.state == "changed") <= CHANGED_TEXT_KEPT
    assert len(state.model_dump_json()) < 500_000
    assert [vote.approver for vote in state.ballots.standing()] == ["bob", "ann"]
    assert votes[0].comment == "stays"


def test_of_many_short_changes_the_newest_are_kept() -> None:
    state = sitting(TWO, {"eng": ("ann", "bob")})
    for i in range(VOTES_KEPT + 3):
        take(state, says("ann", "go", comment=f"{i}"))
    kept = [vote.comment for vote in state.ballots.votes]
    assert kept == [str(i) for i in range(3, VOTES_KEPT + 3)]


def test_standing_votes_are_never_forgotten() -> None:
    crowd = tuple(f"p{i:03}" for i in range(VOTES_KEPT + 5))
    state = sitting([Requirement(group="eng", need=50)], {"eng": crowd})
    for person in crowd:
        vote = take(sitting(ONE, {"eng": (person,)}), says(person, "hold", comment="x" * 300))
        state.ballots.cast(vote)
    assert len(state.ballots.standing()) == len(crowd)


def test_a_round_takes_so_much_text_and_then_short_texts_only() -> None:
    """Two megabytes are a payload's end; sizes are counted in bytes, not in characters."""
    crowd = tuple(f"p{i:03}" for i in range(100))
    state = sitting([Requirement(group="eng", need=50)], {"eng": crowd}, wait_for="all")
    taken = TEXT_KEPT // 6000
    for person in crowd[:taken]:
        take(state, says(person, "go", comment="語" * 2000))
    for person in crowd[taken:]:
        long = says(person, "go", comment="語" * 2000)
        refused("text-too-long", lambda long=long: take(state, long), "6000 bytes", "as a link")
        take(state, says(person, "go", comment="語" * (SHORT_TEXT // 3)))
    assert len(state.ballots.standing()) == 100
    assert len(state.model_dump_json().encode()) < 2 * TEXT_KEPT


def test_answers_are_kept_for_retries_and_the_oldest_go_first() -> None:
    state = sitting(ONE, {"eng": ("ann",)})
    for i in range(HANDLED_KEPT + 2):
        state.remember(f"r{i}", Receipt(workflow_id=WORKFLOW, text=f"{i}"))
    assert len(state.handled) == HANDLED_KEPT
    assert next(iter(state.handled)) == "r2"
    assert state.handled[f"r{HANDLED_KEPT + 1}"].text == f"{HANDLED_KEPT + 1}"


def test_refusals_are_kept_with_their_reason_up_to_a_bound_and_then_counted() -> None:
    state = sitting(ONE, {"eng": ("ann",)})
    refusal = Forbidden("stranger", "zed may not vote", "sits nowhere", "phasegate x")
    for i in range(REFUSALS_KEPT + 3):
        kept = state.refuse("zed", refusal, now=START, channel="signal")
        assert kept is (i < REFUSALS_KEPT)
    assert (len(state.refused), state.refused_more) == (REFUSALS_KEPT, 3)
    first = state.refused[0]
    assert (first.actor, first.what, first.why, first.channel) == (
        "zed",
        "zed may not vote",
        "sits nowhere",
        "signal",
    )
    assert (first.code, first.hint) == ("stranger", "phasegate x")


# -- advice, and what is shown before anybody is known --------------------------------------------


def test_advice_counts_for_nothing_and_is_kept() -> None:
    members = {"eng": ("ann",), "qa": ("kim",)}
    state = sitting(ONE, members, reviewers=("qa",))
    assert state.reviewers() == {"qa": ("kim",)}
    cast(state, "kim", "kill", comment="it leaks")
    assert [(v.approver, v.step) for v in state.advice()] == [("kim", 0)]
    assert (state.ballots.counted(), state.outcome) == ([], None)
    cast(state, "ann", "go")
    assert state.outcome is Outcome.go


def test_a_round_that_waits_to_be_convened() -> None:
    state = opened(ONE)
    assert (state.next_wake(START), state.status) == (None, "open")
    assert state.steps()[:1] == ()
    state.pause(START)
    state.pause(START + DAY)
    assert (state.status, state.paused_at) == ("on-hold", START)
    state.resume(START + DAY)
    assert state.status == "open"
    assert [w.why for w in state.clocks.again] == ["opened", "resumed"]


def test_an_override_that_comes_before_the_directory_answers_says_so() -> None:
    state = opened(ONE)
    wish = OverrideRequest(actor="ceo", outcome=Outcome.go, reason="a contract", request_id="r")
    chair.override(state, wish, may("override"), START)
    assert state.override
    assert state.override.votes_said == "the round was being convened"
