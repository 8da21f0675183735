"""Where a rehearsed life does not go on: said with whom it waits for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from phasegate.rehearsal_stuck import CIRCLES, SILENT_CIRCLES, TIMEOUT, in_circles, where_stuck
from phasegate.views import GateSummaryView, MilestoneView, ProductView

START = datetime(2027, 3, 1, 9, tzinfo=UTC)


def product(**more: Any) -> ProductView:
    given: dict[str, Any] = {
        "key": "kettle", "name": "Kettle", "owner": "olga", "status": "active", "phase": "build",
        "gate": None, "round": None, "policy": "tiny 1", "policy_digest": "", "milestones": [],
        "conditions": [], "next_due": None, "revision": "", "workflow_id": "",
        "entered_at": START, "ends_with": "launch",
    }  # fmt: skip
    return ProductView.model_validate({**given, **more})


def held(count: int, outcome: str, why: str = "") -> list[GateSummaryView]:
    return [
        GateSummaryView(
            gate="launch",
            round=n + 1,
            outcome=outcome,
            decided_at=START + timedelta(days=n),
            votes={},
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
