"""Where a rehearsed life does not go on: said with whom it waits for."""

from __future__ import annotations

from datetime import timedelta

import pytest
from kettle import START, gate, product
from tales import Tale, day

from phasegate.reading import read_policy
from phasegate.rehearsal_record import life
from phasegate.rehearsal_stuck import CIRCLES, SILENT_CIRCLES, TIMEOUT, in_circles, where_stuck
from phasegate.rehearsal_view import StuckAt
from phasegate.views import (
    GateSummaryView,
    MilestoneView,
    PendingView,
    RequirementView,
)

POLICY = """
policy: tiny
version: "1"
title: Tiny
phases:
  - id: build
    title: Build it
    gate: {id: launch, title: To the market, requires: [{group: eng}, {group: product}]}
"""
OPEN = gate(title="To the market", revision="")


def asked(who: str, acting: str, group: str) -> PendingView:
    return PendingView(approver=who, group=group, since=START, respond_due=START, acting=[acting])


def held(count: int, outcome: str, why: str = "", **votes: str) -> list[GateSummaryView]:
    return [
        GateSummaryView(
            gate="launch",
            round=n + 1,
            outcome=outcome,
            decided_at=START + timedelta(days=n),
            votes=votes,
            why=why,
        )
        for n in range(count)
    ]


@pytest.mark.parametrize(
    ("outcome", "why", "most"),
    [("recycle", "1 recycle", CIRCLES), ("hold", f"no votes; {TIMEOUT}", SILENT_CIRCLES)],
)
def test_a_gate_that_never_passes_goes_round_in_circles(outcome: str, why: str, most: int) -> None:
    almost = product(gates=held(most - 1, outcome, why))
    assert in_circles(almost, None, START) is None
    stuck = in_circles(product(gates=held(most, outcome, why)), None, START)
    assert stuck is not None
    assert (stuck.where, stuck.since) == ("launch", START)
    passed = held(most, outcome, why)
    passed[-1].outcome = "go"
    assert in_circles(product(gates=passed), None, START) is None


def test_milestones_that_nobody_meets_are_named() -> None:
    goals = [
        MilestoneView(id=id, title=id.title(), phase="build", state=state, due=None)
        for id, state in (("done", "missed"), ("told", "met"))
    ]
    stuck = where_stuck(product(milestones=goals), None, None, [], START)
    assert (stuck.kind, stuck.where, stuck.waits_for) == ("milestone", "done", ["olga"])


def test_an_owner_who_submits_nothing_is_named_with_what_was_refused() -> None:
    view = product(waiting_for="olga to submit launch: phasegate gate submit kettle/launch")
    stuck = where_stuck(view, None, None, ["launch is not open: it has none"], START)
    assert (stuck.kind, stuck.where, stuck.waits_for) == ("submit", "launch", ["olga"])
    assert stuck.why == (
        "waits for olga to submit launch; what was refused last: launch is not open: it has none"
    )
    on_hold = where_stuck(product(status="on-hold", held_since=START), None, None, [], START)
    assert on_hold.kind == "hold"


def test_of_a_gate_that_is_voted_down_again_and_again_it_is_said_by_whom() -> None:
    rounds = held(CIRCLES, "recycle", "a veto says recycle", ana="go", bo="recycle", cy="hold")
    rounds[3].outcome = "hold"
    stuck = in_circles(product(gates=rounds), None, START)
    assert stuck is not None
    assert (stuck.rounds, stuck.waits_for) == (CIRCLES, [])
    assert stuck.why == (
        "goes round in circles: 12 rounds in a row ended with recycle or hold, "
        "in the last bo says recycle, cy says hold; a veto says recycle"
    )


def test_of_a_gate_that_goes_round_by_its_deadline_the_silent_are_named() -> None:
    """Its product shows rounds that are over, and of these it is their record that knows. Max was
    late in a step that is over: not for him does it go round."""
    tale = Tale().start()
    for n in range(SILENT_CIRCLES):
        at, about = n * 20, {"gate": "launch", "round": n + 1}
        tale.open(at, round=n + 1, seats={"ana": ["product"], "max": ["product"]})
        tale.gate(at + 5, "overdue", pending=["max"], **about).vote(at + 6, "ana", **about)
        tale.gate(at + 6, "step", seats={"bo": ["eng"], "cy": ["eng"]}, **about)
        view = {"outcome": "hold", "why": f"it waits for votes; {TIMEOUT}", "round": n + 1}
        tale.gate(at + 10, "decided", view=view, **about)
    why = f"it waits for votes; {TIMEOUT}"
    found = in_circles(product(gates=held(SILENT_CIRCLES, "hold", why)), None, START)
    assert found is not None
    run = life(read_policy(POLICY, "p"), "kettle", tale.events, number=1, seed=1, until=day(99),
               stuck=found)  # fmt: skip
    assert run.stuck is not None
    assert (run.stuck.title, run.stuck.rounds) == ("To the market", SILENT_CIRCLES)
    assert (run.stuck.waits_for, run.stuck.groups) == (["bo", "cy"], ["eng"])
    assert run.stuck.why == (
        "waits for bo, cy, and goes round in circles: 3 rounds in a row ended with hold; "
        "it waits for votes; the resolve deadline passed"
    )


def test_only_those_without_whom_a_gate_does_not_go_on_are_waited_for() -> None:
    """Bo said go for eng, so cy is asked and makes no difference."""
    gate = OPEN.model_copy(
        update={"pending": [asked("ana", "max", "product"), asked("cy", "eva", "eng")]}
    )
    needs = [{"group": "eng", "need": 1, "have": 1, "step": 1, "veto": False, "state": "met",
              "why": ""},
             {"group": "product", "need": 1, "have": 0, "step": 1, "veto": False,
              "state": "waiting", "why": "", "candidates": ["ana"]}]  # fmt: skip
    needed = [RequirementView.model_validate(one) for one in needs]
    stuck = where_stuck(
        product(), gate.model_copy(update={"requirements": needed}), None, [], START
    )
    assert (stuck.waits_for, stuck.groups) == (["ana"], ["product"])
    assert stuck.why.endswith("nobody may act instead but max, of whom nothing comes either")
    gate = gate.model_copy(update={"requirements": needed})
    for last, for_all in (({"cannot_pass": True}, set[str]()), ({}, {"launch"})):
        stuck = where_stuck(product(), gate.model_copy(update=last), None, [], START, for_all)
        assert (stuck.waits_for, stuck.groups) == (["ana", "cy"], ["eng", "product"])
    unsaid = gate.model_copy(update={"requirements": []})
    everybody = where_stuck(product(), unsaid, None, [], START)
    assert everybody.waits_for == ["ana", "cy"], "the gate does not say who is needed"


def test_a_phase_in_which_it_is_stuck_has_its_title() -> None:
    found = StuckAt(kind="submit", where="build", since=START, why="waits for olga")
    run = life(read_policy(POLICY, "p"), "kettle", Tale().start().events, number=1, seed=1,
               until=day(9), stuck=found)  # fmt: skip
    assert run.stuck == found.model_copy(update={"title": "Build it"})
