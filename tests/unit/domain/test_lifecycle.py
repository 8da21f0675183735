"""A product's years: milestones, gates, holds, and what it refuses."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import product as every

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from phasegate.check import HttpCheck, ReportedCheck
from phasegate.dues import due_in_lists, next_due
from phasegate.errors import Forbidden, Refusal, Rejected
from phasegate.events import Outbox
from phasegate.evidence import EVIDENCE_KEPT, Evidence, require_room
from phasegate.gate import Gate, Requirement
from phasegate.lifecycle import HANDLED_KEPT, Lifecycle, PolicyRef, Status
from phasegate.milestones import Milestone, MilestoneStatus, roadmap_of
from phasegate.policy import MilestoneGoal, Phase, Review
from phasegate.ports import PhaseBrief
from phasegate.product import Product, RoadmapMilestone
from phasegate.promises import Condition
from phasegate.requests import ConditionRequest, MilestoneRequest, Receipt, SubmitRequest
from phasegate.sittings import SUMMARIES_KEPT, GateReport, Sittings
from phasegate.span import Span
from phasegate.stewardship import (
    check_condition,
    check_milestone,
    check_resume,
    check_submit,
    require_reporter,
)
from phasegate.sunset_report import SunsetReport
from phasegate.views import ConditionView

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
DAY = timedelta(days=1)
G1 = Gate(id="g1", title="Idea", requires=(Requirement(group="eng"),))
PHASE = Phase(id="scoping", title="Scoping", gate=G1)


def living(phase: Phase | None = PHASE, *milestones: Milestone, **more: object) -> Lifecycle:
    """An active product in this phase."""
    return Lifecycle.model_validate(
        {
            "product": Product(key="kettle", name="Kettle", owner="olga"),
            "policy": PolicyRef(name="standard", version="1", digest="sha256:0"),
            "directory": "default",
            "outbox": Outbox(source="product/kettle", product="kettle"),
            "brief": PhaseBrief(phase=phase, next=None, has_sunset=True) if phase else None,
            "milestones": list(milestones),
            **more,
        }
    )


def goal(id: str = "beta", **more: object) -> Milestone:
    return Milestone.model_validate({"id": id, "title": "Beta", "phase": "scoping", **more})


def asks(action: str, **more: object) -> MilestoneRequest:
    return MilestoneRequest.model_validate(
        {"actor": "olga", "milestone": "beta", "action": action, "request_id": "r", **more}
    )


# -- milestones -----------------------------------------------------------------------------------


def test_a_milestone_is_planned_then_at_risk_then_missed() -> None:
    milestone = goal(due=NOW + 30 * DAY, at_risk="14 days")
    seen = []
    while wake := milestone.next_turn():
        assert not milestone.turn(wake - timedelta(seconds=1))
        assert milestone.turn(wake)
        seen.append(((wake - NOW).days, milestone.state.value))
    assert seen == [(16, "at-risk"), (30, "missed")]
    assert not milestone.turn(NOW + 99 * DAY)


def test_a_worker_that_slept_long_finds_a_milestone_missed_at_once() -> None:
    milestone = goal(due=NOW, at_risk="14 days")
    assert milestone.turn(NOW + DAY)
    assert milestone.state is MilestoneStatus.missed


@given(
    due=st.integers(-739_900, 2_912_000).map(lambda days: NOW + days * DAY),
    at_risk=st.integers(-400_000, 400_000).map(lambda days: Span(exact=days * DAY))
    | st.integers(-12_000, 12_000).map(lambda months: Span(months=months)),
)
@example(due=datetime(1, 1, 3, tzinfo=UTC), at_risk=Span.parse("14 days"))
@example(due=datetime(1, 1, 3, tzinfo=UTC), at_risk=Span.parse("1 month"))
def test_every_milestone_is_missed_after_two_turns_whatever_its_dates(
    due: datetime, at_risk: Span
) -> None:
    milestone = goal(due=due, at_risk=at_risk)
    turns = 0
    while wake := milestone.next_turn():
        assert wake <= due
        assert milestone.turn(wake)
        turns += 1
    assert milestone.state is MilestoneStatus.missed
    assert turns <= 2


def test_a_milestone_without_a_date_has_no_clock() -> None:
    milestone = goal()
    assert milestone.next_turn() is None
    assert not milestone.turn(NOW + 9999 * DAY)


def test_a_missed_milestone_can_be_planned_anew_and_is_watched_again() -> None:
    milestone = goal(due=NOW, at_risk="7 days")
    milestone.turn(NOW)
    text = milestone.act(asks("replan", due="2027-02-01", note="supplier"), NOW)
    assert text == "Beta is now due 2027-02-01 23:59 UTC"
    assert (milestone.state, milestone.why) == (MilestoneStatus.planned, "supplier")
    assert milestone.next_turn() == datetime(2027, 1, 25, 23, 59, 59, tzinfo=UTC)


@pytest.mark.parametrize("note", ["", "seen by lea"])
def test_reporting_and_waiving_settle_a_milestone(note: str) -> None:
    met, waived = goal(due=NOW + DAY), goal(due=NOW + DAY)
    assert met.act(asks("report", note=note), NOW) == "Beta is met"
    assert (met.met_at, met.why) == (NOW, note or "reported by olga")
    assert waived.act(asks("waive", note=note), NOW) == "Beta is waived"
    assert (waived.met_at, waived.why) == (None, note)
    assert [m.state.settled for m in (met, waived)] == [True, True]
    assert not met.turn(NOW + 2 * DAY)
    assert not waived.turn(NOW + 2 * DAY)


@pytest.mark.parametrize(
    ("action", "due", "message"),
    [
        ("replan", None, "replan needs a due date"),
        ("report", "2027-01-01", "only replan takes one"),
        ("replan", "0001-01-01", "is before 1970"),
        ("replan", "9999-12-31T23:59:59-05:00", "edge of the calendar"),
        ("replan", "2027-01-01T10:00:00", "time zone"),
        ("replan", "soon", "datetime"),
        ("destroy", None, "pattern"),
    ],
)
def test_milestone_requests_that_make_no_sense(action: str, due: str | None, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        asks(action, due=due)


def test_the_roadmap_joins_the_policys_goals_with_the_products_dates() -> None:
    """The policy's come first; a product may date and retitle them, and add its own with checks."""
    http = HttpCheck(kind="http", url="https://ci.example/kettle", expression="body.green")
    legal = ReportedCheck(by="legal")
    phase = Phase(
        id="scoping",
        title="Scoping",
        at_risk=Span.parse("3 days"),
        milestones=(
            MilestoneGoal(id="beta", title="Beta"),
            MilestoneGoal(id="docs", title="Docs", check=legal),
            MilestoneGoal(id="ci", title="CI"),
        ),
    )
    owned = Product(
        key="kettle",
        name="Kettle",
        owner="olga",
        milestones=(
            RoadmapMilestone(id="fair", phase="scoping", due="2027-03-01"),
            RoadmapMilestone(id="ci", phase="scoping", title="Green", check=http),
            RoadmapMilestone(id="beta", phase="scoping", due="2027-02-01"),
            RoadmapMilestone(id="docs", phase="launch", due="2028-01-01"),
        ),
    )
    found = roadmap_of(phase, owned)
    due = [m.due.date().isoformat() if m.due else None for m in found]
    assert [m.id for m in found] == ["beta", "docs", "ci", "fair"]
    assert [m.title for m in found] == ["Beta", "Docs", "Green", "fair"]
    assert due == ["2027-02-01", None, None, "2027-03-01"]
    assert [m.check for m in found[:3]] == [ReportedCheck(), legal, ReportedCheck()]
    assert {m.at_risk for m in found} == {phase.at_risk}


# -- what may happen next -------------------------------------------------------------------------


@pytest.mark.parametrize("status", Status)
@pytest.mark.parametrize("gate", [None, "milestones", "submit"])
def test_when_a_gate_may_open(status: Status, gate: str | None) -> None:
    for settled, submitted, needs_submit, reviewed in every([False, True], repeat=4):
        phase = Phase(
            id="scoping",
            title="Scoping",
            gate=G1.model_copy(update={"opens": gate}) if gate else None,
            review=Review(gate=G1, first="1 year", every="1 year") if reviewed else None,
        )
        state = living(
            phase,
            goal(state="met" if settled else "missed"),
            goal("elsewhere", phase="launch"),
            status=status,
            submitted_by="olga" if submitted else None,
            needs_submit=needs_submit,
        )
        if gate is None:  # it ends by itself, unless it is reviewed or its sunset was aborted
            expected = settled and not reviewed and not needs_submit
        else:
            by_itself = gate == "milestones" and settled and not needs_submit
            expected = submitted or by_itself
        assert state.may_open_gate() is (expected and status is Status.active)


def test_a_review_is_due_at_its_instant_and_only_while_active() -> None:
    state = living(review_due=NOW)
    assert not state.review_is_due(NOW - timedelta(seconds=1))
    assert state.review_is_due(NOW)
    assert not living(review_due=NOW, status=Status.on_hold).review_is_due(NOW)
    assert not living().review_is_due(NOW)


def test_the_next_wake_is_the_earliest_clock_of_this_phase() -> None:
    soon = goal("soon", due=NOW + 3 * DAY)
    later = goal("later", due=NOW + 9 * DAY, at_risk="1 day")
    elsewhere = goal("elsewhere", phase="launch", due=NOW + DAY)
    state = living(PHASE, later, soon, elsewhere, review_due=NOW + 2 * DAY)
    assert state.next_wake(NOW) == NOW + 2 * DAY
    state.sittings.begin("g1", "phase", workflow_id="w", token="t")
    assert state.next_wake(NOW) == NOW + 3 * DAY, "an open gate keeps the review waiting"
    soon = state.milestone("soon")
    soon.act(asks("waive"), NOW)
    assert state.next_wake(NOW) == NOW + 8 * DAY
    state.status = Status.on_hold
    assert state.next_wake(NOW) is None
    assert living().next_wake(NOW) is None


def test_the_next_due_date_is_the_earliest_of_all_that_is_open() -> None:
    def condition(days: int | None, state: str = "open") -> Condition:
        due = NOW + days * DAY if days is not None else None
        return Condition(id=f"c{days}", text="docs", owner="olga", due=due, state=state)

    state = living(PHASE, goal(due=NOW + 9 * DAY), goal("met", due=NOW, state="met"))
    assert next_due(state) == NOW + 9 * DAY
    state.conditions = [condition(0, "closed"), condition(None), condition(8)]
    assert next_due(state) == NOW + 8 * DAY
    state.review_due = NOW + 7 * DAY
    assert next_due(state) == NOW + 7 * DAY
    state.sunset = SunsetReport(token="t", text="", next_due=NOW + 6 * DAY)
    assert next_due(state) == NOW + 6 * DAY
    assert next_due(living()) is None
    state.status = Status.killed
    assert next_due(state) is None


def test_dates_of_a_phase_that_is_left_drive_nothing() -> None:
    state = living(PHASE, goal("left", phase="ideas", due=NOW - DAY), goal(due=NOW + DAY))
    assert next_due(state) == NOW + DAY
    assert due_in_lists(state) == NOW - DAY, "as ever, in a run that was begun so"
    state.ahead_only = True
    assert due_in_lists(state) == NOW + DAY
    state.status = Status.sunsetting
    assert next_due(state) is None


@given(held_days=st.integers(0, 4000), due_in=st.integers(-500, 3000))
def test_resuming_moves_unmet_dates_of_the_phase_by_exactly_the_hold(
    held_days: int, due_in: int
) -> None:
    due = NOW + due_in * DAY
    state = living(
        PHASE,
        goal("open", due=due),
        goal("met", due=due, state="met"),
        goal("missed", due=NOW - DAY, state="missed"),
        goal("undated"),
        goal("elsewhere", phase="launch", due=due),
        status=Status.on_hold,
        held_since=NOW,
        review_due=NOW + DAY,
    )
    back = NOW + held_days * DAY
    state.resume(back)
    moved = {m.id: m.due for m in state.milestones}
    assert moved == {
        "open": due + held_days * DAY,
        "met": due,
        "missed": NOW - DAY + held_days * DAY,
        "undated": None,
        "elsewhere": due,
    }
    assert moved["missed"] < back, "what was missed is still in the past"
    assert (state.status, state.held_since) == (Status.active, None)
    assert state.review_due == back + DAY


def test_a_date_that_means_never_survives_a_hold() -> None:
    never = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
    state = living(PHASE, goal(due=never), status=Status.on_hold, held_since=NOW)
    state.resume(NOW + 99 * DAY)
    assert state.milestones[0].due == never


def test_products_share_nothing() -> None:
    one, other = living(), living()
    one.sittings.begin("g1", "phase", workflow_id="w", token="t")
    one.outbox.add("x", "x", run="r", at=NOW)
    one.conditions.append(Condition(id="c", text="", owner="o", due=None, state="open"))
    one.remember("r", Receipt(workflow_id="w", text=""))
    assert other == living()


def test_the_state_survives_being_saved_and_read_back() -> None:
    state = living(
        PHASE,
        goal(due=NOW, at_risk="1 month", check={"kind": "reported", "by": "eng"}),
        sittings=Sittings(),
        held_since=NOW,
        evidence=[Evidence(title="plan", by="olga", at=NOW)],
        sunset=SunsetReport(token="t", text="x", next_due=NOW),
    )
    state.sittings.begin("g1", "review", workflow_id="w", token="t")
    assert Lifecycle.model_validate_json(state.model_dump_json()) == state


def test_what_a_newer_writer_added_is_ignored() -> None:
    data = living().model_dump(mode="json")
    data["from_the_future"] = {"x": 1}
    assert Lifecycle.model_validate(data) == living()


def test_answers_are_remembered_and_the_oldest_forgotten() -> None:
    state = living()
    for i in range(HANDLED_KEPT + 3):
        state.remember(f"r{i}", Receipt(workflow_id="w", text=str(i)))
    assert len(state.handled) == HANDLED_KEPT
    assert next(iter(state.handled)) == "r3"
    assert state.handled[f"r{HANDLED_KEPT + 2}"].text == str(HANDLED_KEPT + 2)


def test_a_gate_is_told_what_it_needs_and_no_more() -> None:
    owned = Product(
        key="kettle", name="Kettle", owner="olga", tier=2, approvers={"g1": {"eng": ("ann",)}}
    )
    state = living(PHASE, goal(state="waived"), product=owned)
    state.evidence.append(Evidence(title="plan", link="https://x", by="olga", at=NOW))
    told = state.facts("g1")
    assert (told.key, told.owner, told.tier, told.policy) == ("kettle", "olga", 2, "standard")
    assert told.narrowed == {"eng": ("ann",)}
    assert told.milestones == {"beta": "waived"}
    assert told.evidence == [{"title": "plan", "link": "https://x", "digest": "", "by": "olga"}]
    assert told.definition["key"] == "kettle"
    assert state.facts("g2").narrowed == {}


def test_only_the_sunset_that_was_started_may_report() -> None:
    def report(token: str, *conditions: str) -> SunsetReport:
        views = [
            ConditionView(id=id, text="", owner="olga", due=None, state="open") for id in conditions
        ]
        hands = {"tim": "submitted a gate of its sunset", "max": "later"}
        return SunsetReport(token=token, text="", conditions=views, had_a_hand=hands)

    state = living()
    assert not state.take_sunset(report(""), NOW), "none was started"
    state.sunset_token, state.had_a_hand = "t", {"max": "first"}
    assert not state.take_sunset(report("forged", "c1"), NOW)
    assert (state.sunset, state.conditions) == (None, [])
    assert state.take_sunset(report("t", "c1"), NOW)
    state.conditions[0].state = "closed"
    assert state.take_sunset(report("t", "c1", "c2"), NOW)
    assert [(c.id, c.state) for c in state.conditions] == [("c1", "closed"), ("c2", "open")]
    assert state.had_a_hand == {"tim": "submitted a gate of its sunset", "max": "first"}


# -- sittings -------------------------------------------------------------------------------------


def verdict(round: int = 1, gate: str = "g1", **more: object) -> GateReport:
    return GateReport.model_validate(
        {
            "gate": gate,
            "round": round,
            "token": "t",
            "outcome": "go",
            "why": "every requirement is met",
            "decided_at": NOW,
            **more,
        }
    )


def test_a_round_reports_once_with_its_token_and_is_kept_as_a_summary() -> None:
    sittings = Sittings()
    assert not sittings.take(verdict()), "nothing is open"
    opened = sittings.begin("g1", "phase", workflow_id="w", token="t")
    assert (opened.round, opened.kind) == (1, "phase")
    for forged in (verdict(token="forged"), verdict(round=2), verdict(gate="g2")):
        assert not sittings.take(forged)
    assert sittings.take(verdict(votes={"ann": "go"}))
    assert not sittings.take(verdict(outcome="kill")), "a second report changes nothing"
    assert sittings.end().outcome == "go"
    assert sittings.open is None
    assert [(s.gate, s.round, s.outcome, s.votes) for s in sittings.closed] == [
        ("g1", 1, "go", {"ann": "go"})
    ]
    assert not sittings.take(verdict()), "a late duplicate finds nothing open"


def test_rounds_count_per_gate_and_an_undecided_one_was_abandoned() -> None:
    sittings = Sittings()
    for gate, expected in (("g1", 1), ("g2", 1), ("g1", 2)):
        opened = sittings.begin(gate, "phase", workflow_id="w", token="t")
        assert opened.round == expected
        assert sittings.take(verdict(expected, gate=gate, outcome=None))
        sittings.end()
    assert [s.outcome for s in sittings.closed] == ["abandoned"] * 3


def test_there_is_never_a_second_open_round() -> None:
    sittings = Sittings()
    sittings.begin("g1", "phase", workflow_id="w", token="t")
    with pytest.raises(AssertionError, match="still sitting"):
        sittings.begin("g2", "phase", workflow_id="w", token="u")


def test_the_newest_summaries_are_kept_and_the_rounds_count_on() -> None:
    sittings = Sittings()
    for number in range(1, SUMMARIES_KEPT + 6):
        sittings.begin("plr", "review", workflow_id="w", token="t")
        sittings.take(verdict(number, gate="plr"))
        sittings.end()
    assert [s.round for s in sittings.closed] == list(range(6, SUMMARIES_KEPT + 6))
    assert sittings.rounds == {"plr": SUMMARIES_KEPT + 5}


# -- refusals -------------------------------------------------------------------------------------


def submit(gate: str | None = None) -> SubmitRequest:
    return SubmitRequest(actor="olga", gate=gate, request_id="r")


def sitting_now() -> Lifecycle:
    state = living()
    state.sittings.begin("plr", "review", workflow_id="w", token="t")
    return state


def begun(gate: str) -> Sittings:
    found = Sittings()
    found.begin(gate, "phase", workflow_id="w", token="t")
    return found


def close(condition: str) -> ConditionRequest:
    return ConditionRequest(actor="olga", condition=condition, note="done", request_id="r")


def crowded() -> Lifecycle:
    return living(evidence=[Evidence(title="x", by="olga", at=NOW)] * EVIDENCE_KEPT)


REFUSED: dict[str, tuple[str, Callable[[], object], str]] = {
    "on hold": (
        "not-active",
        lambda: check_submit(living(status=Status.on_hold), submit()),
        "on-hold",
    ),
    "a phase without a gate": (
        "no-gate",
        lambda: check_submit(living(Phase(id="ga", title="GA")), submit()),
        "its phase ga ends without a gate",
    ),
    "the policy is not read yet": (
        "no-gate",
        lambda: check_submit(living(None), submit()),
        "it is on its way into a phase",
    ),
    "another gate": (
        "other-gate",
        lambda: check_submit(living(), submit("g2")),
        "the gate of its phase scoping is g1",
    ),
    "a gate is open": (
        "gate-open",
        lambda: check_submit(sitting_now(), submit()),
        "plr is open already",
    ),
    "resume without a hold": ("not-on-hold", lambda: check_resume(living()), "it is active"),
    "unknown milestone": (
        "unknown-milestone",
        lambda: check_milestone(living(PHASE, goal("docs")), asks("report")),
        "it has: docs",
    ),
    "no milestone at all": (
        "unknown-milestone",
        lambda: check_milestone(living(), asks("report")),
        "it has: none yet",
    ),
    "a settled milestone": (
        "milestone-settled",
        lambda: check_milestone(living(PHASE, goal(state="waived")), asks("report")),
        "it is waived",
    ),
    "a stranger reports": (
        "not-reporter",
        lambda: require_reporter(living(), goal(), "zed"),
        "only its owner, olga, may",
    ),
    "a stranger reports for a group": (
        "not-reporter",
        lambda: require_reporter(living(), goal(check=ReportedCheck(by="eng")), "zed"),
        "only the members of eng may",
    ),
    "the owner reports what a system reports": (
        "not-reporter",
        lambda: require_reporter(
            living(),
            goal(check=HttpCheck(kind="http", url="https://x", expression="true")),
            "olga",
        ),
        "a system is asked for it",
    ),
    "unknown condition": (
        "unknown-condition",
        lambda: check_condition(living(), close("g1-1-1")),
        "open are: none",
    ),
    "a condition of a gate that has just decided": (
        "unknown-condition",
        lambda: check_condition(living(sittings=begun("g1")), close("g1-1-1")),
        "open are: none; those of g1, if any, come when the product has heard of its end",
    ),
    "not the owner": (
        "not-owner",
        lambda: living().require_owner("zed", "hold"),
        "only its owner, olga, may",
    ),
    "ended": (
        "product-ended",
        lambda: living(status=Status.retired).require_alive(),
        "it is retired",
    ),
    "too much evidence": (
        "too-much-evidence",
        lambda: require_room("kettle", crowded().evidence),
        f"it has {EVIDENCE_KEPT} pieces",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_refusal_says_what_why_and_a_command_that_helps(case: str) -> None:
    code, ask, why = REFUSED[case]
    with pytest.raises(Refusal) as refused:
        ask()
    refusal = refused.value
    assert refusal.code == code
    assert why in refusal.why
    assert refusal.hint.startswith("phasegate ")
    assert "kettle" in refusal.what
    assert str(refusal) == f"{refusal.what}: {refusal.why}"
    recorded = code in ("not-reporter", "not-owner")
    assert isinstance(refusal, Forbidden if recorded else Rejected)


def test_what_is_in_order_is_not_refused() -> None:
    state = living(PHASE, goal(state="missed"))
    assert state.brief
    state.brief.reporters = {"eng": ("ann",)}
    assert check_submit(state, submit()) == check_submit(state, submit("g1")) == "g1"
    assert check_milestone(state, asks("report")) is state.milestones[0]
    require_reporter(state, goal(), "olga")
    require_reporter(state, goal(check=ReportedCheck(by="eng")), "ann")
    check_resume(living(status=Status.on_hold))
    state.require_owner("olga", "hold")
    state.require_alive()
    require_room("kettle", state.evidence)


def test_a_condition_is_closed_once() -> None:
    views = [
        Condition(id=f"g1-1-{i}", text="docs", owner="lea", due=None, state=word)
        for i, word in ((1, "closed"), (2, "open"))
    ]
    state = living(conditions=views)
    assert check_condition(state, close("g1-1-2")).id == "g1-1-2"
    with pytest.raises(Rejected, match="open are: g1-1-2"):
        check_condition(state, close("g1-1-1"))


def test_the_word_for_where_a_product_stands() -> None:
    assert living().word == "active"
    assert living(status=Status.on_hold).word == "on-hold"
