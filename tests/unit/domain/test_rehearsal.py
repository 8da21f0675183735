"""Plays of a script: the same luck for the same seed, nobody acts while away, nothing goes out."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rehearsals import rehearsal
from tales import Tale, day

from phasegate.check import ReportedCheck
from phasegate.directory import Absence, Directory, Group, Person
from phasegate.events import Announcement
from phasegate.problems import DocumentError
from phasegate.reading import parse, read_policy, read_product
from phasegate.rehearsal import Script
from phasegate.rehearsal_cast import Cast, steady
from phasegate.rehearsal_policy import (
    MADE_UP,
    askable,
    by_people,
    made_up,
    made_up_people,
    on_leave,
    reported,
    with_owner,
    without,
)
from phasegate.rehearsal_record import kinds, life
from phasegate.rehearsal_stuck import TIMEOUT
from phasegate.rehearsal_sums import (
    absences,
    bottlenecks,
    date_spread,
    day_spread,
    summed,
    unreached,
)
from phasegate.rehearsal_unknown import unknown
from phasegate.rehearsal_view import RoundRehearsed, RunRehearsed, StuckAt, Waited
from policies import names, text_of

START = datetime(2027, 3, 1, 9, tzinfo=UTC)
PEOPLE = Directory(
    people={
        "ana": Person(time_zone="Europe/Berlin"),
        "bo": Person(
            absences=(Absence(start=START.date(), end=START.date() + timedelta(days=40)),)
        ),
        "cy": Person(),
    },
    groups={"eng": Group(members=("ana", "bo")), "legal": Group(members=("cy",))},
)
POLICY = """
policy: tiny
version: "1"
title: Tiny
phases:
  - id: build
    title: Build
    milestones:
      - {id: done, title: Done, check: {kind: http, url: "https://x.example/", expression: "true"}}
    gate:
      id: launch
      title: Launch
      assurance: signed
      requires: [{group: eng}, {group: legal, veto: true}]
  - {id: market, title: Market, in_market: true, gate: {id: out, title: Out, requires: [{group: eng}]}}
sunset:
  tasks:
    - {id: call, title: Call, kind: http, url: "https://x.example/", undo: {kind: http, url: "https://x.example/"}}
    - {id: run, title: Run, kind: command, command: stop, by: legal, effect: irreversible}
    - {id: mail, title: Mail, kind: mail, subject: It ends, text: Soon}
    - {id: plan, title: Plan, kind: plan, tasks: [{id: pack, title: Pack, kind: archive, source: x}]}
"""  # noqa: E501


def script(text: str) -> Script:
    return parse(Script, text, "people.yaml").model


SLOW = script("everybody: {answers: {median: 3 business days, p90: 9 business days}}")


@settings(deadline=None)  # time zones are read from disk at first
@given(seed=st.integers(0, 99), run=st.integers(1, 9), hours=st.integers(0, 9000))
def test_an_answer_comes_after_the_question_and_not_from_somebody_away(
    seed: int, run: int, hours: int
) -> None:
    cast, asked = Cast(SLOW, PEOPLE, seed, run), START + timedelta(hours=hours)
    for person in PEOPLE.people:
        at = cast.answer_at(person, ("eng",), "launch", "a", asked, None)
        assert at > asked
        assert cast.present([person], at) == [person]
        assert (at.second, at.microsecond) == (0, 0)
        again = Cast(SLOW, PEOPLE, seed, run)
        assert again.answer_at(person, ("eng",), "launch", "a", asked, None) == at


@settings(deadline=None)
@given(late=st.integers(0, 58_999), seed=st.integers(0, 9))
def test_a_server_that_is_late_changes_no_draw(late: int, seed: int) -> None:
    """Time goes on while the server works: the same play must not depend on how long."""
    cast, due = Cast(Script(), PEOPLE, seed, 1), datetime(2027, 3, 9, 23, 59, 59, tzinfo=UTC)
    delay = timedelta(milliseconds=late)
    for who, rule in ((cast, None), (Cast(SLOW, PEOPLE, seed, 1), None), (cast, due)):
        punctual = who.answer_at("ana", (), "launch", "a", START, rule)
        assert who.answer_at("ana", (), "launch", "a", START + delay, rule) == punctual
    assert steady(due) == datetime(2027, 3, 10, tzinfo=UTC)


def test_nobody_answers_on_a_day_that_is_free_if_a_working_day_is_left() -> None:
    friday = datetime(2027, 3, 5, 13, tzinfo=UTC)
    monday = datetime(2027, 3, 8, 23, 59, 59, tzinfo=UTC)  # one business day
    cast = Cast(Script(), PEOPLE, 1, 1)
    at = cast.answer_at("cy", ("legal",), "launch", "a", friday, monday)
    assert at == datetime(2027, 3, 8, 13, tzinfo=UTC)
    sunday = friday + timedelta(days=2)
    assert cast.answer_at("cy", ("legal",), "launch", "a", friday, sunday) < sunday
    quick = script("everybody: {answers: {median: 1 business day, p90: 2 business days}}")
    for run in range(1, 30):
        cast = Cast(quick, PEOPLE, 1, run)
        at = cast.answer_at("cy", ("legal",), "launch", "a", friday + timedelta(days=1), None)
        assert at.weekday() < 5


def test_halfway_through_the_time_to_answer_unless_the_script_says_otherwise() -> None:
    asked, due = START, datetime(2027, 3, 8, 23, 59, 59, tzinfo=UTC)  # five business days
    at = Cast(Script(), PEOPLE, 1, 1).answer_at("cy", (), "launch", "a", asked, due)
    assert at == datetime(2027, 3, 3, 13, tzinfo=UTC)


def test_an_act_without_a_due_date_is_done_by_noon_or_so_of_the_next_working_day() -> None:
    nowhere = Person(country="XX")  # lint says so; the default calendar counts
    people = PEOPLE.model_copy(update={"people": {**PEOPLE.people, "cy": nowhere}})
    at = Cast(Script(), people, 1, 1).answer_at("cy", (), "launch", "a", START, None)
    assert at == datetime(2027, 3, 2, 13, tzinfo=UTC)


def test_whoever_goes_on_leave_before_they_answer_begins_anew_when_they_are_back() -> None:
    leave = Absence(start=date(2027, 3, 3), end=date(2027, 3, 10))
    people = PEOPLE.model_copy(
        update={"people": {**PEOPLE.people, "cy": Person(absences=(leave,))}}
    )
    cast = Cast(script("everybody: {answers: 3 days}"), people, 1, 1)
    back = datetime(2027, 3, 11, tzinfo=UTC)
    assert cast.answer_at("cy", (), "launch", "a", START, None) == back + timedelta(days=3)


def test_nine_of_ten_take_the_p90_at_most() -> None:
    def took(n: int) -> timedelta:
        cast = Cast(script("everybody: {answers: {median: 10 days, p90: 30 days}}"), PEOPLE, 7, n)
        return cast.answer_at("cy", (), "launch", "a", START, None) - START

    found = sorted(took(n) for n in range(2000))
    assert 9 <= found[1000].days <= 11
    assert 27 <= found[1800].days <= 33


def test_the_most_particular_manner_counts() -> None:
    said = script(
        """
        everybody: {says: abstain}
        groups: {legal: {says: recycle}}
        people: {ana: {says: kill}}
        gates: {launch: {says: hold, people: {cy: {says: go}}}}
        """
    )
    cast = Cast(said, PEOPLE, 1, 1)

    def word(who: str, group: str, gate: str) -> str:
        return cast.word(who, [group], gate, "x")

    assert word("bo", "eng", "other") == "abstain"
    assert word("cy", "legal", "other") == "recycle"
    assert word("ana", "legal", "other") == "kill"
    assert word("ana", "eng", "launch") == "hold"
    assert word("cy", "legal", "launch") == "go"
    assert not said.is_random
    assert script("everybody: {says: {go: 9, never: 1}}").is_random


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("everybody: {says: maybe}", "needs one of go, conditional-go"),
        ("everybody: {answers: soon}", "'soon' is not a span"),
        ("owner: {submits: {median: 2 days, p90: 1 day}}", "p90 (1 day) is below median (2 days)"),
        ("owner: {submits: {median: 2 days, p90: 3 business days}}", "both need business days"),
        ("owner: {submits: {median: 0 days, p90: 1 day}}", "median must be longer than nothing"),
    ],
)
def test_a_script_that_cannot_be_played_is_refused(text: str, why: str) -> None:
    with pytest.raises(DocumentError, match=r".*") as refused:
        script(text)
    assert why in str(refused.value.problems[0])


def test_names_that_mean_nobody_are_told_with_what_is_meant() -> None:
    said = script(
        """
        people: {anna: {says: kill}}
        groups: {legl: {says: kill}}
        gates: {lunch: {people: {zed: {says: go}}}}
        milestones: {dome: 3 days}
        unmet: [nothing]
        owner: {evidence: [{phase: bild}]}
        """
    )
    policy = read_policy(POLICY, "tiny")
    flaws = dict(unknown(said, policy, made_up(policy, PEOPLE), PEOPLE))
    assert flaws["people", "anna"] == "the directory has no person 'anna'; did you mean ana?"
    assert flaws.keys() == {
        ("people", "anna"),
        ("groups", "legl"),
        ("gates", "lunch"),
        ("gates", "lunch", "people", "zed"),
        ("milestones", "dome"),
        ("unmet", 0),
        ("owner", "evidence", 0, "phase"),
    }


def outside(node: Any) -> set[str]:
    """The kinds of checks and acts in a policy that would reach the world."""
    if isinstance(node, list | tuple):
        return {kind for item in node for kind in outside(item)}
    if not isinstance(node, dict):
        return set()
    inside = ("reported", "manual", "notice", "date", "wait", "gate", "plan", None)
    own = {str(node["kind"])} if node.get("kind", None) not in inside else set()
    return own - {"must", "should"} | {kind for value in node.values() for kind in outside(value)}


@pytest.mark.parametrize("text", [POLICY, *map(text_of, names())])
def test_nothing_of_a_rehearsed_policy_reaches_the_world(text: str) -> None:
    policy = read_policy(text, "policy")
    played = by_people(policy)
    assert not outside(played.model_dump(mode="json"))
    assert all(gate.assurance == "claimed" for gate in played.gates())
    checks = [goal.check for phase in played.phases for goal in phase.milestones]
    assert all(isinstance(check, ReportedCheck) for check in checks)
    assert [gate.clocks for gate in played.gates()] == [gate.clocks for gate in policy.gates()]
    assert [gate.requires for gate in played.gates()] == [g.requires for g in policy.gates()]


def test_gates_are_told_with_their_kind_in_the_order_in_which_a_product_meets_them() -> None:
    gate = "gate: {id: %s, title: T, requires: [{group: eng}]}"
    text = POLICY[: POLICY.index("  - {id: market")] + (
        "  - id: market\n    title: Market\n    in_market: true\n"
        f"    review: {{first: 30 days, every: 30 days, {gate % 'look'}}}\n"
        f"sunset:\n  tasks:\n    - {{id: off, title: Off, kind: gate, {gate % 'off'}}}\n"
    )
    found = {name: kind for name, (_, kind) in kinds(read_policy(text, "p")).items()}
    assert list(found.items()) == [("launch", "phase"), ("look", "review"), ("off", "sunset")]


def test_a_products_own_checks_are_reported_by_people_too() -> None:
    own = "key: k\nname: K\nowner: olga\nmilestones:\n"
    own += "  - {id: web, phase: build, check: {kind: custom, name: x}}\n"
    own += "  - {id: told, phase: build, check: {kind: reported, by: eng}}\n"
    own += "  - {id: done, phase: build, due: 2027-05-01}\n"
    product = read_product(own, "k")
    assert [plan.check for plan in reported(product).milestones] == [
        ReportedCheck(),
        ReportedCheck(kind="reported", by="eng"),
        None,
    ]
    policy = read_policy(POLICY, "tiny")
    narrowed = product.model_copy(update={"approvers": {"launch": {"eng": ("bo",)}}})
    assert askable(policy, narrowed, PEOPLE) == ["ana", "bo", "cy"]


def test_whoever_is_left_out_is_away_until_long_after_the_end_and_hands_nothing_on() -> None:
    (leave,) = without(PEOPLE, "ana", START, START + timedelta(days=100)).people["ana"].absences
    assert leave.delegate is None
    assert leave.start < START.date()
    assert leave.end > (START + timedelta(days=400)).date()


def test_groups_that_are_not_asked_at_its_tier_are_not_left_out() -> None:
    text = POLICY.replace("{group: legal, veto: true}", "{group: legal, tiers: [1]}")
    policy = read_policy(text.replace("by: legal", "by: eng"), "tiny")
    assert askable(policy, made_up(policy, PEOPLE), PEOPLE) == ["ana", "bo"]


def test_everybody_who_may_be_asked_is_left_out_once() -> None:
    policy = read_policy(POLICY, "tiny")
    assert askable(policy, made_up(policy, PEOPLE), PEOPLE) == ["ana", "bo", "cy"]
    people = made_up_people(policy)
    assert people.groups.keys() == {"eng", "legal"}


def test_who_is_away_by_the_script_is_away_beside_what_the_directory_knows() -> None:
    away = "people: {bo: {away: [{start: 2027-06-01, end: 2027-06-02}]}, cy: {says: go}}"
    found = on_leave(PEOPLE, script(away)).people
    assert [absence.start.month for absence in found["bo"].absences] == [3, 6]
    assert found["cy"] == PEOPLE.people["cy"]


def test_an_owner_whom_the_directory_does_not_know_is_put_in() -> None:
    policy = read_policy(POLICY, "tiny")
    assert with_owner(PEOPLE, "ana") is PEOPLE
    assert with_owner(PEOPLE, "olga").people.keys() == {*PEOPLE.people, "olga"}
    taken = with_owner(PEOPLE, MADE_UP)
    assert made_up(policy, taken).owner == f"{MADE_UP}-owner"


def test_a_date_that_too_few_runs_reach_is_none() -> None:
    dates = [START, START + timedelta(days=1), None]
    found = date_spread(dates)
    assert (found.n, found.p50, found.p80) == (2, START + timedelta(days=1), None)
    assert day_spread([3, 1, 2, 5]).model_dump() == {"n": 4, "p50": 2, "p80": 5, "p95": 5, "max": 5}


@given(st.lists(st.integers(0, 400), max_size=30), st.integers(0, 30))
def test_percentiles_rise_and_are_dates_of_runs(offsets: list[int], never: int) -> None:
    dates = [START + timedelta(days=n) for n in offsets]
    found = date_spread([*dates, *[None] * never])
    marks = [found.p50, found.p80, found.p95]
    known = [at for at in marks if at]
    assert known == sorted(known)
    assert set(known) <= set(dates)
    assert marks == [*known, *[None] * (3 - len(known))], "what is later is rarer"


def test_the_worst_bottleneck_comes_first() -> None:
    waited = [
        Waited(who="ana", groups=["eng"], days=5),
        Waited(who="cy", groups=["legal"], days=9, critical=4),
    ]
    held = RoundRehearsed(gate="launch", title="Launch", round=1, opened_at=START, waited=waited)
    run = RunRehearsed(number=1, seed=1, status="active", started_at=START, rounds=[held])
    people = [row for row in bottlenecks([run]) if row.kind == "person"]
    assert [(row.who, row.worst_gate) for row in people] == [("cy", "launch"), ("ana", "")]


def test_absences_are_told_by_what_they_change() -> None:
    """Who gets it stuck first; what the same life with everybody has, too, is not theirs."""

    def run(absent: str = "", launched: int | None = None, **more: Any) -> RunRehearsed:
        at = START + timedelta(days=launched) if launched is not None else None
        about = {"number": 1, "seed": 1, "status": "active", "started_at": START}
        return RunRehearsed(**about, absent=absent, launched_at=at, **more)

    def timed_out(number: int) -> RoundRehearsed:
        return RoundRehearsed(gate="launch", title="", round=number, opened_at=START,
                              outcome="hold", by_timeout=True)  # fmt: skip

    stuck = StuckAt(kind="gate", where="launch", since=START, why="waits for bo")
    base = run(launched=10, rounds=[timed_out(1)])
    rows = absences(
        [
            run("ana", 10, rounds=[timed_out(1)]),
            run("cy", 40, rounds=[timed_out(1), timed_out(2), timed_out(3)]),
            run("bo", stuck=stuck),
        ],
        base,
        PEOPLE,
    )
    assert [(row.person, row.delay_days, row.decided) for row in rows] == [
        ("bo", None, {}),
        ("cy", 30, {"launch": {"hold": 2}}),
        ("ana", 0, {}),
    ]
    assert rows[0].groups == ["eng"]
    assert rows[0].stuck == stuck
    (row,) = absences([run("ana", stuck=stuck)], run(stuck=stuck), PEOPLE)
    assert row.stuck is None
    assert unreached(["launch", "out"], [base]) == ["out"]


def test_runs_that_get_stuck_are_counted_by_where_and_for_whom() -> None:
    def run(number: int, who: str | None) -> RunRehearsed:
        stuck = StuckAt(kind="gate", where="launch", since=START, why="x", waits_for=[who or ""])
        return RunRehearsed(number=number, seed=1, status="active", started_at=START,
                            stuck=stuck if who else None)  # fmt: skip

    runs = [run(1, None), run(2, "ana"), run(3, "bo"), run(4, "bo")]
    found = summed(rehearsal(runs=1), read_policy(POLICY, "tiny"), runs)
    assert found.stuck_share == 0.75
    assert [(row.waits_for, row.runs, row.share, row.example) for row in found.stuck] == [
        (["bo"], 2, 0.5, 3),
        (["ana"], 1, 0.25, 2),
    ]


def test_whoever_was_not_needed_is_not_silent() -> None:
    def event(n: int, kind: str, actor: str = "", **data: Any) -> Announcement:
        about = {"id": str(n), "product": "kettle", "source": "gate", "actor": actor, "text": kind}
        of = {"gate": "launch", "round": 1, **data}
        return Announcement(**about, type=kind, at=START + timedelta(days=n), data=of)

    def silent(*more: Announcement, stuck: StuckAt | None = None) -> list[str]:
        seats = {"ana": ["eng"], "bo": ["eng"], "cy": ["legal"]}
        every = [event(0, "gate.opened", seats=seats), event(2, "gate.vote", "cy"), *more]
        until = START + timedelta(days=30)
        run = life(
            read_policy(POLICY, "tiny"), "kettle", every, number=1, seed=1, until=until, stuck=stuck
        )
        waited = run.rounds[0].waited
        assert [one.who for one in waited if one.answered] == ["cy"]
        return [one.who for one in waited if one.silent]

    def decided(outcome: str, why: str) -> Announcement:
        return event(9, "gate.decided", view={"outcome": outcome, "why": why})

    late = event(5, "gate.overdue", pending=["bo"])
    assert silent() == [], "the play ended while they had time"
    assert silent(decided("go", "every requirement is met")) == []
    assert silent(late, decided("go", "every requirement is met")) == ["bo"]
    assert silent(decided("hold", TIMEOUT)) == ["ana", "bo"]
    stuck = StuckAt(kind="gate", where="launch", since=START, why="waits for ana")
    assert silent(stuck=stuck) == ["ana", "bo"]


def test_a_vote_that_was_voided_is_waited_for_again() -> None:
    tale = Tale().start().open(1)
    tale.gate(3, "vote", "bo").gate(4, "changed", voided=["bo", "cy", "eve"])
    tale.gate(5, "overdue", pending=["cy", "eve"]).gate(6, "vote", "bo").gate(6, "vote", "eve")
    tale.gate(6, "reminder", pending=["cy"]).gate(8, "escalated", escalations=1)
    tale.gate(9, "escalated", pending=["cy"], acting={"cy": ["max", "eva"], "ana": []})
    run = life(read_policy(POLICY, "tiny"), "kettle", tale.events, number=1, seed=1, until=day(11))
    waited = {one.who: one for one in run.rounds[0].waited}
    assert {who: (one.days, one.answered) for who, one in waited.items()} == {
        "ana": (10, False),
        "bo": (4, True),
        "cy": (10, False),
    }
    assert [who for who, one in waited.items() if one.silent] == ["cy"]
    assert [(fired.clock, fired.people, fired.acting) for fired in run.clocks] == [
        ("overdue", ["cy", "eve"], []),
        ("reminder", ["cy"], []),
        ("escalation", [], []),
        ("manager", ["cy"], ["eva", "max"]),
    ]
    assert [fired.acting_for for fired in run.clocks] == [{}, {}, {}, {"cy": ["eva", "max"]}]


def test_nobody_is_critical_at_a_gate_that_nobody_was_asked_at() -> None:
    tale = Tale().start().open(1, seats={})
    policy = read_policy(POLICY, "tiny")
    run = life(policy, "kettle", tale.events, number=1, seed=1, until=day(11))
    assert run.rounds[0].waited == []
