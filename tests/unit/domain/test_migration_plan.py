"""What another policy means for a product where it stands, and what it then has."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phasegate import migrating
from phasegate.adjusting import Adjustments
from phasegate.base import digest_of
from phasegate.directory import Directory, Permission
from phasegate.errors import Forbidden, Rejected
from phasegate.events import Announcement, Outbox
from phasegate.lifecycle import Lifecycle, PolicyRef, Status
from phasegate.migrated import Renamings
from phasegate.migration import plan_migration
from phasegate.migration_ports import (
    LastMigration,
    MigrateRequest,
    MigrationBrief,
    MigrationPlan,
    MigrationTerms,
)
from phasegate.milestones import MilestoneStatus, roadmap_of
from phasegate.planning_ahead import require_same_policy
from phasegate.policy import Policy
from phasegate.policy_diff import diff_policies
from phasegate.policy_meaning import same_gate
from phasegate.ports import Authority, PhaseBrief
from phasegate.product import Product
from phasegate.reading import read_directory, read_policy
from phasegate.sittings import GateReport, Kind, Verdict
from phasegate.views import GateSummaryView

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
DAY = timedelta(days=1)
PEOPLE = read_directory(
    """
directory: default
people: {olga: {}, ana: {}, bo: {}, lea: {}, zoe: {}}
groups:
  product: {members: [ana]}
  eng: {members: [bo]}
  legal: {members: [lea]}
  board: {members: [zoe], permissions: {migrate: [2]}}
""",
    "people",
)
POLICY = """
policy: p
version: "1"
title: P
phases:
  - id: build
    title: Build
    milestones: [{id: done, title: Done}, {id: docs, title: Docs}]
    gate: {id: launch, title: Launch, requires: [{group: product}]}
  - id: market
    title: Market
    in_market: true
    review:
      first: 90 days
      every: 1 year
      gate: {id: plr, title: Review, requires: [{group: product}]}
    gate: {id: retire, title: Retire, opens: submit, requires: [{group: product}]}
sunset:
  minimum_notice: {ga: 30 days}
  tasks:
    - {id: told, title: Notice, kind: notice}
    - {id: end, title: End of life, kind: date, marks: end-of-life, at: 40 days}
"""
OLD = read_policy(POLICY, "old")


@cache
def policy(*changes: tuple[str, str], version: str = "2") -> Policy:
    text = POLICY.replace('version: "1"', f'version: "{version}"')
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return read_policy(text, "new")


def brief_of(rules: Policy, phase: str) -> PhaseBrief:
    return PhaseBrief(
        phase=rules.phase(phase), next=rules.following(phase), has_sunset=rules.sunset is not None
    )


def lifecycle(phase: str = "build", **fields: Any) -> Lifecycle:
    product = Product(key="kettle", name="Kettle", owner="olga", tier=2, **fields)
    state = Lifecycle(
        product=product,
        definition_digest=digest_of(product),
        policy=PolicyRef(name="p", version="1", digest=digest_of(OLD)),
        directory="default",
        outbox=Outbox(source="product/kettle", product="kettle"),
        brief=brief_of(OLD, phase),
        entered_at=NOW - 10 * DAY,
    )
    state.milestones = roadmap_of(OLD.phase(phase), product)
    if phase == "market":
        state.review_due = NOW + 80 * DAY
    return state


def opened(state: Lifecycle, gate: str = "launch", kind: Kind = "phase") -> Lifecycle:
    state.sittings.begin(gate, kind, workflow_id="w", token="t", submitter="olga")
    return state


def planned(
    state: Lifecycle, new: Policy, directory: Directory | None = PEOPLE, **terms: Any
) -> MigrationPlan:
    return plan_migration(
        OLD,
        new,
        migrating.standing_of(state),
        MigrationTerms(**terms),
        directory,
        to=digest_of(new),
        now=NOW,
    )


def why(plan: MigrationPlan) -> list[str]:
    return [blocker.code for blocker in plan.blockers]


def request(new: Policy, **terms: Any) -> MigrateRequest:
    return MigrateRequest(
        actor="zoe",
        to=digest_of(new),
        reason="new law",
        terms=MigrationTerms(**terms),
        migration="m1",
        request_id="m1.0",
    )


def moved(
    state: Lifecycle, new: Policy, report: GateReport | None = None, **terms: Any
) -> dict[str, Any]:
    """Migrate it as its workflow does."""
    before, plan = migrating.standing_of(state), planned(state, new, **terms)
    before = before.model_copy(deep=True)
    if report and state.sittings.open:
        state.sittings.open.report = report
    migrating.require_judged(state, plan, before, report)
    assert plan.to_phase is not None
    brief = MigrationBrief(plan=plan, phase=brief_of(new, plan.to_phase))
    return migrating.migrate(state, request(new, **terms), brief, report, NOW)


def abandoned(gate: str = "launch", outcome: str | None = None) -> GateReport:
    return GateReport(
        gate=gate, round=1, token="t", outcome=outcome, why="", decided_at=NOW, votes={"ana": "go"}
    )


# -- where it cannot be ---------------------------------------------------------------------------


def test_it_is_under_it_already() -> None:
    plan = planned(lifecycle(), OLD)
    assert (plan.already, plan.possible, plan.blockers) == (True, False, [])


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"status": Status.killed}, "product-ended"),
        ({"status": Status.retired}, "product-ended"),
        ({"status": Status.sunsetting}, "sunset-under-way"),
        ({"entering": True}, "on-its-way"),
        ({"brief": None}, "on-its-way"),
        ({"reopening": True}, "on-its-way"),
        ({"verdict": Verdict(kind="phase", report=abandoned())}, "on-its-way"),
    ],
)
def test_not_at_this_moment(fields: dict[str, Any], code: str) -> None:
    state = lifecycle().model_copy(update=fields)
    assert why(planned(state, policy())) == [code]


def test_not_while_a_gate_of_it_has_decided_or_is_being_convened() -> None:
    state = opened(lifecycle())
    assert state.sittings.open
    assert migrating.standing_of(state, opening=True).busy
    state.sittings.open.report = abandoned(outcome="go")
    assert why(planned(state, policy())) == ["on-its-way"]


def test_how_a_requirement_is_written_is_no_other_requirement() -> None:
    asks = "requires: [{group: product}]}\n  - id: market"

    def asking(requirement: str) -> Policy:
        return policy((asks, asks.replace("{group: product}", requirement)))

    both = "need: 2, include: [legal, eng], tiers: [1, 2]}, {group: eng, tiers: [3]}"
    one = asking("{any_of: [eng, legal], " + both)
    other = asking("{any_of: [legal, eng], " + both.replace("1, 2", "2, 1"))
    assert diff_policies(one, other).same
    assert same_gate(one, other, "launch")
    assert same_gate(OLD, asking("{any_of: [product]}"), "launch")
    assert not same_gate(OLD, one, "launch")
    assert not same_gate(one, asking("{any_of: [eng, legal], need: 2}"), "launch")


def test_a_phase_without_a_counterpart_needs_one_to_be_named() -> None:
    new = policy(("id: build", "id: make"))
    plan = planned(lifecycle(), new)
    assert why(plan) == ["no-counterpart"]
    assert "migrate TO kettle --phase build=make --as WHO" in plan.blockers[0].hint
    assert why(planned(lifecycle(), new, phases={"build": "moon"})) == ["no-counterpart"]
    assert planned(lifecycle(), new, phases={"build": "make"}).possible
    state = lifecycle()
    state.invested_from = "market"
    (blocker,) = planned(state, policy(("id: market", "id: sold"))).blockers
    assert (blocker.code, "--phase market=sold" in blocker.hint) == ("no-counterpart", True)
    assert moved(state, policy(("id: market", "id: sold")), phases={"market": "sold"})
    assert state.invested_from == "sold"


def test_what_would_have_kept_it_from_starting_keeps_it_from_migrating() -> None:
    nobody = policy(("launch, title: Launch, requires: [{group: product}",
                     "launch, title: Launch, requires: [{group: ops}"))  # fmt: skip
    assert why(planned(lifecycle(), nobody)) == ["unfit"]
    figure = policy(("{id: docs, title: Docs}",
                     "{id: docs, title: Docs, check: {kind: http, url: 'https://x.org/{place}', "
                     "expression: 'true'}}"))  # fmt: skip
    assert why(planned(lifecycle(), figure)) == ["unfit"]
    assert planned(lifecycle(figures={"place": "home"}), figure).anew == ["docs"]
    assert why(planned(lifecycle(), policy(), None)) == ["directory-unknown"]
    assert planned(lifecycle(team=["olga"]), policy()).possible, "a warning keeps nobody back"


def test_a_sunset_that_was_planned_and_does_not_fit_is_dropped_only_on_purpose() -> None:
    state = lifecycle()
    state.adjustments = Adjustments.model_validate({"dates": {"end": "60 days"}})
    plan = planned(state, policy())
    assert plan.possible
    assert plan.uncertain
    shorter = policy(("id: end,", "id: over,"))
    (blocker,) = planned(state, shorter).blockers
    assert (blocker.code, "--drop-plan" in blocker.hint) == ("sunset-unfit", True)
    none = read_policy(POLICY[: POLICY.index("sunset:")], "none")
    assert why(planned(state, none)) == ["sunset-unfit"]
    moved(state, shorter, drop_plan=True)
    assert state.adjustments is None


# -- an open round --------------------------------------------------------------------------------


def test_a_round_goes_on_where_its_gate_asks_the_same_and_stays_under_its_policy() -> None:
    state = opened(lifecycle())
    new = policy(("title: Market", "title: Sold"))
    plan = planned(state, new)
    assert (plan.fate, plan.possible) == ("goes-on", True)
    told = moved(state, new)
    assert told["goes_on"] == {"gate": "launch", "round": 1}
    assert state.facts("launch").policy_digest == digest_of(OLD)
    assert state.facts("retire").policy_digest == digest_of(new)
    newer = policy(("title: Market", "title: Sold well"), version="3")
    later = plan_migration(new, newer, migrating.standing_of(state), MigrationTerms(), PEOPLE,
                           to=digest_of(newer), now=NOW)  # fmt: skip
    brief = MigrationBrief(plan=later, phase=brief_of(newer, "build"))
    migrating.migrate(state, request(newer), brief, None, NOW)
    assert state.facts("launch").policy_digest == digest_of(OLD), "it is still the first one's"
    assert state.migrations == 2


@pytest.mark.parametrize(
    "change",
    [
        ("launch, title: Launch, requires: [{group: product}]",
         "launch, title: Launch, requires: [{group: eng}]"),
        ("gate: {id: launch", "gate: {id: begin"),
        ("    gate: {id: launch, title: Launch, requires: [{group: product}]}\n", ""),
    ],
)  # fmt: skip
def test_another_gate_stops_the_round_only_on_demand(change: tuple[str, str]) -> None:
    state, new = opened(lifecycle()), policy(change)
    plan = planned(state, new)
    assert (plan.fate, why(plan)) == ("stopped", ["round-open"])
    assert planned(state, new, reopen=True).possible
    state.status = Status.on_hold
    assert why(planned(state, new, reopen=True)) == ["round-held"]
    state.status = Status.active
    told = moved(state, new, abandoned(), reopen=True)
    assert (told["voided"], told["stopped"]) == ({"ana": "go"}, {"gate": "launch", "round": 1})
    assert state.reopening
    state.sittings.end()
    migrating.convene_anew(state, "phase", NOW)
    gate = new.phases[0].gate
    assert state.submitted_by == ("olga" if gate else None)
    assert state.may_open_gate() == (gate is not None)


def test_a_renamed_phase_that_voters_see_in_the_definition_is_another_gate_to_them() -> None:
    state = opened(lifecycle(milestones=[{"id": "done", "phase": "build"}]))
    new = policy(("id: build", "id: make"))
    plan = planned(state, new, phases={"build": "make"})
    assert why(plan) == ["round-open"]
    assert "definition" in plan.blockers[0].text


def test_a_review_that_was_stopped_comes_again_at_once_if_there_is_one() -> None:
    for change, due in (
        (("plr, title: Review, requires: [{group: product}]",
          "plr, title: Review, requires: [{group: eng}]"), NOW),
        (("    review:\n      first: 90 days\n      every: 1 year\n"
          "      gate: {id: plr, title: Review, requires: [{group: product}]}\n", ""), None),
    ):  # fmt: skip
        state, new = opened(lifecycle("market"), "plr", "review"), policy(change)
        plan = planned(state, new, reopen=True)
        assert plan.fate == "stopped"
        assert ("plr is convened anew" in plan.notes[0]) == (due is not None)
        moved(state, new, abandoned("plr"), reopen=True)
        state.sittings.end()
        migrating.convene_anew(state, "review", NOW)
        assert state.review_due == due


# -- what it then has -----------------------------------------------------------------------------


def test_milestones_keep_what_became_of_them_while_they_mean_the_same() -> None:
    state = lifecycle(milestones=[{"id": "done", "phase": "build", "due": "2031-01-01"},
                                  {"id": "own", "phase": "build"}])  # fmt: skip
    for milestone in state.milestones:
        milestone.meet(NOW, "reported")
    new = policy(
        ("{id: done, title: Done}", "{id: done, title: Done, check: {kind: reported, by: eng}}"),
        ("{id: docs, title: Docs}", "{id: more, title: More}"),
    )
    plan = planned(state, new)
    assert (plan.kept, plan.anew, plan.new, plan.gone) == (
        ["own"], ["done"], ["more"], {"docs": "met"},
    )  # fmt: skip
    moved(state, new)
    assert {m.id: m.state for m in state.milestones} == {
        "done": MilestoneStatus.planned,
        "more": MilestoneStatus.planned,
        "own": MilestoneStatus.met,
    }
    assert state.milestone("done").due is not None, "its date is still the product's"


def test_a_gate_whose_milestones_are_settled_opens_at_once_and_the_plan_says_so() -> None:
    state = lifecycle()
    state.milestone("done").meet(NOW, "")
    assert not any("opens at once" in note for note in planned(state, policy()).notes)
    fewer = policy((", {id: docs, title: Docs}", ""))
    assert "launch opens at once: its milestones are settled" in planned(state, fewer).notes


def test_many_differences_are_counted() -> None:
    many = ", ".join(f"{{id: m{n}, title: M}}" for n in range(12))
    new = policy(("in_market: true\n", f"in_market: true\n    milestones: [{many}]\n"))
    notes = planned(lifecycle(), new).notes
    assert notes[-1].startswith("and 4 more: phasegate policy diff sha256:")
    assert len(notes) == 9


def test_renamed_phases_take_dates_and_the_definition_along() -> None:
    state = lifecycle(milestones=[{"id": "done", "phase": "build", "due": "2031-01-01"}])
    state.first_dates = {"build/done": NOW}
    other = roadmap_of(OLD.phase("market"), state.product)
    state.milestones += other
    new = policy(("id: build", "id: make"))
    told = moved(state, new, phases={"build": "make"})
    assert state.first_dates == {"make/done": NOW}
    assert [m.phase for m in state.milestones] == ["make", "make"]
    assert state.product.milestones[0].phase == "make"
    assert told["before"] != told["digest"] == state.definition_digest == digest_of(state.product)
    assert "its phase build is make" in planned(lifecycle(), new, phases={"build": "make"}).notes
    leap = planned(lifecycle(), policy(), phases={"build": "market"})
    assert any("though the new policy has build, too" in note for note in leap.notes)


def test_milestones_of_phases_that_are_left_stay() -> None:
    state = lifecycle()
    left = state.milestones
    state = lifecycle("market")
    state.milestones = [*left, *state.milestones]
    new = policy(("id: build", "id: make"))
    moved(state, new, phases={"build": "make"})
    assert [(m.id, m.phase) for m in state.milestones] == [("done", "make"), ("docs", "make")]


def test_a_review_is_reckoned_from_the_last_one_or_from_entering() -> None:
    new = policy(("first: 90 days", "first: 30 days"), ("every: 1 year", "every: 60 days"))
    state = lifecycle("market")
    assert planned(state, new).review_anew
    moved(state, new)
    assert state.review_due == NOW + 20 * DAY
    state = lifecycle("market")
    held = GateSummaryView(
        gate="plr", round=1, outcome="go", decided_at=NOW - DAY, votes={}, why=""
    )
    state.sittings.closed = [held]
    moved(state, new)
    assert state.review_due == NOW + 59 * DAY
    state = lifecycle("market")
    none = policy((POLICY[POLICY.index("    review:") : POLICY.index("    gate: {id: retire")], ""))
    assert "it is not reviewed any more" in planned(state, none).notes
    moved(state, none)
    assert state.review_due is None


# -- who may, and what is said twice --------------------------------------------------------------


def test_the_permission_is_asked_and_nobody_decides_on_their_own_work() -> None:
    state, rights = lifecycle(), Authority(permissions=(Permission.migrate,))
    asked = request(policy())
    migrating.require_migrator(state, asked, rights, {})
    other = Authority(permissions=(Permission.override,))
    assert not migrating.may_migrate(state, asked, other, {})
    own = asked.model_copy(update={"actor": "olga"})
    with pytest.raises(Forbidden) as refused:
        migrating.require_migrator(state, own, rights, {})
    assert refused.value.code == "self-approval"
    assert migrating.may_migrate(state, asked, rights, {"bo": "submitted the gate"})
    with pytest.raises(Forbidden, match=f"{asked.actor} submitted the gate"):
        migrating.require_migrator(state, asked, rights, {asked.actor: "submitted the gate"})


def test_late_and_wrong_requests_are_turned_away() -> None:
    state, new = lifecycle(), policy()
    migrating.check_migrate(state, request(new))
    with pytest.raises(Rejected, match="already"):
        migrating.check_migrate(state, request(OLD))
    other = request(new).model_copy(update={"from_": digest_of(new)})
    with pytest.raises(Rejected, match="not the policy named"):
        migrating.check_migrate(state, other)


def test_what_moved_while_it_was_judged_is_not_migrated() -> None:
    state, new = opened(lifecycle()), policy(("gate: {id: launch", "gate: {id: begin"))
    before = migrating.standing_of(state).model_copy(deep=True)
    blocked, plan = planned(state, new), planned(state, new, reopen=True)

    def refused(plan: MigrationPlan, report: GateReport | None, why: str) -> tuple[str, str]:
        with pytest.raises(Rejected, match=why) as caught:
            migrating.require_judged(state, plan, before, report)
        return caught.value.code, caught.value.hint

    code, hint = refused(blocked, None, "round 1 of launch is open")
    assert (code, hint) == ("cannot-migrate", blocked.blockers[0].hint)
    again = ("changed-meanwhile", "phasegate product show kettle  # then ask again")
    assert refused(plan, abandoned(outcome="go"), "decided go") == again
    state.product = state.product.model_copy(update={"tier": 1})
    assert refused(plan, abandoned(), "moved") == again


def test_what_is_under_it_already_or_under_another_is_not_migrated() -> None:
    elsewhere = request(policy()).model_copy(update={"from_": "sha256:9"})
    for asked, code, why in (
        (request(OLD), "same-policy", "it is under it already"),
        (elsewhere, "not-under-it", "it is under p 1, not the policy named"),
    ):
        with pytest.raises(Rejected) as caught:
            migrating.check_migrate(lifecycle(), asked)
        found = caught.value
        assert (found.code, found.why, found.hint) == (code, why, "phasegate product show kettle")


def test_what_cannot_be_migrated_is_told_how_it_could() -> None:
    state, new = opened(lifecycle()), policy(("gate: {id: launch", "gate: {id: begin"))
    before = migrating.standing_of(state).model_copy(deep=True)
    with pytest.raises(Rejected) as caught:
        migrating.require_judged(state, planned(state, new), before, None)
    assert "--reopen" in caught.value.hint
    late = lifecycle()
    late.adjustments = Adjustments.model_validate({"dates": {"end": "60 days"}})
    (blocker,) = planned(late, policy(("id: end,", "id: over,"))).blockers
    assert "end" in blocker.text.partition("does not fit: ")[2], "it says what does not"


def test_the_record_learns_when_the_next_review_is_due() -> None:
    assert moved(lifecycle("market"), policy())["review_due"] == (NOW + 80 * DAY).isoformat()
    told = moved(lifecycle(), policy())
    assert told["review_due"] is None
    assert (told["from_policy"], told["policy"]) == ("p 1", "p 2")


@pytest.mark.parametrize(("submitter", "then"), [("tim", "tim"), ("", "olga")])
def test_a_gate_that_was_stopped_comes_again_in_the_name_of_who_submitted_it(
    submitter: str, then: str
) -> None:
    state, new = lifecycle(), policy(("gate: {id: launch", "gate: {id: begin"))
    state.sittings.begin("launch", "phase", workflow_id="w", token="t", submitter=submitter)
    moved(state, new, abandoned(), reopen=True)
    state.sittings.end()
    migrating.convene_anew(state, "phase", NOW)
    assert (state.submitted_by, state.needs_submit) == (then, False)


def test_a_migration_is_remembered_and_a_plan_read_before_it_is_not_kept() -> None:
    state, new = lifecycle(), policy()
    before = state.policy.digest
    require_same_policy(state, before)
    moved(state, new)
    migrating.remember_migration(state, request(new), "done")
    assert state.migrated == LastMigration(migration="m1", to=digest_of(new), text="done")
    with pytest.raises(Rejected, match="meanwhile"):
        require_same_policy(state, before)


def test_names_of_phases_in_a_record_are_those_of_the_last_policy() -> None:
    def said(type: str, **data: Any) -> Announcement:
        return Announcement(id="i", type=type, product="k", source="s", at=NOW, text="", data=data)

    events = [
        said("product.phase-entered", phase="a"),
        said("product.migrated", phases={"a": "b"}),
        said("product.phase-entered", phase="a"),
        said("product.migrated", phases={"b": "c", "a": "d"}),
        said("product.migrated"),
    ]
    names = Renamings(events)
    assert names.terms().phases == {"a": "c", "b": "c"}
    found = []
    for event in events:
        names.passes(event)
        found.append(names.called(str(event.data.get("phase", "a"))))
    assert found == ["c", "d", "d", "a", "a"]


# -- whatever the policies ------------------------------------------------------------------------

CHANGES = (
    ("title: Build", "title: Make"),
    ("{id: docs, title: Docs}", "{id: docs, title: Docs, check: {kind: reported, by: eng}}"),
    (", {id: docs, title: Docs}", ""),
    ("[{id: done", "[{id: more, title: More}, {id: done"),
    ("first: 90 days", "first: 30 days"),
    ("id: retire, title: Retire", "id: leave, title: Leave"),
    ("launch, title: Launch, requires: [{group: product}]",
     "launch, title: Launch, requires: [{group: eng}]"),
)  # fmt: skip


@settings(deadline=None, max_examples=60)
@given(
    st.sets(st.sampled_from(CHANGES[:2] + CHANGES[3:])),
    st.sampled_from(["build", "market"]),
    st.lists(st.sampled_from(["done", "docs"]), unique=True),
    st.booleans(),
)
def test_nothing_is_lost_and_the_next_plan_finds_it_there(
    changes: set[tuple[str, str]], phase: str, met: list[str], with_round: bool
) -> None:
    new = policy(*sorted(changes))
    state = lifecycle(phase)
    for milestone in state.milestones:
        if milestone.id in met:
            milestone.meet(NOW, "")
    before = {m.id: m.state for m in state.milestones}
    if with_round:
        opened(state, "launch" if phase == "build" else "retire")
    plan = planned(state, new, reopen=True)
    assert plan.possible
    assert {*plan.kept, *plan.anew, *plan.gone} == before.keys()
    there = [*plan.kept, *plan.anew, *plan.new]
    assert sorted(there) == sorted(goal.id for goal in new.phase(phase).milestones)
    assert len({*there, *plan.gone}) == len(there) + len(plan.gone), "each is in one list"
    told = moved(state, new, abandoned() if plan.fate == "stopped" else None, reopen=True)
    assert {m.id for m in state.here()} == {*there}
    for milestone in state.here():
        kept = milestone.id in plan.kept
        assert milestone.state == (before[milestone.id] if kept else MilestoneStatus.planned)
    assert told["policy_digest"] == state.policy.digest == digest_of(new)
    assert ("voided" in told) == (plan.fate == "stopped")
    again = plan_migration(new, new, migrating.standing_of(state), MigrationTerms(), PEOPLE,
                           to=digest_of(new), now=NOW)  # fmt: skip
    assert again.already


@settings(deadline=None)
@given(st.sampled_from(["build", "market"]), st.booleans())
def test_a_policy_that_only_has_another_version_changes_nothing(
    phase: str, with_round: bool
) -> None:
    state = lifecycle(phase)
    if with_round:
        opened(state, "launch" if phase == "build" else "retire")
    before = state.model_copy(deep=True)
    plan = planned(state, policy())
    assert (plan.anew, plan.new, plan.gone, plan.review_anew) == ([], [], {}, False)
    assert plan.fate == ("goes-on" if with_round else "none")
    moved(state, policy())
    same = {"policy", "brief", "sittings", "migrations", "migrated"}
    assert state.model_dump(exclude=same) == before.model_dump(exclude=same)
