"""Who does what next in a rehearsed life, told from what the engine shows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from kettle import START, gate, product

from phasegate.directory import Absence, Directory, Group, Person
from phasegate.policy import Policy
from phasegate.reading import parse, read_policy
from phasegate.rehearsal import Script
from phasegate.rehearsal_acts import Act, Key
from phasegate.rehearsal_cast import Cast
from phasegate.rehearsal_gate import SCORE, answers
from phasegate.rehearsal_owner import MAY_SUBMIT, PROOF, Owner
from phasegate.rehearsal_play import STILL, Play
from phasegate.rehearsal_policy import made_up
from phasegate.rehearsal_stuck import where_stuck
from phasegate.sunset_views import SunsetView, TaskView
from phasegate.views import (
    ConditionView,
    CriterionView,
    GateSummaryView,
    GateView,
    MilestoneView,
    PendingView,
    ProductView,
    RequirementView,
)

DAY = timedelta(days=1)
PEOPLE = Directory(
    people={name: Person() for name in ("ana", "bo", "cy", "olga")},
    groups={"eng": Group(members=("ana", "bo")), "legal": Group(members=("cy",))},
)
POLICY = read_policy(
    """
policy: tiny
version: "1"
title: Tiny
phases:
  - id: build
    title: Build
    milestones:
      - {id: done, title: Done, check: {kind: reported, by: eng}}
      - {id: told, title: Told}
    gate: {id: launch, title: Launch, requires: [{group: eng}]}
  - {id: market, title: Market, in_market: true, gate: {id: out, title: Out, requires: [{group: eng}]}}
""",  # noqa: E501
    "tiny",
)
OWNED = made_up(POLICY, PEOPLE).model_copy(update={"owner": "olga"})
CALM = "everybody: {answers: 3 days}\nowner: {submits: 1 day, resubmits: 2 days, resumes: 4 days, "
CALM += "closes: 5 days, meets: 6 days, confirms: 7 days, "


def played(text: str = "", more: str = "") -> Cast:
    return Cast(parse(Script, f"{CALM}{text}}}\n{more}", "people").model, PEOPLE, 1, 1)


def pending(who: str, *acting: str, group: str = "eng") -> PendingView:
    return PendingView(
        approver=who, group=group, since=START, respond_due=START + 9 * DAY, acting=list(acting)
    )


def criterion(name: str, **more: Any) -> CriterionView:
    return CriterionView.model_validate(
        {"id": name, "kind": "must", "state": "unmet", "why": "", **more}
    )


def condition(state: str, name: str = "c1") -> ConditionView:
    return ConditionView(id=name, text="docs", owner="bo", due=None, state=state)


def task(name: str, *who: str, **more: Any) -> TaskView:
    given = {"id": name, "title": name.title(), "kind": "manual", "state": "waiting", "at": START}
    return TaskView.model_validate({**given, "waits_for": list(who), **more})


def sunset(*tasks: TaskView) -> SunsetView:
    return SunsetView(
        product="kettle", status="sunsetting", notice_at=START, workflow_id="", tasks=list(tasks),
        waiting_for="cy to confirm pack",
    )  # fmt: skip


def wanted(
    view: ProductView, cast: Cast | None = None, ending: SunsetView | None = None, **more: Any
) -> list[Act]:
    owner = Owner(POLICY, OWNED, cast or played(), more.get("seen", {}), more.get("done", set()))
    return [*owner.acts(view, ending, more.get("launched_at"), more.get("now", START))]


def told(acts: list[Act]) -> list[tuple[str, str, str, int]]:
    return [(act.kind, act.who, act.what or act.gate, (act.at - START).days) for act in acts]


# -- the owner ------------------------------------------------------------------------------------


def test_a_product_on_hold_is_resumed_and_its_conditions_are_closed_by_whose_they_are() -> None:
    view = product(status="on-hold", held_since=START)
    view.conditions = [condition("open"), condition("closed", "c2")]
    assert told(wanted(view)) == [("resume", "olga", "", 4), ("condition", "bo", "c1", 5)]


def test_whoever_is_on_leave_by_then_does_it_afterwards() -> None:
    cast = played()
    leave = Absence(start=(START + 3 * DAY).date(), end=(START + 5 * DAY).date())
    people = {**PEOPLE.people, "olga": Person(absences=(leave,))}
    cast.directory = PEOPLE.model_copy(update={"people": people})
    (act,) = wanted(product(status="on-hold", held_since=START), cast)
    assert act.at == datetime(2027, 3, 7, tzinfo=UTC) + 4 * DAY


def test_a_condition_is_closed_so_long_after_it_was_first_seen() -> None:
    seen: dict[Key, datetime] = {}
    view = product(conditions=[condition("open")])
    for late in (0, 3):
        assert told(wanted(view, seen=seen, now=START + late * DAY))[-1][3] == 5


def test_milestones_are_reported_by_who_may_on_their_day_or_after_so_long() -> None:
    goals = [
        MilestoneView(id=name, title=name, phase=phase, state=state, due=due)
        for name, phase, state, due in (
            ("done", "build", "planned", None),
            ("told", "build", "planned", START + 30 * DAY),
            ("own", "build", "waived", None),
            ("later", "market", "planned", None),
        )
    ]
    view = product(milestones=goals)
    assert told(wanted(view)) == [
        ("milestone", "ana", "done", 6),
        ("milestone", "olga", "told", 30),
    ]
    said = told(wanted(view, played(more="milestones: {told: 2 days}\nunmet: [done]")))
    assert said == [("milestone", "olga", "told", 2)]
    assert wanted(product(milestones=goals, entered_at=None)) == []
    nobody = PEOPLE.model_copy(update={"groups": {"eng": Group(members=())}})
    cast = played()
    cast.directory = nobody
    assert told(wanted(view, cast)) == [("milestone", "olga", "told", 30)]


def test_evidence_is_attached_in_its_phase() -> None:
    cast = played("evidence: [{phase: build, figures: {p99: 2}, after: 3 days}, {phase: market}]")
    (act,) = wanted(product(), cast)
    assert (act.kind, act.at, act.figures) == ("evidence", START + 3 * DAY, {"p99": 2})
    assert wanted(product(entered_at=None), cast) == []


def test_a_gate_is_submitted_and_after_recycle_again() -> None:
    waits = {"waiting_for": f"olga{MAY_SUBMIT}"}
    assert told(wanted(product(**waits))) == [("submit", "olga", "launch", 1)]
    held = GateSummaryView(gate="launch", round=1, outcome="recycle", decided_at=START, votes={})
    assert told(wanted(product(**waits, gates=[held]))) == [("submit", "olga", "launch", 2)]
    before = held.model_copy(update={"decided_at": START - DAY})
    assert told(wanted(product(**waits, gates=[before]))) == [("submit", "olga", "launch", 1)]
    assert wanted(product()) == []
    assert wanted(product(**waits, gate="launch")) == []


def test_the_gate_out_of_the_market_is_submitted_where_the_script_says_when() -> None:
    view = product(phase="market", ends_with="out", waiting_for=f"olga{MAY_SUBMIT}")
    assert wanted(view, launched_at=START) == []
    assert wanted(view, played("retires: 90 days")) == []
    found = told(wanted(view, played("retires: 90 days"), launched_at=START))
    assert found == [("submit", "olga", "out", 90)]


def test_tasks_are_done_by_whoever_is_asked_and_gates_of_a_sunset_submitted() -> None:
    view = product(status="sunsetting", phase=None)
    ending = sunset(
        task("pack", "cy", asks_for=["receipt"]), task("rest", "olga", gate="really"), task("wait")
    )
    first, second = wanted(view, ending=ending)
    assert told([first, second]) == [("task", "cy", "pack", 7), ("submit", "olga", "really", 2)]
    assert first.proof == ("receipt",)
    assert PROOF.startswith("sha256:")
    (again, _) = wanted(view, ending=ending, done={first.key})
    assert again.key != first.key, "it is asked for again: another act"
    assert wanted(view) == []


# -- at a gate ------------------------------------------------------------------------------------


def at_gate(view: GateView, cast: Cast | None = None) -> list[Act]:
    return [*answers(view, cast or played(), {}, START)]


def test_everybody_asked_votes_and_whoever_acts_for_them_names_them() -> None:
    view = gate(
        pending=[pending("ana", "cy")],
        criteria=[criterion("nice", kind="should"), criterion("p99", kind="should", expression="x"),
                  criterion("must")],
    )  # fmt: skip
    own, other = at_gate(view)
    assert (own.who, own.word, own.on_behalf_of, own.scored) == ("ana", "go", "", ("nice",))
    assert (other.who, other.on_behalf_of, own.at) == ("cy", "ana", START + 3 * DAY)
    assert 0 < SCORE <= 10
    silent = played(more="people: {ana: {says: never}, cy: {says: kill}}")
    (other,) = at_gate(view, silent)
    assert (other.who, other.word, other.scored) == ("cy", "kill", ())
    assert at_gate(gate(status="on-hold", pending=[pending("ana")])) == []
    assert at_gate(gate(decided_at=START, pending=[pending("ana")])) == []


def test_the_first_who_may_attests_unless_nobody_ever_does() -> None:
    view = gate(criteria=[criterion("safe", waits_for=["bo", "ana"]), criterion("none")])
    (act,) = at_gate(view, played(more="people: {ana: {answers: 1 day}}"))
    assert (act.kind, act.who, act.what, act.word) == ("attest", "ana", "safe", "met")
    assert at_gate(view, played(more="people: {ana: {says: never}, bo: {says: never}}")) == []


# -- where it is stuck ----------------------------------------------------------------------------


def test_a_gate_says_for_whom_or_what_it_waits() -> None:
    needs = RequirementView(group="eng, legal", need=1, have=0, step=1, veto=False, state="waiting",
                            why="")  # fmt: skip
    done = needs.model_copy(update={"group": "ux", "state": "met"})

    def why(**more: Any) -> tuple[str, list[str]]:
        found = where_stuck(product(), gate(requirements=[needs, done], **more), None, [], START)
        assert (found.kind, found.where, found.groups) == ("gate", "launch", ["eng", "legal"])
        return found.why, found.waits_for

    assert why(pending=[pending("ana")]) == (
        "waits for ana, who never answers, and nobody may act instead", ["ana"])  # fmt: skip
    both = why(pending=[pending("ana"), pending("bo", "cy")])[0]
    assert both.startswith("waits for ana, bo, who never answer, and")
    assert both.endswith("but cy, of whom nothing comes either")
    unmet = [criterion("safe", why="nobody attested it", waits_for=["cy"]), criterion("p99")]
    assert why(criteria=unmet) == (
        "nobody is left to vote, and not met: safe, p99; nobody attested it", ["cy"])  # fmt: skip
    kept = "conditions of an earlier gate are open: c1 of bo"
    assert why(open_conditions=[condition("open")]) == (kept, [])
    assert why(why="2 of 3 are needed") == ("2 of 3 are needed", [])
    assert why() == ("undecided", [])


def test_a_sunset_says_which_task_nobody_does() -> None:
    ending = sunset(task("pack", "cy", by="legal"), task("send", "cy", "bo"), task("wait"))
    found = where_stuck(product(status="sunsetting"), None, ending, [], START)
    assert (found.kind, found.where, found.title) == ("task", "pack, send", "Pack")
    assert (found.waits_for, found.groups) == (["bo", "cy"], ["legal"])
    assert found.why == "nobody confirms it who may: cy to confirm pack"


# -- a play ---------------------------------------------------------------------------------------


def play(more: str = "", until: int = 900, **fields: Any) -> Play:
    return Play(1, POLICY, OWNED, played(more=more), START + until * DAY, **fields)


def test_acts_are_due_in_order_and_done_once() -> None:
    one = play()
    view = product(milestones=[
        MilestoneView(id="told", title="", phase="build", state="planned", due=START + DAY)
    ], waiting_for=f"olga{MAY_SUBMIT}")  # fmt: skip
    one.look(START, view, None, None)
    assert one.next_at() == START + DAY
    assert one.due(START) == []
    assert [act.kind for act in one.due(START + DAY)] == ["milestone", "submit"]
    one.look(START + DAY, view, None, None)
    assert one.due(START + 9 * DAY) == []


def test_a_play_ends_with_its_product_or_at_the_launch_or_the_horizon() -> None:
    one = play(to_launch=True)
    one.look(START, product(waiting_for=f"olga{MAY_SUBMIT}"), None, None)
    assert not one.ended
    one.look(START, product(phase="market", ends_with="out"), None, None)
    assert (one.ended, one.stuck) == (True, None)
    two = play()
    two.look(START, product(status="killed", phase=None), None, None)
    assert (two.ended, two.status) == (True, "killed")
    three = play(until=1)
    three.look(START + DAY, product(phase="market", ends_with="out"), None, None)
    assert (three.ended, three.stuck) == (True, None)


def test_it_is_stuck_once_nothing_has_come_for_a_day() -> None:
    one = play("unmet: [told]")
    view = product(milestones=[
        MilestoneView(id="told", title="", phase="build", state="planned", due=None)
    ])  # fmt: skip
    one.look(START, view, None, None)
    assert (one.stuck, one.next_at()) == (None, START + STILL)
    one.look(START + STILL, view, None, None)
    assert one.ended
    assert one.stuck
    assert (one.stuck.kind, one.stuck.where) == ("milestone", "told")


def test_a_product_that_nobody_resumes_is_stuck_on_hold() -> None:
    one = play()
    one.cast = Cast(parse(Script, "owner: {resumes: 3 years}", "people").model, PEOPLE, 1, 1)
    for late in (DAY, 3 * DAY):
        one.look(START + late, product(status="on-hold", held_since=START), None, None)
    assert one.stuck
    assert (one.stuck.kind, one.stuck.since) == ("hold", START)


def test_a_gate_is_opening_or_decided_for_a_moment_and_not_stuck() -> None:
    one = play()
    for _ in range(3):
        one.look(START, product(gate="launch"), None, None)
        one.look(START + 2 * STILL, product(gate="launch"), gate(decided_at=START), None)
    assert one.stuck is None


def test_a_gate_is_stuck_after_escalations_that_bring_nobody() -> None:
    silent = "people: {ana: {says: never}}"
    one = play(silent)
    for level in range(4):
        due = START + (level + 1) * 10 * DAY
        view = gate(pending=[pending("ana")], resolve_due=due)
        one.look(due - 5 * DAY, product(gate="launch"), view, None)
        one.look(due - 4 * DAY, product(gate="launch"), view, None)
    assert one.stuck
    assert (one.stuck.kind, one.stuck.waits_for) == ("gate", ["ana"])
    two = play(silent)
    for level, acting in enumerate(("", "bo", "cy", "olga")):
        due = START + (level + 1) * 10 * DAY
        view = gate(pending=[pending("ana", *acting.split())], resolve_due=due)
        two.look(due - 5 * DAY, product(gate="launch"), view, None)
        two.look(due - 4 * DAY, product(gate="launch"), view, None)
    assert two.stuck is None, "each brought somebody new"


def test_a_play_knows_which_gates_wait_for_everybody() -> None:
    needs = RequirementView(group="eng", need=1, have=0, step=1, veto=False, state="waiting",
                            why="", candidates=["ana"])  # fmt: skip
    patient = POLICY.model_dump(mode="python")
    patient["phases"][0]["gate"]["wait_for"] = "all"
    for policy, whom in ((POLICY, ["ana"]), (Policy.model_validate(patient), ["ana", "bo"])):
        one = play("people: {ana: {says: never}, bo: {says: never}}")
        one.policy = policy
        for level in range(4):
            due = START + (level + 1) * 10 * DAY
            asked = [pending("ana"), pending("bo")]
            view = gate(pending=asked, requirements=[needs], resolve_due=due)
            one.look(due - 5 * DAY, product(gate="launch"), view, None)
            one.look(due - 4 * DAY, product(gate="launch"), view, None)
        assert one.stuck
        assert one.stuck.waits_for == whom


def test_a_task_that_nobody_does_in_time_is_stuck_only_at_the_end() -> None:
    one, view = play(until=100), product(status="sunsetting", phase=None)
    one.cast = Cast(parse(Script, "owner: {confirms: 900 days}", "people").model, PEOPLE, 1, 1)
    for days in (0, 50, 99):
        one.look(START + days * DAY, view, None, sunset(task("pack", "cy")))
        assert not one.ended
    one.look(START + 100 * DAY, view, None, sunset(task("pack", "cy")))
    assert one.stuck
    assert (one.stuck.kind, one.stuck.waits_for) == ("task", ["cy"])
