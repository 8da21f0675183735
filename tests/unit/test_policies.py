"""What is shipped is clean, complete, and says where it comes from."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

import policies
from phasegate.adjusting import Adjustments
from phasegate.directory import Directory
from phasegate.gate import Gate
from phasegate.lint import lint_directory, lint_policy, lint_product
from phasegate.policy import Policy
from phasegate.product import Product
from phasegate.reading import parse, read_directory, read_policy, read_product
from phasegate.rehearsal import Script
from phasegate.rehearsal_policy import made_up
from phasegate.rehearsal_unknown import unknown
from phasegate.seats import can_pass, steps_of
from phasegate.span import Span
from phasegate.sunset import ArchiveTask, DateTask, ManualTask
from phasegate.sunset_layout import lay_out
from phasegate.sunset_rules import problems

EXAMPLES = Path(__file__).parents[2] / "examples"
PAIRS = [
    ("python-3.8.product.yaml", "cpython.directory.yaml"),
    ("kep-753.product.yaml", "kubernetes.directory.yaml"),
    ("example.product.yaml", "example.directory.yaml"),
]


def test_when_the_gates_of_the_standard_policy_open() -> None:
    standard = read_policy(policies.text_of("standard"), "standard")
    opens = {gate.id: standard.opening(gate) for gate in standard.gates()}
    assert opens["idea-screen"] == "with its milestones"
    assert opens["intent-to-retire"] == "when submitted"
    assert opens["post-launch-review"] == "90 days after entering, then every 1 year"
    assert opens["end-of-sales-readiness"] == "5 months after the notice"
    assert opens["decommission"] == "on end-of-life"


def policy(name: str) -> Policy:
    return read_policy(policies.text_of(name), f"{name}.yaml")


def product(file: str) -> Product:
    return read_product((EXAMPLES / file).read_bytes(), file)


def directory(file: str) -> Directory:
    return read_directory((EXAMPLES / file).read_bytes(), file)


def source(file: str) -> Any:
    """What the examples were made from."""
    return YAML(typ="safe").load((EXAMPLES / "sources" / file).read_text(encoding="utf-8"))


def gate(of: Policy, gate_id: str) -> Gate:
    return next(gate for gate in of.gates() if gate.id == gate_id)


def test_the_shipped_policies() -> None:
    assert policies.names() == ("kubernetes-enhancement", "python-release", "standard")


def test_an_unknown_policy_is_a_key_error_that_names_the_known() -> None:
    with pytest.raises(KeyError, match="shipped: kubernetes-enhancement"):
        policies.text_of("../examples/x")


@pytest.mark.parametrize("name", policies.names())
def test_each_policy_lints_clean_and_names_its_source(name: str) -> None:
    shipped = policy(name)
    assert shipped.policy == name
    assert shipped.source
    assert lint_policy(shipped) == []
    assert all(gate.question for gate in shipped.gates())


@pytest.mark.parametrize(("product_file", "directory_file"), PAIRS)
def test_each_example_has_no_errors(product_file: str, directory_file: str) -> None:
    goods, people = product(product_file), directory(directory_file)
    assert goods.policy is not None
    rules = policy(goods.policy)
    assert lint_directory(people) == []
    found = [*lint_policy(rules, people), *lint_product(goods, rules, people)]
    assert [str(finding) for finding in found if finding.severity == "error"] == []


def test_every_example_file_is_tested() -> None:
    served = {"web-feature.policy.yaml", "web-feature.directory.yaml", "popover.product.yaml"}
    tested = {file for p in PAIRS for file in p} | served  # played in tests/cli/test_web_feature.py
    tested |= {"harbor-sync.sunset.yaml", "standard.people.yaml"}
    assert {path.name for path in EXAMPLES.glob("*.yaml")} == tested


def test_the_invented_example_is_exemplary() -> None:
    goods, people = product("example.product.yaml"), directory("example.directory.yaml")
    rules = policy("standard")
    assert lint_policy(rules, people) == []
    for tier in (1, 2, 3):
        assert lint_product(goods.model_copy(update={"tier": tier}), rules, people) == []
    empty = [name for name in Product.model_fields if getattr(goods, name) in ("", (), {}, None)]
    assert empty == []
    goals = {goal.id for phase in rules.phases for goal in phase.milestones}
    dated = {milestone.id for milestone in goods.milestones if milestone.due}
    assert goals <= dated
    assert all(person.email for person in people.people.values())


def test_the_sunset_of_the_invented_example_keeps_every_rule() -> None:
    goods, people = product("example.product.yaml"), directory("example.directory.yaml")
    file = EXAMPLES / "harbor-sync.sunset.yaml"
    adjustments = parse(Adjustments, file.read_text("utf-8"), file.name).model
    plan = policy("standard").sunset
    assert plan is not None
    now = datetime(2029, 11, 1, tzinfo=UTC)
    layout = lay_out(plan, adjustments, maturity=goods.maturity, now=now)
    assert problems(layout, plan, adjustments, maturity=goods.maturity, now=now) == []
    assert [name for name in Adjustments.model_fields if not getattr(adjustments, name)] == []
    assert {task.by for task in adjustments.add if task.by} <= people.groups.keys()
    order = [placed.task.id for placed in layout.tasks]
    assert order.index("last-letter") < order.index("decommission") < order.index("quay-terminals")
    end = layout.marked("end-of-life")
    assert end is not None
    assert end.at == adjustments.contracts_until


def test_the_people_of_a_rehearsal_are_of_the_standard_policy_and_the_invented_directory() -> None:
    file = EXAMPLES / "standard.people.yaml"
    script = parse(Script, file.read_text("utf-8"), file.name).model
    people, standard = directory("example.directory.yaml"), policy("standard")
    assert unknown(script, standard, product("example.product.yaml"), people) == []
    assert unknown(script, standard, made_up(standard, people), people) == []
    assert script.is_random
    away = script.people["tom.becker"].away
    assert {leave.delegate for leave in away} <= people.people.keys()


def test_standard_has_the_phases_and_gates_of_the_design() -> None:
    standard = policy("standard")
    assert [phase.id for phase in standard.phases] == [
        "inception",
        "scoping",
        "business-case",
        "development",
        "testing",
        "launch",
    ]
    assert [gate.id for gate in standard.gates()] == [
        "idea-screen",
        "second-screen",
        "go-to-development",
        "go-to-testing",
        "go-to-launch",
        "post-launch-review",
        "intent-to-retire",
        "end-of-sales-readiness",
        "decommission",
    ]
    assert [phase.id for phase in standard.phases if phase.in_market] == ["launch"]


@pytest.mark.parametrize(
    ("tier", "groups"),
    [
        (1, {"product", "engineering", "security", "privacy", "legal", "support", "marketing"}),
        (2, {"product", "security", "support", "marketing"}),
        (3, {"product", "on-call"}),
    ],
)
def test_standard_asks_for_a_launch_by_tier(tier: int, groups: set[str]) -> None:
    asked = gate(policy("standard"), "go-to-launch").requires
    assert {r.group for r in asked if not r.tiers or tier in r.tiers} == groups


def test_standard_retires_with_three_of_five_legal_among_them() -> None:
    (requirement,) = gate(policy("standard"), "intent-to-retire").requires
    assert (requirement.need, len(requirement.any_of), requirement.include) == (3, 5, ("legal",))
    without_legal = {group: [group] for group in requirement.any_of if group != "legal"}
    assert not can_pass(steps_of([requirement], without_legal, tier=1))
    assert can_pass(steps_of([requirement], without_legal | {"legal": ["legal"]}, tier=1))


def test_standard_gives_customers_a_timetable() -> None:
    plan = policy("standard").sunset
    assert plan is not None
    notice = datetime(2027, 1, 31, tzinfo=UTC)
    layout = lay_out(plan, Adjustments(), maturity="ga", now=notice, notice=notice)
    dates = {placed.task.id: placed.at.date().isoformat() for placed in layout.tasks}
    assert dates["internal-briefing"] == "2027-01-01"
    assert dates["public-notice"] == "2027-01-31"
    assert dates["end-of-sales"] == "2027-07-31"
    assert dates["read-only"] == "2028-01-01"
    assert dates["end-of-security-support"] == dates["end-of-life"] == "2028-01-31"
    assert dates["decommission"] == dates["shutdown"] == "2028-01-31"
    deletion = layout.placed("delete-data")
    assert deletion is not None
    assert deletion.at.date().isoformat() == "2028-03-01"
    assert deletion.overdue_at is not None
    assert deletion.overdue_at.date().isoformat() == "2028-04-30"
    for name in ("end-of-sales", "end-of-life"):
        date = layout.placed(name)
        assert date is not None
        assert isinstance(date.task, DateTask)
        ahead = [str(span) for span in date.task.remind]
        assert ahead == ["P90D", "P60D", "P30D", "P7D", "PT0S"]


def test_standard_has_one_point_of_no_return_and_proof_of_what_is_gone() -> None:
    plan = policy("standard").sunset
    assert plan is not None
    layout = lay_out(plan, Adjustments(), maturity="ga", now=datetime(2027, 1, 31, tzinfo=UTC))
    assert layout.point_of_no_return == "decommission"
    order = [placed.task.id for placed in layout.tasks]
    gone = [placed.task.id for placed in layout.tasks if placed.irreversible]
    assert len(gone) == 6
    assert all(order.index(name) > order.index("decommission") for name in gone)
    (deletion,) = [placed for placed in layout.tasks if placed.deletes]
    assert isinstance(deletion.task, ManualTask)
    assert deletion.task.proof == ("digest", "count")
    assert {"final-backup", "shutdown"} <= {*deletion.needs}


@pytest.mark.parametrize("name", ["standard", "python-release"])
def test_a_shipped_sunset_keeps_the_rules_whatever_the_day(name: str) -> None:
    plan = policy(name).sunset
    assert plan is not None
    for month in range(1, 25):
        now = Span(months=month).after(datetime(2027, 1, 31, 9, tzinfo=UTC))
        layout = lay_out(plan, Adjustments(), maturity="ga", now=now)
        assert problems(layout, plan, Adjustments(), maturity="ga", now=now) == []
        assert layout.moved == []


def test_python_lives_from_development_to_a_closed_branch() -> None:
    python, people = policy("python-release"), directory("cpython.directory.yaml")
    assert [phase.id for phase in python.phases if phase.in_market] == ["bugfix", "security"]
    assert python.sunset is not None
    assert any(isinstance(task, ArchiveTask) for task in python.sunset.tasks)
    goods = product("python-3.8.product.yaml")
    members = {name: people.members(name) for name in people.groups}
    for each in python.gates():
        steps = steps_of(each.requires, members, tier=1, excluded=[goods.owner])
        assert can_pass(steps)
        assert all(goods.owner not in step.people for step in steps)


def test_python_dates_are_the_real_ones() -> None:
    due = {m.id: m.due.date() for m in product("python-3.8.product.yaml").milestones if m.due}
    schedule = source("python-3.8.yaml")["schedule"]
    alphas = ("alpha-1", "alpha-2", "alpha-3", "last-alpha")
    betas = ("beta-1", "beta-2", "beta-3", "last-beta")
    assert [due[name] for name in alphas] == schedule["alpha"]
    assert [due[name] for name in betas] == schedule["beta"]
    assert [due["candidate-1"]] == schedule["release_candidate"]
    assert due["development-begins"] == schedule["development_begins"]
    assert due["final"] == schedule["final"]
    assert due["last-bugfix"] == schedule["last_bugfix_release"]
    assert due["last-security"] == schedule["last_security_release"]


def test_python_counts_down_from_the_last_security_release_to_its_end_of_life() -> None:
    python, goods = policy("python-release"), product("python-3.8.product.yaml")
    schedule = source("python-3.8.yaml")["schedule"]
    due = [m.due.date() for m in goods.milestones if m.phase == "security" and m.due]
    assert due == [schedule["last_security_release"]]  # nothing else to wait for
    assert python.sunset is not None
    notice, end, *later = python.sunset.tasks
    assert isinstance(end, DateTask)
    assert [span.words for span in end.remind] == ["14 days", "7 days", "1 day"]
    assert all(task.at.exact > end.at.exact for task in later)
    day = end.at.before(datetime.combine(schedule["end_of_life"], time(), UTC)).date()
    clocks = gate(python, "end-of-life").clocks
    days_to_vote = day - schedule["last_security_release"]
    assert notice.at.exact == timedelta(0)
    assert timedelta(0) < days_to_vote <= clocks.respond.exact


def test_an_enhancement_needs_its_sig_and_production_readiness_at_every_stage() -> None:
    kubernetes, kep = policy("kubernetes-enhancement"), product("kep-753.product.yaml")
    assert kubernetes.sunset is None
    for each in kubernetes.gates():
        assert [r.group for r in each.requires] == ["sig-approvers", "prod-readiness-approvers"]
        assert "sig-approvers" in kep.approvers[each.id]
    readiness = {g: groups["prod-readiness-approvers"] for g, groups in kep.approvers.items()}
    named = source("kep-753-prr.yaml")
    assert readiness == {
        stage: (named[stage]["approver"].removeprefix("@"),)
        for stage in ("alpha", "beta", "stable")
    }


def test_an_enhancement_has_the_gates_of_its_metadata() -> None:
    metadata, kep = source("kep-753.yaml"), product("kep-753.product.yaml")
    gates = [each.id for each in policy("kubernetes-enhancement").gates()]
    assert gates == list(kep.approvers) == list(metadata["milestone"])
    names = {tuple(f"@{name}" for name in kep.approvers[each]["sig-approvers"]) for each in gates}
    assert names == {tuple(metadata["approvers"])}
    titles = {m.id: m.title for m in kep.milestones}
    for stage, release in metadata["milestone"].items():
        assert titles[f"{stage}-released"] == f"Released as {stage} in {release}"
