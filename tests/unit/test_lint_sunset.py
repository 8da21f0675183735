"""Lint of the sunset: what a plan cannot mean, and what nobody could undo, prove or answer."""

from __future__ import annotations

import json
from typing import Any

import pytest

from phasegate.lint import Finding, lint_policy, lint_product
from phasegate.lint.sunset import sunset_findings
from phasegate.reading import parse_policy, read_directory, read_product

GATE = {"title": "Off", "question": "Off?", "requires": [{"group": "leads", "need": 1}]}
SETTLED = {"id": "settled", "text": "Nobody is left", "milestone": "customers-settled"}


def task(task_id: str, kind: str = "manual", **fields: Any) -> dict[str, Any]:
    return {"id": task_id, "kind": kind, "title": "T", **fields}


def gate(task_id: str, *criteria: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return task(task_id, "gate", gate={"id": task_id, "criteria": [*criteria], **GATE}, **fields)


def off(*criteria: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return gate("off", *criteria, point_of_no_return=True, **fields)


def date(task_id: str, **fields: Any) -> dict[str, Any]:
    return task(task_id, "date", remind=["0 days"], **fields)


EOL = date("eol", at="12 months", marks="end-of-life")


def text(*tasks: dict[str, Any], **fields: Any) -> str:
    return json.dumps(
        {
            "policy": "p",
            "version": "1",
            "title": "P",
            "phases": [{"id": "market", "title": "Market", "in_market": True}],
            "sunset": {"tasks": tasks, **fields},
        }
    )


def found(*tasks: dict[str, Any], **fields: Any) -> list[Finding]:
    return list(sunset_findings(parse_policy(text(*tasks, **fields), "p.yaml").model))


def told(*tasks: dict[str, Any], **fields: Any) -> list[tuple[str, str, str]]:
    """Severity, the path below `sunset.tasks`, and the message."""
    return [
        (f.severity, ".".join(map(str, f.path[1:])).removeprefix("tasks."), f.message)
        for f in found(*tasks, **fields)
    ]


def says(findings: list[tuple[str, str, str]], severity: str, path: str, words: str) -> None:
    assert len(findings) == 1, findings
    assert findings[0][:2] == (severity, path)
    assert words in findings[0][2]


def test_a_good_plan_has_no_findings() -> None:
    assert (
        told(
            task("briefing", "notice", at="-30 days"),
            task("mail", "mail", subject="{name} ends on {end_of_life}", text="Dear {customer}"),
            EOL,
            off(SETTLED, at="12 months"),
            task("wipe", at="30 days", relative_to="eol", effect="deletion", proof=["digest"]),
            customer_reminder={"subject": "{task}", "text": "on {date}"},
        )
        == []
    )


# -- names and circles ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "words", "tasks"),
    [
        ("1.id", "sunset task a is given twice: first as sunset.tasks.0", [task("a"), task("a")]),
        (
            "1.id",
            "sunset task a--b is given twice: first as sunset.tasks.0.tasks.0",
            [task("a", "plan", tasks=[task("b")]), task("a--b")],
        ),
        (
            "0.after",
            "no task of that name; did you mean shut?",
            [task("a", after=["shot"]), task("shut")],
        ),
        ("0.relative_to", "no date of that name", [task("a", relative_to="b")]),
        (
            "0",
            "a waits for b waits for a",
            [task("a", after=["b"]), task("b", after=["a"])],
        ),
        (
            "0",
            "x counts from y counts from x",
            [date("x", relative_to="y"), date("y", relative_to="x")],
        ),
    ],
)
def test_names_and_circles(path: str, words: str, tasks: list[dict[str, Any]]) -> None:
    findings = told(*tasks)
    assert findings[0][:2] == ("error", path)
    assert words in findings[0][2]
    assert len(findings) == 1


def test_a_mistake_within_a_plan_is_said_once_and_where_it_is() -> None:
    source = text(
        task(
            "r",
            "plan",
            each=["eu", "us"],
            tasks=[task("x"), task("y", "http", url="https://x.test/{eahc}")],
        )
    )
    parsed = parse_policy(source, "p.yaml")
    (finding,) = sunset_findings(parsed.model)
    problem = str(parsed.problem(finding.path, finding.message))
    assert problem.startswith(f"p.yaml:1:{source.index('https://x.test')}:")
    assert "nothing stands for {eahc} in an act; did you mean each?" in problem


def test_the_milestone_of_every_sunset_is_its_own() -> None:
    own = parse_policy(
        text(off(SETTLED)).replace(
            '"in_market": true',
            '"in_market": true, "milestones": [{"id": "customers-settled", "title": "S"}]',
        ),
        "p.yaml",
    ).model
    (finding,) = sunset_findings(own)
    assert "of its own" in finding.message
    early = parse_policy(
        text(off(SETTLED)).replace(
            '"in_market": true',
            f'"in_market": true, "gate": {json.dumps({"id": "g", "criteria": [SETTLED], **GATE})}',
        ),
        "p.yaml",
    ).model
    assert any("has a milestone customers-settled" in f.message for f in lint_policy(early))


def test_no_product_takes_the_milestone_of_every_sunset_for_its_own() -> None:
    policy = parse_policy(text(off(SETTLED)), "p.yaml").model
    lamp = "key: lamp\nname: Lamp\nowner: ada\n"
    assert lint_product(read_product(lamp, "lamp.yaml"), policy) == []
    own = lamp + "milestones: [{id: customers-settled, phase: market, due: 2027-01-01}]"
    (finding,) = lint_product(read_product(own, "lamp.yaml"), policy)
    assert finding.path == ("milestones", 0, "id")


# -- days -----------------------------------------------------------------------------------------


def test_days_go_forward_across_a_gate_and_any_way_between_gates() -> None:
    assert (
        told(task("a", at="2 months"), task("b", at="1 month"), gate("g", at="2 months"), task("c"))
        == []
    )
    says(
        told(gate("g", at="2 months"), task("a", at="1 month")),
        "error",
        "1.at",
        "a (1 month after the notice) is before gate g (2 months after the notice)",
    )
    says(
        told(
            date("d", at="3 months"),
            gate("g", at="2 months"),
            task("e", relative_to="d", at="-1 day"),
        ),
        "error",
        "1.at",
        "d (3 months after the notice) is later",
    )


def test_tasks_of_a_plan_below_a_gate_need_no_day_of_their_own() -> None:
    inner = task("p", "plan", tasks=[task("a"), task("b", after=["a"])])
    assert told(gate("g", at="2 months"), inner) == []
    early = task("p", "plan", tasks=[task("a", at="1 day")])
    says(told(gate("g", at="2 months"), early), "error", "1.tasks.0.at", "1 day after p")


def test_a_public_date_is_not_before_what_it_waits_for() -> None:
    says(told(gate("g", at="2 months"), date("d", at="1 month")), "error", "1.at", "cannot be kept")


def test_nothing_public_comes_after_the_end_of_life() -> None:
    sales = date("sales", at="13 months", marks="end-of-sales")
    says(told(EOL, sales), "error", "1.at", "after the end of life")
    says(told(EOL, EOL | {"id": "again"}), "error", "1.marks", "eol marks end-of-life already")


def test_the_notice_is_as_long_as_the_policy_owes() -> None:
    short = date("eol", at="9 months", marks="end-of-life")
    says(told(short), "error", "0.at", "owed 1 year")
    assert told(short, minimum_notice={"ga": "9 months"}) == []


def test_a_day_beyond_the_calendar() -> None:
    steps = [date("d0", at="900 years")]
    steps += [date(f"d{i}", at="900 years", relative_to=f"d{i - 1}") for i in range(1, 10)]
    assert any("out of reach" in message for _, _, message in told(*steps))


# -- the point of no return -----------------------------------------------------------------------


def test_what_cannot_be_undone_is_below_the_point_of_no_return_and_after_the_end() -> None:
    shut = task("shut", effect="irreversible")
    says(told(EOL, shut), "error", "1.effect", "point_of_no_return: true")
    early = shut | {"at": "11 months"}
    says(told(off(at="11 months"), early, EOL), "error", "1.at", "before the end of life")
    says(told(off(), shut), "warning", "1.effect", "no date of the plan marks the end of life")


def test_there_is_one_point_of_no_return() -> None:
    twice = gate("again", point_of_no_return=True)
    says(
        told(off(), twice), "error", "1.point_of_no_return", "off is the point of no return already"
    )


def test_what_an_abort_leaves_as_it_is() -> None:
    call = task("call", "http", url="https://x.test/")
    says(told(call, off()), "warning", "0", "an abort leaves call as it is")
    assert told(call | {"undo": {"kind": "notice"}}, off()) == []
    assert told(off(), call) == []
    says(
        told(off(), call | {"undo": {"kind": "notice"}}),
        "warning",
        "1.undo",
        "no abort comes after",
    )
    gone = task("gone", effect="irreversible", undo={"kind": "manual"})
    says(told(EOL, off(at="12 months"), gone), "warning", "2.undo", "never carried out")


def test_a_deletion_is_proven() -> None:
    for wipe in (
        task("w", effect="deletion"),
        task("w", "http", url="https://x.test/", effect="deletion"),
    ):
        says(told(EOL, off(at="12 months"), wipe), "warning", "2", "nothing shows what w deleted")


# -- customers ------------------------------------------------------------------------------------

MAIL = task("mail", "mail", subject="S", text="T")


def test_with_customers_the_point_of_no_return_asks_for_them() -> None:
    says(told(MAIL, off()), "error", "1.gate.criteria", "does not ask whether customers are left")
    says(told(MAIL, off(SETTLED | {"kind": "should"})), "error", "1.gate.criteria", "customers")
    says(told(gate("g", SETTLED), off()), "error", "1.gate.criteria", "customers")
    assert told(MAIL, off(SETTLED)) == []
    assert told(off()) == []


def test_customers_never_read_a_placeholder() -> None:
    says(told(MAIL | {"text": "{end_of_live}"}), "error", "0.text", "did you mean end_of_life?")
    says(told(MAIL | {"subject": "{ name }"}), "error", "0.subject", "{ name }")
    says(told(MAIL | {"undo": MAIL_ACT | {"text": "{x}"}}), "error", "0.undo.text", "{x}")
    says(
        told(
            date("d", at="1 month"),
            off(SETTLED, at="1 month"),
            customer_reminder=MAIL_ACT | {"text": "{day}"},
        ),
        "error",
        "customer_reminder.text",
        "{day}",
    )


MAIL_ACT = {"kind": "mail", "subject": "S", "text": "T"}


def test_a_reminder_needs_a_date_that_reminds() -> None:
    says(
        told(off(SETTLED), customer_reminder=MAIL_ACT),
        "warning",
        "customer_reminder",
        "never written",
    )


# -- acts -----------------------------------------------------------------------------------------


def call(**fields: Any) -> dict[str, Any]:
    return task("call", "http", url="https://x.test/", **fields)


@pytest.mark.parametrize(
    ("path", "words", "act"),
    [
        (
            "0.probe.expression",
            "Syntax error",
            call(probe={"url": "https://x.test/", "expression": "status =="}),
        ),
        (
            "0.probe.expression",
            "not true or false",
            call(probe={"url": "https://x.test/", "expression": "'a' + 'b'"}),
        ),
        (
            "0.probe.expression",
            "undeclared reference to 'state'",
            call(probe={"url": "https://x.test/", "expression": "state == 1"}),
        ),
        (
            "0.probe.url",
            "{produkt}",
            call(probe={"url": "https://x.test/{produkt}", "expression": "status == 404"}),
        ),
        ("0.proof.count", "Syntax error", call(proof={"count": "body."})),
        ("0.body.name", "{nam}", call(body={"name": "{nam}"})),
        (
            "0.arguments.where",
            "{bucket}",
            task("c", "command", command="wipe", arguments={"where": "{bucket}"}),
        ),
        (
            "0.undo.proof.count",
            "undeclared",
            call(undo={"kind": "http", "url": "https://x.test/", "proof": {"count": "bdy.n"}}),
        ),
    ],
)
def test_expressions_and_placeholders_of_acts(path: str, words: str, act: dict[str, Any]) -> None:
    says(told(act), "error", path, words)


def test_a_proof_may_be_any_fact() -> None:
    assert (
        told(call(proof={"count": "body.count", "code": "status"}, body={"p": "{product}"})) == []
    )


# -- people ---------------------------------------------------------------------------------------


def test_groups_of_the_sunset_are_in_the_directory() -> None:
    people = read_directory(
        "people: {ada: {}, bo: {}}\ngroups: {leads: {members: [ada, bo]}, empty: {members: []}}",
        "d",
    )
    policy = parse_policy(
        text(
            task("a", by="leads"),
            task("p", "plan", by="lead", tasks=[task("b", "notice", by="empty")]),
            abort_by="aborters",
            legal_hold_by="leads",
        ),
        "p.yaml",
    ).model
    findings = {f.path[1:]: f.message for f in lint_policy(policy, people) if f.path[0] == "sunset"}
    assert findings.keys() == {("tasks", 1, "by"), ("tasks", 1, "tasks", 0, "by"), ("abort_by",)}
    assert "did you mean leads?" in findings["tasks", 1, "by"]
    assert "no members" in findings["tasks", 1, "tasks", 0, "by"]


def test_acts_on_the_task_queue_of_products_are_no_secret_of_others() -> None:
    says(told(EOL, task_queue="phasegate"), "warning", "task_queue", "name a queue of its own")
    assert told(EOL, task_queue="retirement") == told(EOL)
