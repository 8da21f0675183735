"""What people see of a round: in scripts, in the inbox, and requirement by requirement."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from committee import (
    DAY,
    ONE,
    START,
    TWO,
    TWO_STEPS,
    WORKFLOW,
    again,
    away,
    cast,
    hear,
    may,
    opened,
    sitting,
)

from phasegate import chair, seating
from phasegate.errors import Forbidden
from phasegate.gate import Gate, Requirement
from phasegate.gate_page import gate_page
from phasegate.gate_requests import (
    AttestRequest,
    DelegateRequest,
    NeedsWorkRequest,
    OverrideRequest,
    ReassignRequest,
)
from phasegate.gate_view import (
    BARRED_NAMED,
    gate_memo,
    gate_view,
    lost_round_view,
    respond_due,
    waiting_keys,
)
from phasegate.requirement_view import open_step
from phasegate.review import Round
from phasegate.search import EVERYBODY, collapses
from phasegate.sittings import OpenGate
from phasegate.views import GateView
from phasegate.votes import Outcome


def view(state: Round, now: datetime = START) -> GateView:
    found = gate_view(state, WORKFLOW, now)
    assert GateView.model_validate_json(found.model_dump_json()) == found
    return found


def test_requirements_that_share_people_say_that_both_cannot_be_met() -> None:
    shared = {"eng": ("ann", "bob", "cyd"), "ops": ("ann", "bob", "cyd")}
    state = sitting([Requirement(group="eng"), Requirement(group="ops")], shared)
    cast(state, "bob", "abstain")
    cast(state, "cyd", "abstain")
    found = view(state)
    assert found.cannot_pass
    assert [(r.group, r.state, r.why) for r in found.requirements] == [
        ("eng", "waiting", "1 more from eng"),
        (
            "ops",
            "cannot-pass",
            "too few people are left to fill its seats beside those of the others",
        ),
    ]


def test_a_veto_that_nobody_can_give_is_shown_as_what_stops_the_gate() -> None:
    asked = [Requirement(group="eng"), Requirement(group="sec", need=0, veto=True)]
    state = sitting(asked, {"eng": ("ann", "bob"), "sec": ("lea",)})
    state.hear(state.product.model_copy(update={"owner": "lea"}), START)
    again(state)
    cast(state, "ann", "go")
    found = view(state)
    assert (found.cannot_pass, found.outcome) == (True, None)
    assert rows(state)[1] == ("sec", "cannot-pass", 0, "nobody is left who could give this veto")
    cast(state, "bob", "go")
    assert state.outcome is Outcome.hold
    assert state.why == "nobody is left who could give the veto of sec"


def rows(state: Round) -> list[tuple[str, str, int, str]]:
    return [(r.group, r.state, r.have, r.why) for r in view(state).requirements]


# -- requirements ---------------------------------------------------------------------------------


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
    cast(state, "ann", "go")
    cast(state, "fay", "go")
    assert rows(state) == [
        ("eng", "waiting", 1, "1 more from eng"),
        ("fin", "met", 1, "yes from fay"),
        ("sales", "waiting", 0, "may still veto: sam"),
        ("legal", "later", 0, "step 2 follows step 1"),
    ]
    assert [r.candidates for r in view(state).requirements] == [["bob"], [], ["sam"], []]
    cast(state, "bob", "recycle")
    found = view(state)
    assert (found.cannot_pass, found.outcome) == (True, None)
    assert found.requirements[0].state == "cannot-pass"
    assert found.requirements[0].why == "too few people are left who could say yes"
    assert "### Idea: cannot pass" in gate_page(found, "Kettle", "")


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
    cast(state, "sam", word)
    sales = view(state).requirements[1]
    assert (sales.state, sales.why) == shown


def test_a_no_becomes_a_veto_where_its_voter_is_given_a_seat_that_has_one() -> None:
    """Shown as the rule counts it: by the seats that somebody has now and had when they voted."""
    requires = [Requirement(group="eng", need=2), Requirement(group="sales", need=0, veto=True)]
    state = sitting(requires, {"eng": ("ann", "bob", "cyd"), "sales": ("sam",)})
    cast(state, "bob", "kill")
    assert [state for _, state, _, _ in rows(state)] == ["waiting", "waiting"]
    given = ReassignRequest(approver="sam", to="bob", reason="he left", actor="max", request_id="r")
    seating.reassign(state, given, may(manages=True), may(), START)
    state.settle(START)
    assert (state.outcome, state.why) == ("kill", "a veto says kill")
    assert rows(state)[1] == ("sales", "cannot-pass", 0, "veto: bob says kill")


def test_a_step_that_has_passed_is_met_also_where_its_veto_holders_sit_in_the_next_one() -> None:
    requires = [
        Requirement(group="legal", veto=True),
        Requirement(group="legal", step=2),
    ]
    state = sitting(requires, {"legal": ("lea",)})
    cast(state, "lea", "go")
    assert rows(state) == [
        ("legal", "met", 1, "yes from lea"),
        ("legal", "waiting", 0, "1 more from legal"),
    ]


def test_a_gate_that_asks_nobody_can_be_shown_and_is_no_error() -> None:
    state = sitting([Requirement(group="eng", tiers=(3,))], {"eng": ("ann",)})
    verdict = state.verdict(START)
    assert (open_step(state, verdict).people, state.outcome) == ({}, None)
    assert respond_due(state, verdict) == START + 10 * DAY
    found = view(state)
    assert (found.requirements, found.pending, found.cannot_pass) == ([], [], True)
    memo = gate_memo(state, found, START)
    assert memo["seats"] == {}
    state.settle(START)
    assert state.outcome is Outcome.hold


def test_before_it_is_convened_there_is_nothing_to_show_and_it_says_so() -> None:
    criteria = [{"id": "liked", "text": "Liked", "kind": "should"}]
    found = view(opened(ONE, criteria=criteria, threshold=50))
    assert "Now: the round is being convened." in gate_page(found, "Kettle", "")
    assert (found.why, found.pending) == ("the round is being convened", [])
    assert (found.respond_due, found.resolve_due, found.step) == (None, None, 1)
    assert (found.requirements, found.criteria, found.score) == ([], [], None)


# -- votes, stand-ins, refusals -------------------------------------------------------------------


def test_every_vote_is_shown_with_what_became_of_it() -> None:
    criteria = [{"id": "liked", "text": "Liked", "kind": "should"}]
    state = sitting(
        TWO,
        {"eng": ("ann", "bob", "cyd"), "qa": ("kim",)},
        reviewers=("qa",),
        criteria=criteria,
        found={"absences": {"cyd": [away(START, START + DAY, "dan")]}},
    )
    cast(state, "ann", "hold")
    cast(state, "ann", "go", comment="fixed", scores={"liked": 8})
    cast(state, "dan", "recycle")
    cast(state, "kim", "kill")
    old = state.revision
    hear(state)
    shown = [
        (v.approver, v.on_behalf_of, v.vote, v.state, v.step, v.advice) for v in view(state).votes
    ]
    assert shown == [
        ("ann", None, "hold", "changed", 1, False),
        ("ann", None, "go", "voided", 1, False),
        ("dan", "cyd", "recycle", "standing", 1, False),
        ("kim", None, "kill", "standing", 0, True),
    ]
    votes = view(state).votes
    assert (votes[1].comment, votes[1].scores, votes[1].channel) == (
        "fixed",
        {"liked": 8},
        "update",
    )
    assert votes[1].why == f"the evidence is now {state.revision}"
    assert {v.revision for v in votes} == {old}
    assert view(state).revision == state.revision != old
    assert [e["title"] for e in view(state).evidence] == ["plan"]


def test_who_is_waited_for_since_when_until_when_and_who_may_act() -> None:
    state = sitting(
        TWO,
        {"eng": ("ann", "bob"), "fin": ("ann",)},
        found={
            "absences": {"ann": [away(START, START + DAY, "dan")]},
            "lag": {"bob": DAY},
            "deputies": {"bob": "eve"},
        },
    )
    found = [(p.approver, p.group, p.since, p.respond_due, p.acting) for p in view(state).pending]
    assert found == [
        ("ann", "eng", START, START + 5 * DAY, ["dan"]),
        ("bob", "eng", START, START + 6 * DAY, []),
    ]
    assert view(state).respond_due == START + 6 * DAY
    hear(state, START + DAY)
    again(state)
    cast(state, "bob", "go", START + DAY)
    later = START + 7 * DAY
    assert [(p.approver, p.acting) for p in view(state, later).pending] == [("ann", [])]
    state.abandon("cancelled", later)
    assert view(state, later).pending == []


def test_who_has_to_answer_again_is_waited_for_since_then() -> None:
    state = sitting(TWO, {"eng": ("ann", "bob")})
    cast(state, "ann", "go", START + DAY)
    hear(state, START + 3 * DAY)
    again(state)
    since = {p.approver: p.since for p in view(state, START + 3 * DAY).pending}
    assert since == {"ann": START + 3 * DAY, "bob": START}


def test_delegations_and_reassignments_are_shown_together() -> None:
    state = sitting(TWO, {"eng": ("ann", "bob")})
    asked = DelegateRequest(actor="ann", to="dan", reason="leave", request_id="r")
    seating.delegate(state, asked, may(), START)
    given = ReassignRequest(actor="max", approver="bob", to="eve", reason="left", request_id="r")
    seating.reassign(state, given, may(manages=True), may(), START)
    shown = [(d.approver, d.to, d.by, d.reason, d.reassigned) for d in view(state).delegations]
    assert shown == [
        ("ann", "dan", "ann", "leave", False),
        ("bob", "eve", "max", "left", True),
    ]


def test_conditions_of_standing_votes_are_united_and_numbered() -> None:
    state = sitting([Requirement(group="eng", need=3)], {"eng": ("ann", "bob", "cyd", "lea")})
    due = datetime(2027, 1, 1, tzinfo=UTC)
    dropped = [{"text": "dropped"}, {"text": "dropped too"}]
    cast(state, "ann", "conditional-go", conditions=dropped)
    cast(state, "ann", "conditional-go")
    cast(state, "bob", "conditional-go", conditions=[{"text": "audit", "owner": "lea", "due": due}])
    cast(state, "cyd", "go")
    assert state.outcome is Outcome.conditional_go
    assert [(c.id, c.text, c.owner, c.due, c.state) for c in view(state).conditions] == [
        ("g1-1-1", "docs", "owner", None, "open"),
        ("g1-1-2", "audit", "lea", due, "open"),
    ]


def test_refusals_overrides_work_criteria_and_the_score_are_shown() -> None:
    criteria = [
        {"id": "safe", "text": "Safe", "attested_by": "qa"},
        {"id": "cheap", "text": "Cheap", "kind": "should", "attested_by": "qa"},
    ]
    members = {"eng": ("ann", "bob"), "qa": ("kim",)}
    state = sitting(TWO, members, criteria=criteria, threshold=80, found={"notes": ["no when"]})
    said = {"criterion": "cheap", "state": "met", "score": 7, "note": "seen", "request_id": "r"}
    chair.attest(state, AttestRequest.model_validate({"actor": "kim", **said}), START)
    found = view(state)
    assert [(c.id, c.state, c.score) for c in found.criteria] == [
        ("safe", "unmet", None),
        ("cheap", "met", 7.0),
    ]
    assert (found.score, found.threshold, found.notes) == (70.0, 80, ["no when"])
    refusal = Forbidden("stranger", "zed may not vote", "sits nowhere", "phasegate x")
    state.refuse("zed", refusal, now=START, channel="signal")
    assert [(r.actor, r.why) for r in view(state).refused] == [("zed", "sits nowhere")]
    work = NeedsWorkRequest(actor="ann", what="a plan", request_id="r")
    chair.ask_for_work(state, work, START)
    found = view(state)
    assert found.work
    assert (found.status, found.work.actor, found.work.what) == (
        "waiting-on-owner",
        "ann",
        "a plan",
    )
    assert "**ann asks the owner for work**: a plan" in gate_page(found, "Kettle", "")
    wish = OverrideRequest(actor="max", outcome=Outcome.kill, reason="no money", request_id="r")
    chair.override(state, wish, may("override"), START)
    found = view(state)
    assert found.override
    assert (found.outcome, found.override.actor, found.override.votes_said) == (
        "kill",
        "max",
        "it waits for votes",
    )
    page = gate_page(found, "Kettle", "")
    assert "**OVERRIDDEN by max**: no money. The votes said: it waits for votes." in page


def test_a_round_that_was_lost_shows_as_decided_without_an_outcome() -> None:
    lost = OpenGate(gate="g1", round=2, workflow_id=WORKFLOW, token="t")
    found = lost_round_view("kettle", lost, "ended from outside", START)
    assert (found.status, found.outcome, found.round) == ("decided", None, 2)
    assert (found.why, found.workflow_id, found.decided_at) == (
        "ended from outside",
        WORKFLOW,
        START,
    )


def test_what_a_voter_needs_to_know_is_in_one_view() -> None:
    criteria = [
        {"id": "safe", "text": "It is safe", "attested_by": "qa"},
        {"id": "liked", "text": "Liked", "kind": "should", "weight": 2},
    ]
    members = {"eng": ("ann", "bob"), "qa": ("kim",)}
    state = sitting(TWO, members, criteria=criteria, reviewers=("qa",))
    state.open_conditions = ["g0-1-1"]
    found = view(state)
    safe, liked = found.criteria
    assert (safe.text, safe.attested_by, safe.waits_for) == ("It is safe", "qa", ["kim"])
    assert (liked.weight, liked.waits_for) == (2, [])
    assert (found.reviewers, found.tier) == ({"qa": ["kim"]}, state.product.tier)
    assert [c.id for c in found.open_conditions] == ["g0-1-1"]
    assert found.why == (
        "it waits for votes; criterion safe is not met; condition g0-1-1 is still open"
    )
    said = {"criterion": "safe", "state": "unmet", "note": "no", "request_id": "r"}
    chair.attest(state, AttestRequest.model_validate({"actor": "kim", **said}), START)
    assert view(state).criteria[0].waits_for == []


def test_why_fits_a_round_that_stands_still() -> None:
    state = sitting(TWO, {"eng": ("ann", "bob")})
    assert view(state).stopped_since is None
    work = NeedsWorkRequest(actor="ann", what="a plan", request_id="r")
    chair.ask_for_work(state, work, START + DAY)
    found = view(state, START + 2 * DAY)
    assert (found.why, found.stopped_since) == (
        "it waits for owner to submit it again",
        START + DAY,
    )
    state.pause(START + 2 * DAY)
    assert view(state, START + 2 * DAY).why == "the product is on hold"


def test_after_an_override_nothing_says_that_it_cannot_pass() -> None:
    state = sitting(TWO, {"eng": ("ann", "bob")})
    cast(state, "ann", "hold")
    assert view(state).cannot_pass
    wish = OverrideRequest(actor="max", outcome=Outcome.go, reason="now", request_id="r")
    chair.override(state, wish, may("override"), START)
    assert (view(state).outcome, view(state).cannot_pass) == ("go", False)


# -- the inbox ------------------------------------------------------------------------------------


def test_the_memo_of_the_inbox_is_plain_json_and_speaks_of_the_open_step() -> None:
    members = {"eng": ("ann", "bob"), "legal": ("lea", "max")}
    gone = {"lea": [away(START, START + 30 * DAY, "zoe")]}
    state = sitting(TWO_STEPS, members, found={"absences": gone, "lag": {"max": DAY}})
    cast(state, "ann", "go", START + DAY)
    again(state, lag={"max": DAY})
    now = START + DAY
    memo = gate_memo(state, view(state, now), now)
    assert memo == json.loads(json.dumps(memo))
    assert memo == {
        "opened_at": "2026-11-23T09:00:00+00:00",
        "respond_due": "2026-11-30T09:00:00+00:00",
        "resolve_due": "2026-12-03T09:00:00+00:00",
        "revision": state.revision,
        "round": 1,
        "step": 2,
        "name": "Kettle",
        "tier": 1,
        "seats": {"lea": ["legal"], "max": ["legal"]},
        "due": {"lea": "2026-11-29T09:00:00+00:00"},
        "since": {"lea": "2026-11-24T09:00:00+00:00", "max": "2026-11-24T09:00:00+00:00"},
        "acting": {"zoe": ["lea"]},
        "pending": None,
        "attesters": None,
        "barred": ["owner", "sue"],
        "directory": "default",
        "team": [],
        "work_since": None,
    }


def test_a_vote_changes_nothing_of_the_memo_while_its_step_is_open() -> None:
    state = sitting(TWO, {"eng": ("ann", "bob", "cyd")})
    before = gate_memo(state, view(state), START)
    cast(state, "ann", "go")
    assert gate_memo(state, view(state), START) == before


def test_a_crowd_that_the_search_attribute_cannot_name_is_named_in_the_memo() -> None:
    crowd = tuple(f"person-{i:03}@example.org" for i in range(200))
    state = sitting([Requirement(group="eng", need=50)], {"eng": crowd})
    assert collapses(crowd, ())
    cast(state, crowd[0], "go")
    assert gate_memo(state, view(state), START)["pending"] == list(crowd[1:])


def test_who_was_given_a_seat_of_a_crowd_is_named_beside_its_groups() -> None:
    crowd = tuple(f"person-{i:03}@example.org" for i in range(200))
    state = sitting([Requirement(group="eng", need=50)], {"eng": crowd})
    given = ReassignRequest(approver=crowd[7], to="heir", reason="r", actor="max", request_id="r")
    rights = may("reassign")
    seating.reassign(state, given, rights, rights, START)
    again(state)
    assert waiting_keys(state, view(state)) == ["person:heir", "group:eng"]
    assert "heir" in gate_memo(state, view(state), START)["pending"]


def test_work_that_is_owed_is_owed_by_the_owner_first() -> None:
    team = [f"developer-{i:03}@example.org" for i in range(50)]
    state = sitting(TWO, {"eng": ("ann", "bob")}, facts={"definition": {"team": team}})
    assert waiting_keys(state, view(state)) == ["person:ann", "person:bob"]
    work = NeedsWorkRequest(actor="ann", what="a plan", request_id="r")
    chair.ask_for_work(state, work, START + DAY)
    keys = waiting_keys(state, view(state))
    assert (keys[0], keys[-1]) == ("person:owner", EVERYBODY)
    assert gate_memo(state, view(state), START)["team"] == team


def test_the_memo_names_who_attests_only_where_the_attribute_has_no_room_for_all() -> None:
    criteria = [{"id": "terms", "text": "Terms", "kind": "must", "attested_by": "legal"}]
    few = sitting(ONE, {"eng": ("ann",), "legal": ("lea", "kim")}, criteria=criteria)
    assert waiting_keys(few, view(few)) == ["person:ann", "attests:kim", "attests:lea"]
    assert gate_memo(few, view(few), START)["attesters"] is None
    lawyers = tuple(f"lawyer-{i:03}@example.org" for i in range(100))
    many = sitting(ONE, {"eng": ("ann",), "legal": lawyers}, criteria=criteria)
    assert EVERYBODY in waiting_keys(many, view(many))
    assert gate_memo(many, view(many), START)["attesters"] == list(lawyers)
    work = NeedsWorkRequest(actor="ann", what="a plan", request_id="r")
    chair.ask_for_work(many, work, START + DAY)
    assert gate_memo(many, view(many), START)["attesters"] is None


def test_who_had_a_hand_in_the_product_is_in_the_memo_up_to_a_bound() -> None:
    state = sitting(TWO, {"eng": ("ann", "bob")})
    hear(state, by="eva")
    assert gate_memo(state, view(state), START)["barred"] == ["eva", "owner", "sue"]
    state.had_a_hand = {f"person-{i:04}": "owned the product" for i in range(500)}
    assert len(gate_memo(state, view(state), START)["barred"]) == BARRED_NAMED


def test_work_that_is_owed_is_in_the_memo() -> None:
    state = sitting(TWO, {"eng": ("ann", "bob")})
    work = NeedsWorkRequest(actor="ann", what="a plan", request_id="r")
    chair.ask_for_work(state, work, START + DAY)
    assert gate_memo(state, view(state), START)["work_since"] == "2026-11-24T09:00:00+00:00"


def test_a_round_that_knows_nobody_shows_itself() -> None:
    gate = Gate(id="g1", title="x", requires=tuple(ONE))
    state = Round(product=sitting(ONE, {}).product, gate=gate, round=1, submitter="s")
    assert view(state).requirements == []
    assert state.asked_since("ann") is None
