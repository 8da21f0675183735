"""Whom an announcement concerns, and what it asks of them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from integrations.document import matches
from phasegate.concern import CONCERNING, STANDING, Ask, Standing, concerned
from phasegate.events import Announcement

AT = datetime(2026, 11, 25, 9, tzinfo=UTC)
DAY = "2026-12-02T17:00:00+00:00"
LATER = "2026-12-09T17:00:00+00:00"
LAMP = Standing(name="Lamp", owner="olga", team=("tim",), directory="default")


def event(type: str, actor: str = "", **data: Any) -> Announcement:
    return Announcement(
        id="e", type=type, product="lamp", source="s", at=AT, actor=actor, text="it", data=data
    )


def asks(type: str, actor: str = "", **data: Any) -> dict[str, str]:
    return {c.person: c.ask.value for c in concerned(event(type, actor, **data), LAMP)}


def test_an_open_gate_asks_approvers_and_reviewers_each_by_their_own_day() -> None:
    opened = event(
        "gate.opened",
        "sue",
        waiting_for=["ana", "bo"],
        reviewers={"legal": ["lea"]},
        respond={"ana": DAY},
        respond_due=LATER,
    )
    found = {c.person: (c.ask, c.due and c.due.isoformat()) for c in concerned(opened, LAMP)}
    assert found == {
        "ana": (Ask.vote, DAY),
        "bo": (Ask.vote, LATER),
        "lea": (Ask.advise, LATER),
        "olga": (Ask.nothing, None),
    }
    assert "olga" not in asks("gate.opened", "olga", waiting_for=["ana"])


def test_a_step_that_opens_and_a_day_that_moves_ask_those_named() -> None:
    assert asks("gate.step", waiting_for=["lea"], respond={"lea": DAY}) == {"lea": "vote"}
    assert asks("gate.dates", respond={"bo": DAY}) == {"bo": "vote"}
    assert asks("gate.extended", "max", respond={"bo": DAY}) == {"bo": "vote"}
    assert asks("gate.extended", "max") == {}
    assert asks("gate.changed", "olga", voided=["bo"]) == {"bo": "vote"}


def test_seats_that_change_ask_who_joins_and_free_who_leaves() -> None:
    found = concerned(event("gate.seats", joined=["dan"], left=["cy"], respond={"dan": DAY}), LAMP)
    assert [(c.person, c.ask, c.over) for c in found] == [
        ("dan", Ask.vote, False),
        ("cy", Ask.nothing, True),
    ]


def test_silence_is_urgent_for_the_silent_and_for_who_may_act() -> None:
    acting = {"ana": ["max", "zoe"], "bo": []}
    found = concerned(event("gate.overdue", pending=["ana", "bo"], acting=acting), LAMP)
    assert [(c.person, c.ask.value, c.holder) for c in found] == [
        ("ana", "vote", ""),
        ("bo", "vote", ""),
        ("max", "stand-in", "ana"),
        ("zoe", "stand-in", "ana"),
    ]
    assert all(c.urgent for c in found)
    assert asks("gate.reminder", pending=["bo"]) == {"bo": "vote"}
    assert asks("gate.escalated", pending=[], acting={}) == {"olga": "nothing"}


def test_a_delegate_may_act_and_whoever_gives_a_seat_away_is_free() -> None:
    found = concerned(event("gate.delegated", "bo", to="dan"), LAMP)
    assert [(c.person, c.ask, c.holder) for c in found] == [("dan", Ask.stand_in, "bo")]
    found = concerned(event("gate.reassigned", "max", approver="lea", to="eva"), LAMP)
    assert [(c.person, c.ask, c.over) for c in found] == [
        ("eva", Ask.vote, False),
        ("lea", Ask.nothing, True),
    ]


def test_a_decision_is_told_to_all_who_had_a_part_in_it() -> None:
    view = {
        "votes": [{"approver": "max", "on_behalf_of": "ana"}, {"approver": "bo"}],
        "pending": [{"approver": "cy"}],
    }
    found = concerned(event("gate.decided", "bo", view=view), LAMP)
    assert {c.person: c.over for c in found} == {
        "max": True,
        "bo": True,  # also who decided it: the date in their calendar goes
        "ana": True,
        "cy": True,
        "olga": False,
        "tim": False,
    }
    assert set(asks("gate.abandoned")) == {"olga", "tim"}


def test_a_decided_gate_frees_those_whose_vote_did_not_come_in_time() -> None:
    """Its view has nobody pending any more; those of a step that never opened were not asked."""
    steps = [
        {"step": 1, "people": {"ana": ["product"], "bo": ["eng"]}},
        {"step": 2, "people": {"lea": ["legal"]}},
    ]
    view = {"votes": [{"approver": "ana"}], "pending": [], "step": 1}
    found = concerned(event("gate.decided", view=view, grounds={"steps": steps}), LAMP)
    assert {c.person for c in found if c.over} == {"ana", "bo"}
    assert "ana" in asks("gate.decided", view=view, grounds=None)


def test_a_gate_that_ends_undecided_frees_those_whom_it_had_asked() -> None:
    view = {"votes": [{"approver": "ana"}], "pending": [], "step": 1}
    found = concerned(event("gate.abandoned", view=view, asked=["ana", "bo"]), LAMP)
    assert {c.person for c in found if c.over} == {"ana", "bo"}


def test_work_is_asked_of_the_owner_and_the_team() -> None:
    assert asks("gate.needs-work", "ana") == {"olga": "work", "tim": "work"}
    assert asks("product.back-to-work") == {"olga": "work", "tim": "work"}


def test_a_condition_is_its_owners_and_when_late_also_others_business() -> None:
    assert asks("condition.reminder", owner="bo", due=DAY) == {"bo": "promise"}
    late = concerned(event("condition.escalated", owner="bo", manager="max", due=DAY), LAMP)
    assert [(c.person, c.urgent) for c in late] == [("bo", True), ("max", True), ("olga", True)]
    assert asks("condition.overdue", owner="bo", manager="") == {"bo": "promise", "olga": "nothing"}
    assert asks("condition.closed", "bo") == {"olga": "nothing"}


def test_milestones_and_the_products_own_life_are_the_staffs_business() -> None:
    assert asks("milestone.at-risk", milestone="beta") == {"olga": "milestone", "tim": "milestone"}
    assert asks("milestone.met", "olga") == {}
    assert asks("product.held", "tim") == {"olga": "nothing"}
    assert asks("product.handed-over", "zoe", **{"from": "olga", "to": "max"}) == {
        "olga": "nothing",
        "tim": "nothing",
    }
    assert asks("gate.overridden", "zoe") == {"olga": "nothing", "tim": "nothing"}


@pytest.mark.parametrize("type", ["gate.vote", "gate.refused", "something.new"])
def test_a_single_vote_concerns_nobody_and_neither_does_what_is_unknown(type: str) -> None:
    assert asks(type, "bo") == {}
    assert not matches(CONCERNING, type)


def test_data_of_another_shape_harms_nobody() -> None:
    assert asks("gate.opened", "olga", waiting_for="ana", reviewers=None) == {}


def test_what_the_record_says_of_a_product_follows_its_changes() -> None:
    started = event("product.started", product={"name": "Lamp", "owner": "olga"}, directory="d")
    handed = event("product.handed-over", **{"to": "max"})
    updated = event("product.updated", product={"name": "Lamp 2", "owner": "max", "team": ["tim"]})
    standing = Standing()
    seen = []
    for said in (started, handed, updated, event("product.handed-over"), event("gate.vote")):
        standing = standing.after(said)
        seen.append((standing.name, standing.owner, standing.team, standing.directory))
    assert seen == [
        ("Lamp", "olga", (), "d"),
        ("Lamp", "max", (), "d"),
        ("Lamp 2", "max", ("tim",), "d"),
        ("Lamp 2", "max", ("tim",), "d"),
        ("Lamp 2", "max", ("tim",), "d"),
    ]
    assert set(STANDING) <= set(CONCERNING)


def test_a_task_of_a_sunset_asks_those_who_answer_for_it() -> None:
    people = ["bo", "cy"]
    begun = event("sunset.task-begun", people=people, due=DAY)
    assert [
        (c.person, c.ask, c.urgent, c.due and c.due.isoformat()) for c in concerned(begun, LAMP)
    ] == [
        ("bo", Ask.confirm, False, DAY),
        ("cy", Ask.confirm, False, DAY),
    ]
    assert asks("sunset.task-begun") == {}, "what phasegate does itself asks nobody"
    unknown = asks("sunset.task-unknown", people=people)
    assert unknown == {"bo": "settle", "cy": "settle", "olga": "nothing"}
    assert asks("sunset.task-stuck", people=people) == dict.fromkeys([*people, "olga"], "nothing")
    assert asks("sunset.task-overdue", people=people, state="waiting")["bo"] == "confirm"
    assert asks("sunset.task-overdue", people=people, state="planned")["bo"] == "nothing"
    held = concerned(event("sunset.task-held", people=people), LAMP)
    assert {(c.person, c.urgent) for c in held} == {("bo", False), ("cy", False), ("olga", False)}
    assert all(c.urgent for c in concerned(event("sunset.task-stuck", people=people), LAMP))


def test_what_becomes_of_a_sunset_is_told_to_owner_and_team() -> None:
    assert asks("sunset.waiting-for-plan") == {"olga": "plan", "tim": "nothing"}
    for type in ("replanned", "legal-hold-placed", "abort-begun", "withdrawn", "aborted"):
        assert asks(f"sunset.{type}", "olga") == {"tim": "nothing"}, type
    assert asks("sunset.settled", "bo") == {"olga": "nothing"}
