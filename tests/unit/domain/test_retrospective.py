"""The whole life of a product, told from its record alone."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tales import Tale, day
from whole_life import HOSTILE, policy, whole_life

from phasegate.events import Anchor, Announcement
from phasegate.retrospective import retrospective_of
from phasegate.retrospective_view import Retrospective, SunsetStory, TaskStory

HEAD = Anchor(seq=99, hash="f" * 64)


def told(tale: Tale, **more: Any) -> Retrospective:
    given = {"policy": policy(), "head": HEAD, "now": day(400), **more}
    return retrospective_of(tale.key, tale.events, **given)


@pytest.fixture(scope="module")
def life() -> Retrospective:
    return told(whole_life())


def task(sunset: SunsetStory, id: str) -> TaskStory:
    return next(task for task in sunset.tasks if task.id == id)


def test_who_and_when(life: Retrospective) -> None:
    assert (life.name, life.status, life.policy) == ("Kettle fine", "retired", "tiny 1")
    assert (life.started_at, life.ended_at) == (day(0), day(332))
    assert life.days == 322  # ten days on hold
    assert [(hold.since, hold.until) for hold in life.holds] == [(day(50), day(60))]
    assert [(o.owner, o.since, o.until) for o in life.owners] == [
        ("olga", day(0), day(40)),
        ("max", day(40), None),
    ]
    assert [(c.by, c.fields, c.digest) for c in life.changes] == [
        ("", [], ""),
        ("max", ["summary"], "sha256:2"),
    ]
    assert life.definition["summary"] == "fine"
    assert life.head == HEAD
    assert life.missing == []


def test_phases_planned_against_actual(life: Retrospective) -> None:
    build, market = life.phases[0], life.phases[1]
    assert (build.title, build.until, build.planned_end, build.slip) == (
        "Build",
        day(25),
        day(20),
        5,
    )
    assert (market.since, market.planned_end, market.slip) == (day(25), None, None)
    assert life.phases[-1].title == "Sunset"
    assert life.phases[-1].until == day(332)


def test_a_round_with_its_votes_refusals_and_override(life: Retrospective) -> None:
    launch = life.rounds[0]
    assert (launch.outcome, launch.days, launch.submitter) == ("conditional-go", 2, "")
    assert (launch.refusals, launch.overridden_by) == (2, "zoe")
    assert launch.view is not None
    vote = launch.view.votes[0]
    assert (vote.approver, vote.on_behalf_of, vote.comment) == ("ana", "bo", "fine")
    assert [(r.gate, r.round, r.outcome) for r in life.rounds] == [
        ("launch", 1, "conditional-go"),
        ("retire", 1, "go"),
        ("retire", 2, "go"),
        ("down", 1, "go"),
    ]


def test_conditions_and_milestones(life: Retrospective) -> None:
    (one,) = life.conditions
    assert (one.id, one.text, one.state, one.settled_by) == ("launch-1-1", "fine", "closed", "olga")
    assert one.link == "https://x.example/7"
    (goal,) = life.milestones
    assert (goal.planned, goal.due, goal.met_at, goal.slip) == (day(20), day(23), day(22), 2)
    assert [(move.at, move.by) for move in goal.moves] == [(day(18), "olga")]


def test_a_sunset_that_was_aborted(life: Retrospective) -> None:
    first, second = life.sunsets
    assert (first.number, first.outcome, first.ended_at) == (1, "aborted", day(114))
    assert first.aborted is not None
    assert (first.aborted.by, first.aborted.at, first.aborted.text) == ("max", day(112), "fine")
    prices = task(first, "prices")
    assert (prices.state, prices.done_at, prices.undone_at) == ("undone", day(110), day(113))
    assert (prices.confirmed_by, prices.proof) == ("max", {"list": "fine"})
    end = task(first, "eol")
    assert (end.title, end.marks, end.state) == ("It ends", "end-of-life", "not-done")
    assert (end.planned, end.at) == (day(160), day(170))
    assert len(first.withdrawn) == 1
    assert len(first.plans) == 2
    assert (second.number, second.outcome) == (2, "retired")


def test_a_sunset_with_its_proof(life: Retrospective) -> None:
    sunset = life.sunsets[1]
    order = ["note", "sales", "prices", "eol", "backup", "down", "archive", "wipe"]
    assert [task.id for task in sunset.tasks] == order
    backup, wipe = task(sunset, "backup"), task(sunset, "wipe")
    assert backup.digest == "sha256:" + "b" * 64
    assert backup.proof["count"] == 12345
    assert backup.confirmed_by == "max"
    assert (wipe.effect, wipe.intended_at, wipe.done_at) == ("deletion", day(330), day(331))
    assert [said.at for said in wipe.trouble] == [day(320), day(330), day(331)]
    assert task(sunset, "prices").overdue_at == day(240)
    assert task(sunset, "archive").title == "archive"  # no plan that is kept names it
    assert sunset.customers == {"total": 3, "open": 0}
    assert sunset.customers_digest == "sha256:5"
    assert [said.text for said in sunset.customer_files] == ["sunset.customers sha256:3", "fine"]
    assert [said.at for said in sunset.customers_reminded] == [day(260)]
    (hold,) = sunset.legal_holds
    assert (hold.matter, hold.placed_by, hold.lifted_at) == ("case-7", "ruth", day(330))
    assert [said.by for said in sunset.plans] == ["max", ""]


def test_what_it_took(life: Retrospective) -> None:
    counts = life.counts
    assert (counts.rounds, counts.votes, counts.overrides, counts.refusals) == (4, 1, 1, 1)
    assert counts.people == 5
    assert (counts.tasks_done, counts.tasks_confirmed) == (8, 4)


# -- records with gaps ----------------------------------------------------------------------------


def test_a_policy_that_is_gone_is_said_and_the_rest_is_told() -> None:
    life = told(whole_life(), policy=None)
    assert life.missing == ["milestones: policy sha256:0 is not in this ledger"]
    assert life.phases[0].title == "build"
    assert task(life.sunsets[0], "eol").title == "eol"
    assert life.rounds[0].view is not None


def test_a_definition_that_cannot_be_read_costs_the_milestones_only() -> None:
    life = told(Tale().start(tier="gold"))
    assert "milestones: " in life.missing[0]
    assert life.milestones == []


def test_a_round_without_its_details_is_named() -> None:
    tale = Tale().start().open(1).gate(3, "decided", outcome="go", shortened=True)
    life = told(tale)
    assert life.rounds[0].outcome == "go"
    assert life.missing == ["votes of launch, round 1: no details were kept"]
    odd = told(Tale().start().open(1).decide(3, "go", votes="?"))
    assert odd.rounds[0].view is None


def test_an_open_round_and_a_product_on_hold() -> None:
    life = told(Tale().start().open(1).say(5, "product.held"), now=day(9))
    assert life.rounds[0].outcome == "open"
    assert life.rounds[0].ended_at is None
    assert life.holds[-1].until is None
    assert life.phases[0].until is None
    assert life.ended_at is None
    assert life.days == 5


def test_an_overruled_stop_says_who_and_why() -> None:
    tale = Tale().start().open(1).decide(3, "hold")
    tale.gate(5, "overridden", "zoe", reason="a buyer", **{"from": "hold", "to": "go"})
    (held,) = told(tale).rounds
    assert held.outcome == "go"
    (one,) = held.overruled
    assert (one.by, one.before, one.after, one.reason) == ("zoe", "hold", "go", "a buyer")


def test_no_beginning_is_no_life() -> None:
    with pytest.raises(ValueError, match="how it began"):
        told(Tale().say(1, "gate.vote"))


def test_a_sunset_may_speak_before_its_product_does() -> None:
    tale = Tale().start(phase="market")
    tale.say(1, "sunset.planned", number=1, tasks={"note": "no day"}, notice_at=None)
    tale.say(1, "product.sunsetting", sunset=1)
    tale.say(1, "product.sunsetting", sunset=1)  # again, after a reset
    (sunset,) = told(tale).sunsets
    assert (sunset.why, sunset.outcome) == ("product.sunsetting", "under way")
    assert task(sunset, "note").at is None


def test_what_was_shortened_or_came_too_late_breaks_nothing() -> None:
    tale = Tale().start(phase="market")
    tale.say(0, "sunset.task-done", task="early")
    tale.say(0, "sunset.customers", counts="?", digest="sha256:0")
    tale.say(0, "sunset.legal-hold-placed", "ruth", matter="old", reason="")
    tale.say(0, "sunset.legal-hold-lifted", "ruth", matter="old")
    tale.say(0, "sunset.legal-hold-lifted", "ruth", matter="none")
    tale.say(0, "product.updated", shortened=True)
    tale.say(0, "sunset.legal-hold-placed", "ruth", matter="kept", reason="court")
    tale.say(1, "product.sunsetting")
    tale.say(1, "sunset.planned", shortened=True)
    tale.say(2, "sunset.task-done", shortened=True)
    tale.say(2, "sunset.task-begun", task="x").say(2, "sunset.task-begun", task="x")
    tale.say(3, "sunset.task-stuck", task="x").say(3, "sunset.task-stumped", task="x")
    tale.say(4, "sunset.task-done", task="x", proof="?")
    tale.say(5, "sunset.task-unknown", task="x")
    tale.say(6, "product.cancelled")
    tale.say(7, "sunset.reminder", task="x").say(7, "product.retired")
    (sunset,) = told(tale).sunsets
    assert (sunset.number, sunset.outcome) == (1, "cancelled")
    assert [hold.matter for hold in sunset.legal_holds] == ["kept"]
    assert len(sunset.customer_files) == 1
    assert (task(sunset, "x").state, task(sunset, "x").proof) == ("done", {})


def test_tasks_that_the_product_added_have_their_titles() -> None:
    added = {"id": "museum", "title": "To the museum", "kind": "manual"}
    tale = Tale().start(phase="market")
    tale.say(0, "product.sunset-planned", "olga", adjustments={"add": [added]})
    tale.say(0, "product.sunset-planned", "olga", adjustments={"add": "?"})
    tale.say(1, "product.sunsetting")
    tale.say(1, "sunset.planned", tasks={"museum": day(5).isoformat()})
    (sunset,) = told(tale).sunsets
    assert task(sunset, "museum").title == "To the museum"


@given(st.lists(st.integers(0, len(whole_life().events) - 1), max_size=40))
def test_any_record_with_gaps_is_told(lost: list[int]) -> None:
    """Whatever is missing of a record, the rest of it is told."""
    events: list[Announcement] = [
        event for n, event in enumerate(whole_life(said=HOSTILE).events) if n not in lost or n == 0
    ]
    life = retrospective_of("kettle", events, policy(), HEAD, day(400))
    assert Retrospective.model_validate_json(life.model_dump_json()) == life
