"""The weekly letter: what the record says of a week, what is late first."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from phasegate.digest import (
    TYPES,
    OpenGate,
    Portfolio,
    Week,
    portfolio_letter,
    week_name,
    week_number,
)
from phasegate.events import Announcement

NOW = datetime(2026, 11, 30, 7, tzinfo=UTC)
SINCE = NOW - timedelta(days=7)


def event(type: str, text: str = "it", days_ago: float = 1, **data: Any) -> Announcement:
    return Announcement(
        id="e", type=type, product="lamp", source="s", at=NOW - timedelta(days=days_ago), text=text,
        data=data,
    )  # fmt: skip


STARTED = event("product.started", product={"name": "Lamp", "owner": "olga"})


def week(*events: Announcement) -> Week:
    found = Week()
    found.add("lamp", [STARTED, *events], SINCE)
    return found


def test_decisions_of_this_week_and_no_earlier_ones() -> None:
    found = week(
        event("gate.decided", "Idea: go", days_ago=8),
        event("gate.decided", "Launch: go", days_ago=2),
    )
    assert found.decided == ["Lamp (lamp): Launch: go"]


def test_milestones_and_conditions_are_late_until_they_are_settled() -> None:
    found = week(
        event("milestone.at-risk", "Beta is at risk", milestone="beta"),
        event("milestone.missed", "Beta is missed", milestone="beta"),
        event("milestone.at-risk", "Docs are at risk", milestone="docs"),
        event("milestone.met", "Docs are met", milestone="docs"),
        event("condition.overdue", "keys were due", condition="launch-1-1"),
        event("condition.overdue", "docs were due", condition="launch-1-2"),
        event("condition.closed", "docs are done", condition="launch-1-2"),
        event("milestone.met", "never late", milestone="other"),
        event("condition.waived", "never late", condition="other"),
    )
    assert found.late == ["Lamp (lamp): Beta is missed"]
    assert found.overdue == ["Lamp (lamp): keys were due"]


def test_what_has_ended_is_late_with_nothing_unless_it_comes_back() -> None:
    late = event("milestone.missed", "Beta is missed", milestone="beta")
    assert week(late, event("product.killed")).late == []
    assert week(late, event("product.killed"), event("product.revived")).late != []
    assert {"product.killed", "product.revived"} <= set(TYPES)
    nameless = Week()
    nameless.add("kite", [event("gate.decided", "Launch: hold")], SINCE)
    assert nameless.decided == ["kite (kite): Launch: hold"]


def test_the_letter_says_what_is_late_first_and_counts_what_it_leaves_out() -> None:
    found = Portfolio(
        week="2026-W48",
        counted=75,
        counted_overdue=1,
        open=[OpenGate(product=f"p{n}", gate="launch", owner="olga", due=NOW) for n in range(50)],
        overdue=[OpenGate(product="lamp", gate="launch", owner="olga", due=SINCE)],
        record=Week(decided=["Lamp: Launch: go"]),
    )
    written = portfolio_letter(found)
    assert written.subject == (
        "Portfolio 2026-W48: 75 gates open, 1 overdue, 0 milestones late, 1 decisions"
    )
    titles = [part.splitlines()[0] for part in written.text.split("\n\n")]
    assert titles == [
        "Gates that are overdue: 1",
        "Conditions that are overdue: none",
        "Milestones at risk or missed: none",
        "Decided this week: 1",
        "Gates that are open and in time: 74",
        "More: phasegate product list",
    ]
    assert "* lamp/launch, due 2026-11-23 07:00 UTC, owner olga" in written.text
    assert "… and 24 more" in written.text


def test_the_letter_keeps_the_heads_of_what_was_decided() -> None:
    found = week(event("gate.decided", "Launch: go", days_ago=2))
    assert found.decided_on == ["lamp"]
    found.heads = [f"lamp 12 {'a' * 64}"]
    written = portfolio_letter(
        Portfolio(week="2026-W48", counted=0, counted_overdue=0, open=[], overdue=[], record=found)
    )
    assert f"audit verify --head reads it):\nlamp 12 {'a' * 64}\n" in written.text


def test_weeks_are_those_of_iso_8601() -> None:
    assert week_name(NOW) == "2026-W49"
    assert week_name(datetime(2027, 1, 3, tzinfo=UTC)) == "2026-W53"
    assert week_number(NOW) == 202649
