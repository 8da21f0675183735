"""The portfolio: where products stand by the record alone, what is late, what gates have cost."""

from __future__ import annotations

from typing import Any

import pytest
from tales import Tale, day

from phasegate.past_goals import PastGoals
from phasegate.policy import Policy
from phasegate.portfolio import NO_PHASE, PortfolioRow, portfolio_of, row_of
from phasegate.reading import read_policy
from phasegate.recalled import foresee, recall
from phasegate.roadmap import Missing

POLICY = """
policy: three
version: "1"
title: Build, test, sell
phases:
  - id: build
    title: Build
    at_risk: 3 days
    milestones: [{id: complete, title: Complete}, {id: docs, title: Documented}]
    gate:
      id: launch
      title: Launch
      requires: [{group: eng}]
      clocks: {respond: 5 days, resolve: 10 days}
  - id: market
    title: Market
    in_market: true
    milestones: [{id: sold, title: First sale}]
    review:
      first: 90 days
      every: 200 days
      invest: build
      gate: {id: review, title: Review, requires: [{group: eng}], clocks: {resolve: 10 days}}
    gate: {id: retire, title: Retire, opens: submit, requires: [{group: eng}]}
sunset:
  tasks:
    - {id: told, title: Notice, kind: notice}
    - {id: sales, title: End of sales, kind: date, at: 30 days}
    - id: down
      title: Take it down
      kind: gate
      at: 60 days
      gate: {id: down, title: Take it down, requires: [{group: eng}]}
"""


@pytest.fixture(scope="module")
def policy() -> Policy:
    return read_policy(POLICY, "policy")


def dated(**days: float) -> list[dict[str, Any]]:
    """Milestones of a definition, by the day on which each is due."""
    phases = {"sold": "market"}
    return [
        {"id": id, "phase": phases.get(id, "build"), "due": day(on).isoformat()}
        for id, on in days.items()
    ]


def row(tale: Tale, policy: Policy, on: float) -> PortfolioRow:
    past = tale.past()
    return row_of(past, PastGoals(past, policy, tale.events), policy, day(on))


def test_a_row_says_where_a_product_stands(policy: Policy) -> None:
    tale = Tale().start(milestones=dated(complete=20, docs=30, sold=100))
    found = row(tale, policy, 2)
    assert (found.key, found.name, found.owner, found.tier) == ("kettle", "Kettle", "olga", 2)
    assert (found.policy, found.policy_version, found.status) == ("three", "1", "active")
    assert (found.phase, found.phase_since, found.days_in_phase) == ("build", day(0), 2.0)
    assert (found.next_gate, found.next_gate_expected) == ("launch", day(40))
    assert (found.gate, found.slip, found.late, found.at_risk) == (None, 0, [], [])


def test_milestones_are_late_at_risk_or_no_matter(policy: Policy) -> None:
    tale = Tale().start(milestones=dated(complete=20, docs=30))
    assert row(tale, policy, 19).at_risk == ["complete"]
    late = row(tale, policy, 28)
    assert (late.late, late.at_risk) == (["complete"], ["docs"])
    tale.say(28, "milestone.met", milestone="complete")
    tale.say(28, "milestone.planned", milestone="docs", due=day(60).isoformat())
    moved = row(tale, policy, 29)
    assert (moved.late, moved.at_risk, moved.slip) == ([], [], 30)
    tale.say(30, "milestone.at-risk", milestone="docs").say(30, "milestone.met", milestone="no")
    assert row(tale, policy, 31).at_risk == ["docs"]
    tale.say(31, "milestone.planned", milestone="docs")  # what it waits for is on time again
    assert row(tale, policy, 32).at_risk == []
    tale.say(33, "milestone.waived", milestone="docs").enter(40, "market")
    assert row(tale, policy, 500).late == []


def test_a_hold_moves_dates_and_makes_nothing_late(policy: Policy) -> None:
    tale = Tale().start(milestones=dated(complete=20)).say(10, "product.held")
    held = row(tale, policy, 30)
    assert (held.status, held.days_in_phase, held.late) == ("on-hold", 10.0, [])
    assert held.at_earliest
    tale.say(40, "product.resumed")
    found = row(tale, policy, 45)
    assert (found.late, found.slip, found.days_in_phase) == ([], 30, 15.0)


def test_an_open_gate_is_expected_by_its_deadline_and_costs_days_already(policy: Policy) -> None:
    tale = Tale().start().open(1).decide(3, "recycle", opened=1).open(20, round=2)
    found = row(tale, policy, 25)
    assert (found.gate, found.round, found.next_gate_expected) == ("launch", 2, day(30))
    (cost,) = found.gates
    assert (cost.rounds, cost.people_asked, cost.days) == (2, 6, 7.0)


def test_conditions_are_open_and_overdue(policy: Policy) -> None:
    promised = [{"id": "a", "due": day(9).isoformat()}, {"id": "b", "due": None}]
    tale = Tale().start().open(1).decide(2, "conditional-go", conditions=promised)
    found = row(tale.enter(3, "market"), policy, 20)
    assert (found.conditions_open, found.conditions_overdue) == (2, 1)


def test_reviews_come_as_the_policy_says_and_move_with_a_hold(policy: Policy) -> None:
    tale = Tale().start().enter(10, "market")
    first = row(tale, policy, 20)
    assert (first.next_gate, first.next_gate_expected) == ("review", day(110))
    tale.say(30, "product.held").say(35, "product.resumed")
    assert row(tale, policy, 40).next_gate_expected == day(115)
    assert row(tale.say(120, "product.review-planned"), policy, 130).next_gate_expected == day(330)
    tale.say(121, "product.investing", to="build").enter(121, "build", milestones_before={})
    found = foresee(tale.past(), PastGoals(tale.past(), policy, tale.events), policy, day(122))
    again = [m for m in found.milestones if m.phase == "build" and not m.ahead]
    assert {(m.id, m.state, m.due) for m in again} == {
        ("complete", "planned", None),
        ("docs", "planned", None),
    }


def test_a_new_definition_moves_dates_and_keeps_the_first(policy: Policy) -> None:
    tale = Tale().start(milestones=dated(complete=20, sold=90))
    after = {"key": "kettle", "name": "Kettle 2", "owner": "ana", "tier": 1}
    later = {**after, "milestones": dated(complete=25, sold=100)}
    tale.say(5, "product.updated", product=later).say(6, "product.updated", shortened=True)
    found = row(tale, policy, 7)
    assert (found.name, found.owner, found.tier, found.slip) == ("Kettle 2", "ana", 1, 5)
    past = tale.past()
    view = recall(past, PastGoals(past, policy, tale.events), policy)
    assert [(m.id, m.due, m.planned) for m in view.ahead] == [("sold", day(100), day(90))]


def test_the_sunset_has_a_timetable(policy: Policy) -> None:
    tale = Tale().start().enter(10, "market").say(100, "product.sunsetting")
    assert row(tale, policy, 100).phase == "sunset"
    dates = {"told": day(100), "sales": day(130), "down": day(160), "gone": "?"}
    tale.say(100, "sunset.planned", tasks={task: str(at) for task, at in dates.items()})
    tale.say(101, "sunset.task-done", task="told")
    found = row(tale, policy, 140)
    assert (found.status, found.next_gate, found.next_gate_expected) == (
        "sunsetting",
        "down",
        day(160),
    )
    assert found.late == ["sales"]
    gone = row(tale.say(170, "product.retired"), policy, 180)
    assert (gone.status, gone.phase, gone.days_in_phase, gone.late) == ("retired", None, None, [])


def test_the_calendar_has_what_the_owner_adds_and_not_what_is_left_out(policy: Policy) -> None:
    tale = Tale().start().enter(10, "market").say(100, "product.sunsetting", sunset=1)
    party = {"id": "party", "kind": "date", "title": "Farewell", "at": "40 days"}
    adjusted = {"add": [party], "skip": {"sales": "never sold"}}
    dates = {"told": day(100), "sales": day(130), "party": day(140), "down": day(160)}
    planned = {task: str(at) for task, at in dates.items()}
    tale.say(100, "sunset.planned", tasks=planned, adjustments=adjusted)
    assert row(tale, policy, 150).late == ["party"]
    tale.say(150, "sunset.replanned", tasks={**planned, "party": str(day(155))})
    assert row(tale, policy, 152).late == []
    tale.say(152, "sunset.replanned", adjustments={"add": "garbage"})
    assert row(tale, policy, 156).late == ["party"]


def test_an_aborted_sunset_leaves_nothing_to_wait_for(policy: Policy) -> None:
    tale = Tale().start().enter(10, "market").say(100, "product.sunsetting", sunset=1)
    tale.say(100, "sunset.planned", tasks={"sales": str(day(130))})
    tale.say(120, "product.back-in-market", phase="market", sunset=1)
    found = row(tale, policy, 140)
    assert (found.status, found.phase, found.days_in_phase) == ("active", "market", 20.0)
    assert (found.late, found.next_gate) == ([], "review")
    tale.say(150, "product.sunsetting", sunset=2)
    tale.say(150, "sunset.planned", tasks={"sales": str(day(170))})
    again = row(tale, policy, 160)
    assert (again.status, again.phase, again.late) == ("sunsetting", "sunset", [])


def test_a_killed_product_stays_where_it_was(policy: Policy) -> None:
    tale = Tale().start(milestones=dated(complete=5)).say(10, "product.killed")
    found = row(tale, policy, 400)
    assert (found.status, found.phase, found.days_in_phase) == ("killed", "build", 10.0)
    assert (found.ended_at, found.late, found.next_gate) == (day(10), [], None)


def test_a_policy_without_a_sunset_or_that_phase_is_no_trouble(policy: Policy) -> None:
    tale = Tale().start(phase="elsewhere").say(3, "product.review-planned")
    tale.say(4, "sunset.planned", tasks={"told": day(9).isoformat()})
    bare = policy.model_copy(update={"sunset": None})
    assert row(tale, bare, 5).phase == "elsewhere"
    before = Tale().say(0, "product.phase-entered", phase="build")
    before.start(1, milestones=dated(complete=20))
    assert row(before, policy, 5).next_gate == "launch"


def test_what_is_defined_nowhere_has_no_row(policy: Policy) -> None:
    with pytest.raises(ValueError, match="definition is not in the record"):
        row(Tale().enter(0, "build"), policy, 1)
    with pytest.raises(ValueError, match="owner"):
        row(Tale().say(0, "product.started", product={"key": "kettle", "name": "K"}), policy, 1)


def test_totals_are_of_the_rows(policy: Policy) -> None:
    one = Tale("b-late").start(milestones=dated(complete=5, docs=41)).open(1)
    two = Tale("a-risk").start(milestones=dated(complete=41)).open(1).decide(2, "recycle", opened=1)
    three = Tale("gone").start().say(9, "product.sunsetting").say(10, "product.retired")
    rows = [row(tale, policy, 40) for tale in (one, two, three)]
    gone = [Missing(key="y", why="?"), Missing(key="x", why="?")]
    found = portfolio_of(day(40), rows, gone)
    totals = found.totals
    assert [p.key for p in found.products] == ["a-risk", "b-late", "gone"]
    assert (totals.products, totals.late, totals.at_risk) == (3, 1, 1)
    assert totals.by_status == {"active": 2, "retired": 1}
    assert totals.by_phase == {"build": 2, NO_PHASE: 1}
    assert totals.by_policy == {"three": 3}
    (launch,) = totals.gates
    assert (launch.products, launch.rounds, launch.people_asked, launch.days) == (2, 2, 6, 40.0)
    assert [missing.key for missing in found.missing] == ["x", "y"]
