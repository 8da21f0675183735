"""Lint of milestone checks: what they ask of a tracker, of a product's figures, of an extension."""

from __future__ import annotations

from pathlib import Path

import pytest

from client.documents import check_policy, check_start
from phasegate.lint import lint_policy, lint_product
from phasegate.problems import DocumentError, Problem
from phasegate.reading import Parsed, parse_directory, parse_policy, parse_product

POLICY = """\
policy: p
version: "1"
title: P
phases:
  - id: build
    title: Build
    milestones:
      - id: done
        title: Done
        check: {CHECK}
    gate: {id: launch, title: Launch, requires: [{group: leads}]}
"""
PEOPLE = "people: {olga: {}, ana: {}, bo: {}}\ngroups: {leads: {members: [ana, bo]}}\n"


def policy_of(check: str) -> Parsed:  # type: ignore[type-arg]
    return parse_policy(POLICY.replace("CHECK", check), "p.yaml")


def linted(check: str) -> list[str]:
    parsed = policy_of(check)
    found = lint_policy(parsed.model)
    return [f"{f.severity}: {parsed.problem(f.path, f.message)}" for f in found]


def of_product(check: str, rest: str) -> list[str]:
    parsed = parse_product(f"key: kettle\nname: K\nowner: olga\n{rest}", "k.yaml")
    found = lint_product(parsed.model, policy_of(check).model)
    return [str(parsed.problem(f.path, f.message)) for f in found if f.severity == "error"]


REPO = 'kind: github, repo: "{repo}", milestone: "1"'


def test_a_policy_with_placeholders_is_right_by_itself() -> None:
    assert linted(REPO) == []
    assert linted('kind: jira, jql: "project = \\"{p}\\""') == []


def test_braces_that_name_no_figure_are_doubtful() -> None:
    (found,) = linted('kind: github, repo: a/b, milestone: "{Repo}"')
    assert found.startswith("warning: p.yaml:10:53: phases.0.milestones.0.check.milestone: {Repo}")
    (found,) = linted('kind: custom, name: x, options: {a: ["{x-y}"]}')
    assert "check.options: {x-y} is no placeholder" in found


@pytest.mark.parametrize(
    ("check", "said"),
    [
        ("kind: github, repo: acme, milestone: '1'", "p.yaml:10:37: "),
        ("kind: github, repo: a/b, release: ../x", "error: p.yaml:10:16: "),
        ("kind: github, repo: a/b, issues: 'label:{x}'", "needs {x} within double quotes"),
        ("kind: github, repo: a/b, issues: 'repo:a/c is:open'", "p.yaml:10:16: "),
        ("kind: http, connection: ci, path: /../x, expression: body.ok", "has a dot segment"),
        ("kind: http, connection: ci, path: /x, expression: body.ok ==", "Syntax error"),
        ("kind: event, source: ci, type: built, when: event.id ==", "check.when: "),
        ("kind: http, connection: '{c}', path: /x, expression: body.ok", "check.connection"),
    ],
)
def test_what_cannot_be_asked_is_an_error_with_its_place(check: str, said: str) -> None:
    try:
        found = linted(check)
    except DocumentError as error:
        found = [str(problem) for problem in error.problems]
    assert len(found) == 1
    assert said in found[0]


def test_a_product_without_the_value_is_told_so() -> None:
    (found,) = of_product(REPO, "figures: {rep: acme/kettle}\n")
    assert found == (
        "k.yaml:4:10: figures: milestone done of policy p could not be asked: repo asks for {repo},"
        " and there is no figure repo; did you mean rep?"
    )
    (found,) = of_product(REPO, "")
    assert found.startswith("k.yaml:1:1: figures: ")
    assert of_product(REPO, "figures: {repo: acme/kettle}\n") == []


def test_a_value_that_does_not_fit_is_found_where_it_is_written() -> None:
    (found,) = of_product(REPO, "figures:\n  repo: acme\n")
    assert found.startswith("k.yaml:5:9: figures.repo: milestone done of policy p could not be")
    assert found.endswith("repo would be 'acme', and needs OWNER/NAME")
    (found,) = of_product('kind: github, repo: "{product}", milestone: "1"', "")
    assert found.startswith("k.yaml:1:6: key: ")


def test_a_products_own_check_is_held_to_the_same() -> None:
    own = f"milestones:\n  - {{id: own, phase: build, check: {{{REPO}}}}}\n"
    (found,) = of_product("kind: reported", own)
    assert found.startswith("k.yaml:5:57: milestones.0.check.repo: milestone own could not be")
    assert of_product("kind: reported", own + "figures: {repo: a/b}\n") == []


def test_an_extension_that_is_not_installed_here_is_a_hint_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = parse_directory(PEOPLE, "d.yaml")
    policy = policy_of("kind: custom, name: tickets")
    own = "milestones:\n  - {id: own, phase: build, check: {kind: custom, name: ticket}}\n"
    product = parse_product(f"key: kettle\nname: K\nowner: olga\n{own}", "k.yaml")
    (found,) = check_policy(policy)
    assert found[0].severity == "warning"
    assert str(found[1]).startswith("p.yaml:10:37: phases.0.milestones.0.check.name: no extension")
    warned = check_start(product, policy, people)  # and nothing stops the start
    assert [said(problem) for problem in warned] == ["k.yaml:5", "p.yaml:10"]
    info = tmp_path / "acme-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[phasegate.checks]\ntickets = acme:closed\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert check_policy(policy) == []
    (hint,) = check_start(product, policy, people)
    assert "did you mean tickets?" in hint.message


def said(problem: Problem) -> str:
    return f"{problem.source}:{problem.line}"
