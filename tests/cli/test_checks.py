"""Checks of milestones on the command line: what lint and a rehearsed start say of them."""

from __future__ import annotations

from tests.cli.shell import DIRECTORY, POLICY, Shell

CHECK = 'check: {kind: github, repo: "acme/{repo}", issues: "{FIRST}", at_most: 2}'


def written(shell: Shell, issues: str, product: str = "") -> tuple[str, ...]:
    check = CHECK.replace("{FIRST}", issues)
    policy = POLICY.replace("{id: done, title: Done}", f"{{id: done, title: Done, {check}}}")
    shell.write("policy.yaml", policy)
    shell.write("people.yaml", DIRECTORY)
    shell.write("kettle.yaml", f"key: kettle\nname: Kettle\nowner: olga\n{product}")
    options = ("--policy", "policy.yaml", "--directory", "people.yaml", "--dry-run")
    return ("product", "start", "kettle.yaml", *options)


def test_a_value_that_is_missing_stops_a_rehearsed_start(shell: Shell) -> None:
    start = written(shell, "is:open", "figures: {rep: kettle}\n")
    assert shell("policy", "lint", "policy.yaml").code == 0
    refused = shell(*start)
    assert refused.code == 2
    assert "kettle.yaml:4:10: figures: milestone done of policy tiny could not be asked: " in (
        refused.out + refused.err
    )
    assert "there is no figure repo; did you mean rep?" in refused.out + refused.err
    assert shell(*written(shell, "is:open", "figures: {repo: kettle}\n")).code == 0
    refused = shell(*written(shell, "is:open", "figures: {repo: a/kettle}\n"))
    assert refused.code == 2
    assert "kettle.yaml:4:17: figures.repo: " in refused.out + refused.err


def test_a_placeholder_outside_of_quotes_is_an_error_of_the_policy(shell: Shell) -> None:
    written(shell, "label:{label}")
    found = shell("policy", "lint", "policy.yaml")
    assert found.code == 2
    assert "policy.yaml:7:" in found.out
    assert 'needs {label} within double quotes: "{label}"' in found.out
