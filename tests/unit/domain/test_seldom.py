"""What seldom happens at a gate or to a product: limits, forms of words, and policies that change.

Flows on servers go some of these ways, too; here each is said in a line.
"""

from __future__ import annotations

import runpy
from datetime import timedelta
from ipaddress import ip_address

import pytest
from committee import DAY, ONE, START, cast, forbidden, hear, may, refused, says, sitting, take
from tales import Tale, day

from phasegate import chair, measures, refusals, seating
from phasegate.casting import text_bytes
from phasegate.clockwork import Clockwork, Extension
from phasegate.concern import Ask, Standing, concerned
from phasegate.delivery import impersonal, mailbox
from phasegate.dependencies import Answer
from phasegate.events import Outbox
from phasegate.extending import Finding, cannot_tell, met, not_met
from phasegate.gate_requests import (
    ExtendRequest,
    NeedsWorkRequest,
    OverrideRequest,
    ReassignRequest,
)
from phasegate.gate_view import gate_view
from phasegate.hands import hands_told
from phasegate.impartial import require_impartial
from phasegate.lifecycle import Lifecycle, PolicyRef
from phasegate.lint import lint_policy
from phasegate.past_goals import PastGoals
from phasegate.ports import Timetable
from phasegate.product import Product
from phasegate.reach import Reach
from phasegate.reading import read_policy
from phasegate.requests import Promise
from phasegate.review import SIDE_TEXT_KEPT, Round, Work
from phasegate.signed_words import demand_of
from phasegate.sittings import GateReport
from phasegate.state_version import NewerState

DUE = (START + DAY).isoformat()


# -- limits ---------------------------------------------------------------------------------------


def test_long_texts_beside_votes_have_a_share_and_short_ones_are_always_taken() -> None:
    state = sitting(ONE, {"eng": ("ann",)})
    state.work_done = [Work(actor="ann", what="x" * SIDE_TEXT_KEPT, at=START)]
    asks = NeedsWorkRequest(actor="ann", what="y" * 301, request_id="r")
    refused("text-too-long", lambda: chair.ask_for_work(state, asks, START), "carries 301 bytes")
    chair.ask_for_work(state, asks.model_copy(update={"what": "y" * 300}), START)


def test_a_gate_is_extended_by_ten_years_at_most() -> None:
    state = sitting(ONE, {"eng": ("ann",)})
    far = START + chair.FARTHEST
    asks = ExtendRequest(actor="max", resolve=far, reason="long", request_id="r")
    chair.extend(state, asks, may("extend"), START)
    more = asks.model_copy(update={"resolve": far + timedelta(seconds=1)})
    found = refused("too-far", lambda: chair.check_extend(state, more, START), "3660 days")
    assert found.hint == "phasegate product hold kettle --as owner"


def test_a_round_lets_so_many_seats_be_given_away_and_no_more() -> None:
    state = sitting(ONE, {"eng": ("ann",)})
    for number in range(seating.MOST_GIVEN):
        asks = ReassignRequest(
            actor="max",
            approver=f"p{number - 1}" if number else "ann",
            to=f"p{number}",
            reason="she left",
            request_id="r",
        )
        seating.reassign(state, asks, may(manages=True), may(), START)
    last = asks.model_copy(update={"approver": asks.to, "to": "zoe"})
    refused("too-many-given", lambda: seating.check_reassign(state, last), "200 seats")


def test_a_condition_cannot_be_due_in_the_past() -> None:
    state = sitting(ONE, {"eng": ("ann",)})
    late = says("ann", "conditional-go", conditions=[{"text": "docs", "due": START.isoformat()}])
    refused("in-the-past", lambda: take(state, late), "that instant is past")
    cast(state, "ann", "conditional-go", conditions=[{"text": "docs", "due": DUE}])


def test_state_of_a_later_release_is_not_gone_on_from() -> None:
    state = sitting(ONE, {"eng": ("ann",)}).model_dump(mode="json")
    with pytest.raises(NewerState, match="version 3, and this release reads 2 at most"):
        Round.model_validate({**state, "schema_version": 3})


# -- who acts for whom ----------------------------------------------------------------------------


def test_a_deputy_and_a_manager_who_come_too_early_are_told_from_when_they_may() -> None:
    found = {"deputies": {"ann": "dan"}, "managers": {"ann": ("max",)}}
    state = sitting(ONE, {"eng": ("ann",)}, found=found)
    for who, why in (
        ("dan", "dan is their deputy, and may from 2026-11-28 09:00 UTC on"),
        ("max", "max is their manager, and may from 2026-11-30 09:00 UTC on"),
    ):
        forbidden("no-mandate", lambda w=who: cast(state, w, "go", on_behalf_of="ann"), why)


def test_hands_that_the_record_knows_of() -> None:
    tale = Tale().say(1, "gate.resubmitted", "tim").say(2, "product.evidence", "eve")
    tale.say(3, "gate.vote", "ann")
    assert hands_told(tale.events) == {
        "tim": "submitted a gate of it",
        "eve": "submitted evidence for it",
    }


def test_who_submitted_the_gate_that_is_open_had_a_hand_in_it() -> None:
    state = Lifecycle(
        product=Product(key="kettle", name="Kettle", owner="olga"),
        policy=PolicyRef(name="p", version="1", digest="sha256:0"),
        directory="default",
        outbox=Outbox(source="product/kettle", product="kettle"),
    )
    require_impartial(state, "sue", "waive anything of it")
    state.sittings.begin("g1", "phase", workflow_id="w", token="t", submitter="sue")
    for who, why in (("sue", "sue submitted a gate of it"), ("olga", "olga owns the product")):
        ask = lambda w=who: require_impartial(state, w, "waive anything of it")  # noqa: E731
        forbidden("self-approval", ask, f"{who} may not waive anything of it", why)


def test_a_signature_is_checked_again_only_where_another_directory_was_read() -> None:
    state = sitting(ONE, {"eng": ("ann",)})
    before = demand_of(state, "ann")
    assert demand_of(state, "ann").same_directory(before)
    assert state.convened
    state.convened.directory_digest = "sha256:2"
    assert not demand_of(state, "ann").same_directory(before)


def test_more_time_for_whom_nobody_reminds() -> None:
    due = {"ann": START + DAY, "bob": START + DAY}
    table = Timetable(respond=due, remind={"bob": [START]}, resolve=START + 2 * DAY)
    later = Extension(resolve=START + 9 * DAY, respond=START + 4 * DAY)
    found = Clockwork(timetable=table).extend(later)
    assert set(found.respond.values()) == {START + 4 * DAY}
    assert found.remind == {"bob": [START + 3 * DAY]}


def test_an_escalation_keeps_the_reminders_that_are_to_come() -> None:
    clocks = sitting(ONE, {"eng": ("ann",)}).clocks
    assert clocks.timetable
    before = clocks.timetable.remind
    clocks.escalate(START + 10 * DAY, 10 * DAY)
    clocks.planned(Timetable(respond={}, resolve=START + 20 * DAY))
    assert clocks.timetable.remind == before != {}


def test_approvers_that_a_product_has_chosen_stay_so_whatever_it_says_meanwhile() -> None:
    state = sitting(ONE, {"eng": ("ann",)}, facts={"narrowed": {"eng": ("ann",)}})
    hear(state)
    assert state.product.narrowed == {"eng": ("ann",)}
    state.hear(state.product.model_copy(update={"narrowed": {}}), START)
    assert state.product.narrowed == {"eng": ("ann",)}


def test_what_was_written_with_a_vote_is_measured_whole() -> None:
    promises = [Promise(text="docs"), Promise(text="ü")]
    assert text_bytes("é!", promises) == 3 + 4 + 2


def test_the_report_of_a_round_has_the_votes_that_stand_by_whose_seat_they_fill() -> None:
    state = sitting(ONE, {"eng": ("ann", "bob"), "ux": ("una",)}, reviewers=("ux",))
    for who, word in (("una", "kill"), ("bob", "go")):
        cast(state, who, word)
    report = GateReport.of(gate_view(state, "w", START), "t")
    assert (report.outcome, report.votes, report.conditions) == ("go", {"bob": "go"}, [])
    other = sitting(ONE, {"eng": ("ann",)})
    cast(other, "ann", "conditional-go")
    (promise,) = GateReport.of(gate_view(other, "w", START), "t").conditions
    assert (promise.text, promise.owner) == ("docs", "owner")
    chair.override(
        sat := sitting(ONE, {"eng": ("ann",)}),
        OverrideRequest(actor="max", outcome="kill", reason="law", request_id="r"),
        may("override"),
        START,
    )
    assert GateReport.of(gate_view(sat, "w", START), "t").override == "max"


# -- another policy -------------------------------------------------------------------------------

POLICY = """
policy: p
version: "2"
title: P
phases:
  - id: make
    title: Make
    milestones: [{id: done, title: Done}, {id: docs, title: Docs}]
    gate: {id: launch, title: Launch, requires: [{group: product}]}
"""


def test_the_record_of_a_product_that_was_put_under_another_policy() -> None:
    tale = Tale().start(phase="build")
    for name in ("done", "docs"):
        tale.say(1, "milestone.met", milestone=name)
    migrated = {"policy_digest": "sha256:2", "phases": {"build": "make"}, "plan_dropped": True}
    anew = {"milestones": {"new": [], "anew": ["done"], "gone": {}}}
    tale.say(2, "product.migrated", **migrated, **anew, review_due=day(40).isoformat())
    past = tale.past()
    assert (past.policy_digest, [stay.phase for stay in past.stays]) == ("sha256:2", ["make"])
    goals = PastGoals(past, read_policy(POLICY, "p"), tale.events)
    assert {m.id: m.state.value for m in goals.milestones} == {"done": "planned", "docs": "met"}
    assert goals.review_due == day(40)
    tale.say(3, "product.migrated", policy_digest="sha256:3", phases={}, milestones={})
    assert PastGoals(tale.past(), read_policy(POLICY, "p"), tale.events).review_due == day(40)


def test_who_hears_that_a_product_is_under_another_policy() -> None:
    tale = Tale().say(1, "product.migrated", "zoe", voided={"ann": "go"})
    found = concerned(tale.events[0], Standing(name="Kettle", owner="olga", team=("tim",)))
    assert {c.person: c.ask for c in found} == dict.fromkeys(("olga", "tim", "ann"), Ask.nothing)


# -- forms of words -------------------------------------------------------------------------------


def test_what_an_extension_says_of_a_milestone() -> None:
    answers = [said("why") for said in (met, not_met, cannot_tell)]
    assert [(answer.finding, answer.why) for answer in answers] == [
        (Finding.met, "why"),
        (Finding.not_met, "why"),
        (Finding.cannot_tell, "why"),
    ]
    assert Answer.cannot_tell("down").why == "down"


def test_a_receiver_is_named_without_the_person_behind_it() -> None:
    assert impersonal(mailbox("ana")) == mailbox("ana").partition("/")[0]
    assert impersonal("mail/a/b") == "mail"
    assert impersonal("hook/tracker") == "hook/tracker"


def test_an_expression_that_asks_a_system_and_cannot_be_read_is_found_in_its_place() -> None:
    check = "{kind: http, url: 'https://x.org', expression: 'body.'}"
    text = POLICY.replace("{id: done, title: Done}", f"{{id: done, title: Done, check: {check}}}")
    (found,) = [f for f in lint_policy(read_policy(text, "p")) if f.severity == "error"]
    assert found.path[-2:] == ("check", "expression")


@pytest.mark.parametrize("module", [measures, refusals])
def test_a_table_of_the_docs_is_printed_by_its_module(
    module: object, capsys: pytest.CaptureFixture[str]
) -> None:
    runpy.run_path(module.__file__, run_name="__main__")  # type: ignore[attr-defined]
    assert capsys.readouterr().out == module.table() + "\n"  # type: ignore[attr-defined]


def test_what_a_teredo_address_leads_to() -> None:
    inside = 0x20010000 << 96 | (0x7F000001 ^ 0xFFFFFFFF)  # 127.0.0.1, as Teredo hides it
    assert Reach().refusal(ip_address(inside)) == "loopback"
