"""Products that wait for each other: what each step waits for, circles, and what another says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phasegate.check import ProductCheck
from phasegate.dependencies import Plan, Step, answer_of, circle, plan_of, unknown
from phasegate.milestones import Milestone, MilestoneStatus, roadmap_of
from phasegate.policy import Policy
from phasegate.ports import Finding
from phasegate.product import Product
from phasegate.span import Span
from phasegate.views import GateSummaryView, MilestoneView, ProductView

NOW = datetime(2026, 11, 25, tzinfo=UTC)
DAY = timedelta(days=1)


def gate(name: str) -> dict[str, Any]:
    return {"id": name, "title": name, "requires": [{"group": "eng"}]}


POLICY = Policy.model_validate(
    {
        "policy": "p",
        "version": "1",
        "title": "P",
        "phases": [
            {
                "id": "one",
                "title": "1",
                "milestones": [{"id": "a", "title": "A"}],
                "gate": gate("g1"),
            },
            {"id": "two", "title": "2", "milestones": [{"id": "b", "title": "B"}]},
            {
                "id": "three",
                "title": "3",
                "milestones": [{"id": "c", "title": "C"}],
                "gate": gate("g3"),
            },
        ],
    }
)


def plan(key: str, **waits: str) -> Plan:
    """`one=x/g1`: in phase one, an own milestone `one-own` waits for that."""
    milestones = []
    for phase, target in waits.items():
        product, _, name = target.partition("/")
        kind = "gate" if name.startswith("g") else "milestone"
        check = {"kind": "product", "product": product, kind: name}
        milestones.append({"id": f"{phase}-own", "phase": phase, "check": check})
    data = {"key": key, "name": key, "owner": "olga", "tier": 2, "milestones": milestones}
    return plan_of(Product.model_validate(data), POLICY)


def found(*plans: Plan) -> str:
    return " → ".join(map(str, circle({p.product: p for p in plans}, plans[0].product)))


def test_steps_wait_for_what_their_phase_is_entered_by() -> None:
    waits = plan("k", two="x/g1").waits
    assert {str(step): [str(to) for to in targets] for step, targets in waits.items()} == {
        "k/a": [],
        "k/g1": ["k/a"],
        "k/b": ["k/g1"],
        "k/two-own": ["x/g1", "k/g1"],
        "k/c": ["k/b", "k/two-own"],
        "k/g3": ["k/c", "k/b", "k/two-own"],
    }
    assert plan("k", two="x/g1").others() == ("x",)


def test_circles_are_found_through_any_number_of_products() -> None:
    assert found(plan("k", one="k/g3")).startswith("k/one-own → k/g3 → ")
    assert found(plan("k", one="x/a"), plan("x", one="y/g1"), plan("y", two="k/g1")) == ""
    assert "k/one-own → x/g1 → x/one-own → k/g1 → k/one-own" in found(
        plan("k", one="x/g1"), plan("x", one="k/g1")
    )
    round_three = (plan("k", one="x/g1"), plan("x", one="y/b"), plan("y", one="k/c"))
    assert found(*round_three).count("→") >= 3


def test_products_may_wait_for_each_other_step_by_step() -> None:
    assert found(plan("k", two="x/g1"), plan("x", three="k/b")) == ""
    assert found(plan("k", two="x/g1"), plan("x", one="k/a")) == ""


def test_gates_of_reviews_and_of_the_sunset_come_after_their_phase() -> None:
    review = {"gate": gate("plr"), "first": "90 days", "every": "1 year"}
    tasks = [{"id": "off", "title": "Off", "kind": "gate", "gate": gate("down")}]
    policy = Policy.model_validate(
        {
            "policy": "q",
            "version": "1",
            "title": "Q",
            "phases": [
                {"id": "one", "title": "1", "gate": gate("g1")},
                {
                    "id": "two",
                    "title": "2",
                    "in_market": True,
                    "review": review,
                    "gate": gate("g2"),
                },
            ],
            "sunset": {"tasks": tasks},
        }
    )
    own = [{"id": "m", "phase": "one", "check": {"kind": "product", "product": "k", "gate": "g1"}}]
    data = {"key": "x", "name": "x", "owner": "olga", "tier": 2, "milestones": own}
    other = plan_of(Product.model_validate(data), policy)
    assert other.gates == ("g1", "plr", "g2", "down")
    for late in ("plr", "down"):
        assert found(plan("k", one=f"x/{late}"), other).startswith("k/one-own → x/")


def test_a_circle_of_others_is_not_of_this_product_alone() -> None:
    others = (plan("x", one="y/g1"), plan("y", one="x/g1"))
    assert found(plan("k", one="x/g1"), *others) != ""
    assert found(plan("k", one="z/g1"), *others) == ""


targets = st.tuples(st.sampled_from("klmn"), st.sampled_from(["a", "b", "c", "g1", "g3"]))
phases = st.sampled_from(["one", "two", "three"])


@given(
    st.dictionaries(
        st.sampled_from("klmn"), st.dictionaries(phases, targets.map("/".join)), min_size=1
    )
)
def test_a_circle_is_one_and_none_means_that_everything_can_be_done(
    waits: dict[str, dict[str, str]],
) -> None:
    plans = {key: plan(key, **of) for key, of in waits.items()}
    every = {step: targets for p in plans.values() for step, targets in p.waits.items()}
    start = min(plans)
    way = circle(plans, start)
    if way:
        assert way[0] == way[-1]
        assert all(to in every[step] for step, to in pairwise(way))
        return
    done: set[Step] = set()
    for _ in every:  # one more step can be done each time
        done |= {s for s, to in every.items() if all(t in done or t not in every for t in to)}
    assert set(plans[start].waits) <= done


def test_steps_that_a_known_product_does_not_have_are_named() -> None:
    mine = plan("k", one="x/done", two="y/done", three="x/g9")
    plans = {"k": mine, "x": plan("x")}
    assert [(str(step), str(to)) for step, to, _ in unknown(plans, "k")] == [
        ("k/one-own", "x/done"),
        ("k/three-own", "x/g9"),
    ]
    assert next(unknown(plans, "k"))[2] == ("a", "b", "c", "g1", "g3")


# -- what another product says --------------------------------------------------------------------


def view(
    state: str = "planned", status: str = "active", *outcomes: str, **more: Any
) -> ProductView:
    goal = MilestoneView(id="a", title="A", phase="one", state=state, due=NOW, expected=NOW)
    later = MilestoneView(
        id="b", title="B", phase="one", state="planned", due=NOW, expected=NOW + DAY
    )
    rounds = [
        GateSummaryView(gate="g1", round=n, outcome=outcome, decided_at=NOW, votes={})
        for n, outcome in enumerate(outcomes, 1)
    ]
    return ProductView(
        key="x", name="X", owner="o", status=status, phase="one", gate=None, round=None,
        policy="p 1", policy_digest="d", milestones=[goal, later], conditions=[], gates=rounds,
        next_due=None, workflow_id="product/x", **more,
    )  # fmt: skip


def check(**target: str) -> ProductCheck:
    return ProductCheck.model_validate({"kind": "product", "product": "x", **target})


def test_a_milestone_is_waited_for_until_it_is_met() -> None:
    waiting = answer_of(check(milestone="a"), view())
    assert (waiting.finding, waiting.expected) == (Finding.not_met, NOW)
    assert waiting.why == "waits for x/a, which is planned, expected 2026-11-25"
    assert answer_of(check(milestone="a"), view("met")).finding is Finding.met
    waived = answer_of(check(milestone="a"), view("waived"))
    assert (waived.finding, "is waived" in waived.why) == (Finding.not_met, True)
    later = answer_of(check(milestone="c"), view())
    assert later.why == "waits for x/c, which belongs to a later phase"
    assert later.expected is None


def test_a_gate_is_waited_for_until_it_lets_the_product_go_on() -> None:
    assert answer_of(check(gate="g3"), view(ends_with="g1")).expected is None
    waiting = answer_of(check(gate="g1"), view(ends_with="g1"))
    assert (waiting.finding, waiting.expected) == (Finding.not_met, NOW + DAY)
    clocked = answer_of(check(gate="g1"), view(ends_with="g1", ends_within=14 * DAY))
    assert clocked.expected == NOW + 15 * DAY
    assert "g1, which is not decided" in waiting.why
    stopped = answer_of(check(gate="g1"), view("met", "active", "recycle"))
    assert "came to recycle" in stopped.why
    for outcome in ("go", "conditional-go"):
        passed = answer_of(check(gate="g1"), view("met", "active", "recycle", outcome))
        assert (passed.finding, passed.why) == (Finding.met, f"x/g1 came to {outcome}")


def test_what_has_ended_without_it_is_never_met() -> None:
    ended = answer_of(check(milestone="a"), view("planned", "killed"))
    assert (ended.finding, ended.expected) == (Finding.not_met, None)
    assert ended.why == "x/a is planned, and x is killed"
    assert answer_of(check(milestone="a"), view("met", "killed")).finding is Finding.met


# -- a slip travels -------------------------------------------------------------------------------


def goal(due: datetime | None = NOW + 30 * DAY, **more: Any) -> Milestone:
    return Milestone(
        id="m", title="M", phase="one", check=check(milestone="a"), due=due,
        at_risk=Span(exact=14 * DAY), **more,
    )  # fmt: skip


def test_a_milestone_is_at_risk_as_long_as_what_it_waits_for_comes_too_late() -> None:
    milestone = goal()
    assert (milestone.waits_for, milestone.comes) == ("x/a", NOW + 30 * DAY)
    assert not milestone.expect(NOW + 10 * DAY, NOW)
    assert milestone.comes == NOW + 30 * DAY
    assert milestone.expect(NOW + 40 * DAY, NOW)
    assert (milestone.state, milestone.comes) == (MilestoneStatus.at_risk, NOW + 40 * DAY)
    assert not milestone.expect(NOW + 50 * DAY, NOW)
    assert milestone.expect(NOW + 20 * DAY, NOW)
    assert milestone.state is MilestoneStatus.planned
    assert not milestone.expect(None, NOW)


def test_another_date_does_not_hide_that_what_it_waits_for_comes_later() -> None:
    milestone = goal()
    milestone.expect(NOW + 60 * DAY, NOW)
    milestone.plan(NOW + 40 * DAY)
    assert milestone.state is MilestoneStatus.at_risk
    milestone.plan(NOW + 90 * DAY)
    assert milestone.state is MilestoneStatus.planned


def test_news_of_another_product_never_make_a_milestone_missed() -> None:
    milestone, late = goal(), NOW + 31 * DAY
    assert milestone.expect(NOW + 20 * DAY, late)
    assert milestone.state is MilestoneStatus.at_risk


def test_the_clock_keeps_at_risk_what_is_due_soon() -> None:
    milestone, soon = goal(), NOW + 20 * DAY
    assert milestone.turn(soon)
    assert not milestone.expect(NOW + 40 * DAY, soon)
    assert not milestone.expect(NOW + 21 * DAY, soon)
    assert milestone.state is MilestoneStatus.at_risk


@pytest.mark.parametrize("state", [MilestoneStatus.met, MilestoneStatus.missed])
def test_what_is_settled_or_missed_stays_so(state: MilestoneStatus) -> None:
    milestone = goal(state=state)
    assert not milestone.expect(NOW + 40 * DAY, NOW)
    assert milestone.state is state


def test_without_a_date_of_its_own_it_comes_with_what_it_waits_for() -> None:
    milestone = goal(due=None)
    assert milestone.comes is None
    assert not milestone.expect(NOW + DAY, NOW)
    assert milestone.comes == NOW + DAY
    assert Milestone(id="m", title="M", phase="one").waits_for == ""


def test_a_milestone_that_an_event_meets_says_which() -> None:
    check = {"kind": "event", "source": "gh", "type": "release", "subject": "a/b", "when": "true"}
    goals = [{"id": "out", "phase": "one", "check": check}]
    data = {"key": "k", "name": "k", "owner": "olga", "tier": 2, "milestones": goals}
    found = {m.id: m.why for m in roadmap_of(POLICY.phase("one"), Product.model_validate(data))}
    assert found["out"] == "waits for an event release of gh about a/b with true"
    assert found["a"] == ""
