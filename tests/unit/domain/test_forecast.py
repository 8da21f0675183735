"""Forecasts: what is expected when, from dates, dependencies, gates' clocks and past rounds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from phasegate.forecast import duration_of, forecast
from phasegate.forecast_past import PhaseEntry, days_late, later
from phasegate.forecast_view import Forecast, GateForecast, MilestoneForecast, PhaseForecast
from phasegate.policy import Policy
from phasegate.reading import read_policy
from phasegate.views import AheadView, GateSummaryView, MilestoneView, ProductView

NOW = datetime(2027, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
NEVER = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)

POLICY = """
policy: three
version: "1"
title: Three phases and a market
phases:
  - id: idea
    title: Idea
    milestones: [{id: named, title: Problem named}]
    gate: {id: screen, title: Screen, requires: [{group: eng}], CLOCKS}
  - id: build
    title: Build
    at_risk: 30 days
    milestones: [{id: complete, title: Feature complete}, {id: docs, title: Documented}]
    gate: {id: launch, title: Launch, requires: [{group: eng}], CLOCKS}
  - id: hand-over
    title: Hand-over
  - id: market
    title: Market
    in_market: true
    REVIEW
    gate: {id: retire, title: Retire, opens: submit, requires: [{group: eng}]}
sunset:
  tasks: [{id: told, title: Notice, kind: notice}]
"""
CLOCKS = "clocks: {respond: 5 days, resolve: 10 days}"
REVIEW = """review:
      first: 90 days
      every: 12 months
      gate:
        id: review
        title: Review
        requires: [{group: eng}]
        clocks: {respond: 5 days, resolve: 5 days}"""


def policy(text: str = POLICY, review: str = REVIEW) -> Policy:
    return read_policy(text.replace("CLOCKS", CLOCKS).replace("REVIEW", review), "policy")


def day(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def goal(id: str, phase: str = "idea", state: str = "planned", **more: Any) -> MilestoneView:
    fields = {"due": None, **more}
    fields.setdefault("expected", None if state in ("met", "waived") else fields["due"])
    return MilestoneView(id=id, title=id.title(), phase=phase, state=state, **fields)


def ahead(id: str, due: str | None, phase: str = "build", **more: Any) -> AheadView:
    at = day(due) if due else None
    return AheadView(**{"id": id, "title": id, "phase": phase, "due": at, "planned": at, **more})


def view(*milestones: MilestoneView, **more: Any) -> ProductView:
    fields: dict[str, Any] = {
        "key": "kettle",
        "name": "Kettle",
        "owner": "olga",
        "status": "active",
        "phase": "idea",
        "gate": None,
        "round": None,
        "policy": "three 1",
        "policy_digest": "sha256:0",
        "milestones": list(milestones),
        "conditions": [],
        "next_due": None,
        "workflow_id": "product/kettle",
        "started_at": day("2027-01-01"),
        "entered_at": day("2027-01-01"),
    }
    return ProductView(**{**fields, **more})


def decided(gate: str, outcome: str, opened: str | None, at: str, round: int = 1) -> Any:
    return GateSummaryView(
        gate=gate,
        round=round,
        outcome=outcome,
        decided_at=day(at),
        votes={},
        opened_at=day(opened) if opened else None,
    )


def milestone(found: Forecast, id: str) -> MilestoneForecast:
    return next(m for m in found.milestones if m.id == id)


def gate(found: Forecast, id: str) -> GateForecast:
    return [g for g in found.gates if g.gate == id][-1]


def phase(found: Forecast, id: str) -> PhaseForecast:
    return [p for p in found.phases if p.phase == id][-1]


# -- milestones -----------------------------------------------------------------------------------


def test_what_is_on_time_is_expected_on_its_day() -> None:
    due = day("2027-06-01")
    found = milestone(forecast(policy(), view(goal("named", due=due)), NOW), "named")
    assert (found.planned, found.due, found.expected, found.actual) == (due, due, due, None)
    assert (found.slip, found.at_risk) == (0, False)


def test_what_is_overdue_is_expected_now_and_slips_day_by_day() -> None:
    overdue = view(goal("named", state="missed", due=day("2027-02-20")))
    found = milestone(forecast(policy(), overdue, NOW), "named")
    assert (found.expected, found.slip, found.at_risk) == (NOW, 9, True)
    assert milestone(forecast(policy(), overdue, NOW + DAY), "named").slip == 10


def test_a_slip_is_measured_against_the_first_date() -> None:
    moved = view(goal("named", due=day("2027-06-11"), planned=day("2027-06-01")))
    found = milestone(forecast(policy(), moved, NOW), "named")
    assert (found.expected, found.slip) == (day("2027-06-11"), 10)


def test_nothing_is_early_before_it_is_done() -> None:
    sooner = {"due": day("2027-05-01"), "planned": day("2027-06-01")}
    assert milestone(forecast(policy(), view(goal("named", **sooner)), NOW), "named").slip == 0
    met = view(goal("named", state="met", met_at=day("2027-05-01"), **sooner))
    found = milestone(forecast(policy(), met, NOW), "named")
    assert (found.slip, found.actual, found.expected) == (-31, day("2027-05-01"), None)


def test_the_same_day_is_no_slip_whatever_the_hour() -> None:
    assert days_late(day("2027-05-01T09:00"), day("2027-05-01T23:59"), done=True) == 0
    assert days_late(day("2027-05-02T00:01"), day("2027-05-01T23:59"), done=True) == 1
    assert days_late(None, NOW) is days_late(NOW, None) is None


def test_what_another_product_delays_is_expected_then() -> None:
    late = goal("named", due=day("2027-06-01"), expected=day("2027-07-01"), waits_for="motor/done")
    found = milestone(forecast(policy(), view(late), NOW), "named")
    assert (found.expected, found.slip, found.at_risk) == (day("2027-07-01"), 30, True)
    assert found.waits_for == "motor/done"


def test_what_has_no_date_is_expected_when_what_it_waits_for_is() -> None:
    found = forecast(policy(), view(goal("named", expected=day("2027-07-01"))), NOW)
    assert milestone(found, "named").expected == day("2027-07-01")
    assert milestone(found, "named").slip is None
    past = forecast(policy(), view(goal("named", expected=day("2027-02-01"))), NOW)
    assert milestone(past, "named").expected == NOW


def test_the_policys_threshold_says_what_is_at_risk() -> None:
    soon = [ahead("complete", "2027-04-10"), ahead("docs", "2027-03-20")]
    found = forecast(policy(), view(goal("named", state="met", met_at=NOW), ahead=soon), NOW)
    assert not milestone(found, "complete").at_risk
    found = forecast(
        policy(), view(goal("named", state="met", met_at=NOW), ahead=soon), NOW + 11 * DAY
    )
    assert milestone(found, "complete").at_risk  # 30 days before it


def test_a_threshold_before_the_first_year_is_none() -> None:
    wide = policy(POLICY.replace("at_risk: 30 days", "at_risk: P999Y"))
    first = view(goal("complete", "build", due=datetime(500, 1, 1, tzinfo=UTC)), phase="build")
    assert (
        milestone(forecast(wide, first, datetime(400, 1, 1, tzinfo=UTC)), "complete").at_risk
        is False
    )


def test_what_never_is_due_stays_at_the_end_of_time() -> None:
    held = view(goal("named", due=NEVER), status="on-hold", held_since=NOW - DAY)
    found = forecast(policy(), held, NOW)
    assert milestone(found, "named").expected == NEVER
    assert gate(found, "screen").expected == NEVER
    assert later(NEVER, DAY) == NEVER


def test_waived_and_left_behind_nothing_is_expected() -> None:
    found = forecast(
        policy(),
        view(
            goal("named", state="missed", due=day("2027-01-20")),
            goal("complete", "build", state="waived", due=day("2027-04-01")),
            phase="build",
        ),
        NOW,
    )
    assert milestone(found, "named").expected is milestone(found, "named").slip is None
    assert milestone(found, "complete").expected is None


# -- gates ----------------------------------------------------------------------------------------


def test_a_gate_is_expected_when_its_milestones_are_and_it_has_taken_its_time() -> None:
    found = gate(forecast(policy(), view(goal("named", due=day("2027-06-01"))), NOW), "screen")
    assert (found.state, found.expected, found.basis) == (
        "expected",
        day("2027-06-11"),
        "10 days to resolve it",
    )
    assert (found.planned, found.slip, found.at_earliest) == (day("2027-06-11"), 0, False)


def test_past_rounds_say_better_than_the_policy_how_long_a_gate_takes() -> None:
    rounds = [
        decided("screen", "recycle", "2027-01-02", "2027-01-06", 1),
        decided("screen", "recycle", "2027-01-10", "2027-01-12", 2),
        decided("screen", "hold", "2027-01-20", "2027-01-30", 3),
        decided("screen", "abandoned", "2027-01-20", "2027-02-28", 4),
        decided("screen", "hold", None, "2027-01-30", 5),
    ]
    again = view(goal("named", due=day("2027-06-01")), gates=rounds)
    found = gate(forecast(policy(), again, NOW), "screen")
    assert found.expected == day("2027-06-05")
    assert found.basis == "4 days, the median of 3 rounds"
    screen = policy().phases[0].gate
    assert screen
    assert duration_of(screen, rounds[:1])[1] == "4 days, as long as its round took"
    quick = decided("screen", "go", "2027-01-02T00:00", "2027-01-02T09:00")
    assert duration_of(screen, [quick])[1].startswith("less than a day")
    assert (
        duration_of(screen, [decided("screen", "go", "2027-01-02", "2027-01-03")])[1][:5] == "1 day"
    )


def test_an_open_round_decides_by_its_deadline_and_an_overdue_one_any_moment() -> None:
    met = goal("named", state="met", met_at=NOW - DAY, due=NOW)
    sits = view(met, gate="screen", round=2, gate_since=NOW - DAY)
    found = gate(forecast(policy(), sits, NOW, resolve_due=NOW + 3 * DAY), "screen")
    assert (found.state, found.round, found.expected) == ("open", 2, NOW + 3 * DAY)
    assert (found.opened, found.basis) == (NOW - DAY, "its deadline")
    found = gate(forecast(policy(), sits, NOW, resolve_due=NOW - DAY), "screen")
    assert found.expected == NOW
    found = gate(forecast(policy(), sits, NOW), "screen")  # the deadline is not known
    assert (found.expected, found.basis) == (NOW + 9 * DAY, "10 days to resolve it")
    found = gate(forecast(policy(), view(met, gate="screen", round=2), NOW), "screen")
    assert found.expected == NOW + 10 * DAY


def test_a_date_that_is_missing_makes_the_rest_at_the_earliest() -> None:
    found = forecast(policy(), view(goal("named"), ahead=[ahead("complete", "2027-04-10")]), NOW)
    assert milestone(found, "named").expected is None
    assert gate(found, "screen").expected == NOW + 10 * DAY
    assert gate(found, "screen").at_earliest
    assert gate(found, "launch").at_earliest
    assert phase(found, "idea").at_earliest
    assert phase(found, "build").at_earliest


def test_what_was_sent_back_waits_for_its_owner() -> None:
    rounds = [decided("screen", "recycle", "2027-01-02", "2027-01-06")]
    back = view(goal("named", state="met", met_at=NOW - DAY, due=NOW), gates=rounds)
    found = gate(forecast(policy(), back, NOW), "screen")
    assert (found.expected, found.at_earliest) == (NOW + 4 * DAY, True)
    assert found.basis.startswith("once it is submitted")


def test_rounds_that_were_held_are_measured_against_the_plan_by_the_last() -> None:
    rounds = [
        decided("screen", "recycle", "2027-01-02", "2027-01-06", 1),
        decided("screen", "go", "2027-01-10", "2027-02-12", 2),
        decided("other", "go", "2027-01-10", "2027-02-12", 1),
    ]
    named = goal("named", state="met", met_at=day("2027-01-05"), due=day("2027-01-20"))
    found = forecast(policy(), view(named, phase="build", gates=rounds), NOW)
    first, second, other = [g for g in found.gates if g.state == "decided"]
    assert (first.outcome, first.slip, first.planned) == ("recycle", None, None)
    assert (second.planned, second.slip, second.actual) == (
        day("2027-01-30"),
        13,
        day("2027-02-12"),
    )
    assert (other.phase, other.title) == ("", "other")


# -- phases ---------------------------------------------------------------------------------------

LATER = [
    ahead("complete", "2027-09-01"),
    ahead("own", "2027-10-01", title="Our own", waits_for="motor/done"),
]


def test_phases_follow_one_another() -> None:
    found = forecast(policy(), view(goal("named", due=day("2027-06-01")), ahead=LATER), NOW)
    assert [(p.phase, p.state) for p in found.phases] == [
        ("idea", "current"),
        ("build", "ahead"),
        ("hand-over", "ahead"),
        ("market", "ahead"),
    ]
    build = phase(found, "build")
    assert (build.expected_start, build.expected_end) == (day("2027-06-11"), day("2027-10-11"))
    assert (build.planned_start, build.planned_end) == (day("2027-06-11"), day("2027-10-11"))
    assert phase(found, "hand-over").expected_end == day("2027-10-11")  # nothing to do there
    assert phase(found, "market").expected_end is None
    assert milestone(found, "own").title == "Our own"
    assert milestone(found, "own").waits_for == "motor/done"
    assert milestone(found, "docs").waits_for == ""
    assert milestone(found, "complete").title == "Feature complete"
    assert milestone(found, "docs").expected is None
    assert all(m.ahead for m in found.milestones if m.phase == "build")
    assert found.next_gate == "screen"
    assert found.next_gate_expected == day("2027-06-11")


def test_what_is_lost_now_is_lost_later_too() -> None:
    overdue = goal("named", state="missed", due=day("2027-02-09T12:00"))
    found = forecast(policy(), view(overdue, ahead=LATER), NOW)
    assert phase(found, "idea").slip == found.slip == 20
    assert milestone(found, "complete").expected == day("2027-09-21")
    assert milestone(found, "complete").slip == 20
    assert gate(found, "launch").slip == 20


def test_a_date_that_was_planned_anew_is_taken_at_its_word() -> None:
    moved = goal("named", due=day("2027-07-01"), planned=day("2027-06-01"))
    found = forecast(policy(), view(moved, ahead=LATER), NOW)
    assert gate(found, "screen").slip == 30
    assert milestone(found, "complete").slip == 0
    never_before = goal("named", due=day("2027-12-01"))
    found = forecast(policy(), view(never_before, ahead=LATER), NOW)
    assert milestone(found, "complete").expected == day("2027-12-11")  # its phase begins then


def test_on_hold_dates_move_by_as_long_as_it_lasts() -> None:
    held = view(goal("named", due=day("2027-06-01")), status="on-hold", held_since=NOW - 7 * DAY)
    found = forecast(policy(), held, NOW)
    assert milestone(found, "named").expected == day("2027-06-08")
    assert gate(found, "screen").at_earliest


def test_the_record_tells_of_the_phases_that_are_over() -> None:
    entries = [
        PhaseEntry(phase="idea", at=day("2027-01-01")),
        PhaseEntry(phase="build", at=day("2027-01-31")),
        PhaseEntry(phase="idea", at=day("2027-02-10")),
        PhaseEntry(phase="gone", at=day("2027-02-11")),
        PhaseEntry(phase="build", at=day("2027-02-12")),
    ]
    named = goal("named", state="met", met_at=day("2027-01-20"), due=day("2027-01-15"))
    complete = goal("complete", "build", due=day("2027-04-01"))
    found = forecast(policy(), view(named, complete, phase="build"), NOW, entries=entries)
    assert [(p.title, p.state, p.start, p.end) for p in found.phases[:5]] == [
        ("Idea", "done", day("2027-01-01"), day("2027-01-31")),
        ("Build", "done", day("2027-01-31"), day("2027-02-10")),
        ("Idea", "done", day("2027-02-10"), day("2027-02-11")),
        ("Gone", "done", day("2027-02-11"), day("2027-02-12")),
        ("Build", "current", day("2027-02-12"), None),
    ]
    assert [p.slip for p in found.phases[:5]] == [6, -60, None, None, None]
    assert found.phases[4].expected_end == day("2027-04-11")


def test_a_phase_that_a_product_comes_back_to_starts_without_dates() -> None:
    looping = policy(POLICY.replace("title: Hand-over", "title: Hand-over\n    next: idea"))
    here = view(goal("named", state="met", met_at=NOW, due=NOW), phase="hand-over")
    found = forecast(looping, here, NOW)
    assert [p.phase for p in found.phases if p.state == "ahead"] == ["idea", "build"]
    again = [m for m in found.milestones if m.id == "named" and m.ahead]
    assert (again[0].due, again[0].expected) == (None, None)


def test_in_the_market_the_next_review_is_expected() -> None:
    sold = view(phase="market", review_due=day("2027-08-01"))
    found = forecast(policy(), sold, NOW)
    review = gate(found, "review")
    assert (review.kind, review.expected) == ("review", day("2027-08-06"))
    assert gate(found, "retire").state == "unplanned"
    assert gate(found, "retire").expected is None
    assert found.phases[-1].expected_end is None
    sits = view(phase="market", gate="review", round=1, gate_since=NOW)
    found = forecast(policy(), sits, NOW, resolve_due=NOW + DAY)
    assert (gate(found, "review").state, gate(found, "review").expected) == ("open", NOW + DAY)
    held = [decided("review", "go", "2027-01-02", "2027-01-06")]
    found = forecast(policy(), view(phase="market", gates=held), NOW)
    assert (found.gates[0].kind, found.gates[0].phase) == ("review", "market")


def test_a_market_without_a_gate_goes_on() -> None:
    text = POLICY[: POLICY.index("    gate: {id: retire")]
    found = forecast(policy(text), view(phase="market"), NOW)
    assert [g.gate for g in found.gates] == ["review"]
    assert found.phases[-1].expected_end is None
    ends = forecast(policy(text, "# none"), view(phase="market"), NOW)
    assert ends.phases[-1].expected_end == NOW


def test_nobody_knows_when_a_product_leaves_the_market() -> None:
    text = POLICY.replace(
        "in_market: true", "in_market: true\n    milestones: [{id: ga, title: GA}]"
    )
    launched = goal("ga", "market", due=day("2027-12-01"))
    found = gate(forecast(policy(text), view(launched, phase="market"), NOW), "retire")
    assert (found.state, found.expected) == ("unplanned", None)


def test_a_retirement_with_goals_can_be_foreseen() -> None:
    text = POLICY.replace("in_market: true", "milestones: [{id: moved, title: Moved}]")
    due = goal("moved", "market", due=day("2027-12-01"))
    found = gate(forecast(policy(text, "# none"), view(due, phase="market"), NOW), "retire")
    assert found.expected == day("2027-12-15")
    assert found.at_earliest  # the owner has to submit it


@pytest.mark.parametrize("status", ["killed", "cancelled", "retired", "completed", "sunsetting"])
def test_of_what_has_ended_nothing_is_expected(status: str) -> None:
    named = goal("named", state="missed", due=day("2027-02-01"))
    ended = None if status == "sunsetting" else NOW
    entries = [PhaseEntry(phase="idea", at=day("2027-01-01"))]
    over = view(named, status=status, ended_at=ended, ahead=LATER)
    found = forecast(policy(), over, NOW, entries=entries)
    assert found.next_gate is None
    assert milestone(found, "named").expected is None
    assert [p.phase for p in found.phases] == ["idea"]
    assert (found.slip is None) is (ended is not None)


def test_a_product_that_is_being_started_has_its_plan_only() -> None:
    found = forecast(policy(), view(phase=None, entered_at=None, ahead=LATER), NOW)
    assert (found.phases, found.gates, found.milestones, found.slip) == ([], [], [], None)


def test_a_phase_that_the_record_does_not_know_yet_is_foreseen_all_the_same() -> None:
    entries = [PhaseEntry(phase="idea", at=day("2027-01-01"))]  # the ledger is a moment late
    complete = goal("complete", "build", due=day("2027-04-01"))
    found = forecast(policy(), view(complete, phase="build"), NOW, entries=entries)
    assert gate(found, "launch").expected == day("2027-04-11")
