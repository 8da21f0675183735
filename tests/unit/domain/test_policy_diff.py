"""What two policies ask differently: in meaning, and in words."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import policies
from phasegate.policy import Policy
from phasegate.policy_diff import diff_policies
from phasegate.policy_meaning import same_gate
from phasegate.reading import read_policy

POLICY = """
policy: p
version: "1"
title: P
phases:
  - id: build
    title: Build
    milestones: [{id: done, title: Done}, {id: docs, title: Docs}]
    gate:
      id: launch
      title: Launch
      requires: [{group: product}, {group: eng, need: 2}]
      criteria:
        - {id: complete, text: It is complete, milestone: done}
        - {id: worth, text: It is worth it, kind: should}
  - id: test
    title: Test
    gate: {id: ship, title: Ship, requires: [{group: eng}]}
  - id: market
    title: Market
    in_market: true
    review:
      first: 90 days
      every: 1 year
      gate: {id: plr, title: Review, requires: [{group: product}]}
    gate: {id: retire, title: Retire, opens: submit, requires: [{group: product}]}
sunset:
  tasks:
    - {id: told, title: Notice, kind: notice}
    - {id: keys, title: Keys, kind: manual, at: 30 days}
    - id: down
      title: Down
      kind: gate
      gate: {id: off, title: Off, requires: [{group: eng}]}
"""
BASE = read_policy(POLICY, "base")
SHIPPED = {name: read_policy(policies.text_of(name), name) for name in policies.names()}


def texts(old: str, new: str) -> list[str]:
    """What differs once one piece of the text is another."""
    assert old in POLICY
    found = diff_policies(BASE, read_policy(POLICY.replace(old, new), "new"))
    return [change.text for change in found.changes]


@pytest.mark.parametrize("name", SHIPPED)
def test_a_policy_differs_in_nothing_from_itself_written_out(name: str) -> None:
    full = Policy.model_validate_json(SHIPPED[name].model_dump_json())
    assert diff_policies(SHIPPED[name], full).same
    newer = full.model_copy(update={"version": "99"})
    assert diff_policies(SHIPPED[name], newer).same, "the version alone is no difference"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("title: P\n", "title: Q\n", ["its title: Q, not P"]),
        ("{id: docs, title: Docs}", "{id: docs, title: Papers}",
         ["the title of milestone docs: Papers, not Docs"]),
        (", {id: docs, title: Docs}", "", ["milestone docs of build is gone"]),
        ("{id: docs, title: Docs}", "{id: docs, title: Docs}, {id: new, title: New}",
         ["milestone new of build is new"]),
        ("{id: docs, title: Docs}", "{id: docs, title: Docs, check: {kind: reported, by: eng}}",
         ["milestone docs is met when something else is so: by is eng, not none"]),
        ("{id: docs, title: Docs}",
         "{id: docs, title: Docs, check: {kind: github, repo: a/b, release: v1}}",
         ["milestone docs is met when something else is so: github, not reported"]),
        ("{group: eng, need: 2}", "{group: eng, need: 3}",
         ["votes that gate launch needs of eng: 3, not 2"]),
        ("{group: eng, need: 2}", "{group: eng, need: 2, veto: true}",
         ["a veto of eng at gate launch: yes, not no"]),
        ("{group: eng, need: 2}", "{group: eng, need: 2, step: 2}",
         ["the step in which gate launch asks eng: 2, not 1"]),
        ("{group: eng, need: 2}", "{group: legal, step: 2}",
         ["gate launch no longer asks 2 of eng", "gate launch also asks 1 of legal in step 2"]),
        ("id: launch\n      title: Launch",
         "id: launch\n      title: Launch\n      reviewers: [ux]",
         ["gate launch asks advice of: ux, not none"]),
        ("id: launch\n      title: Launch",
         "id: launch\n      title: Launch\n      clocks: {respond: 3 days}",
         ["gate launch: approvers answer within: 3 days, not 5 business days"]),
        ("{id: complete, text: It is complete, milestone: done}",
         "{id: complete, text: It is all there, milestone: done}",
         ["the text of criterion launch/complete: It is all there, not It is complete"]),
        ("        - {id: worth, text: It is worth it, kind: should}\n", "",
         ["gate launch has no criterion worth any more (should)"]),
        ("{id: worth, text: It is worth it, kind: should}", "{id: safe, text: It is safe}",
         ["gate launch has no criterion worth any more (should)",
          "gate launch has a criterion safe (must): It is safe"]),
        ("every: 1 year", "every: 6 months",
         ["reviews of market come every: 6 months, not 1 year"]),
        ("at: 30 days", "at: 60 days", ["the at of sunset task keys: 60 days, not 30 days"]),
        ("kind: manual, at", "kind: wait, at",
         ["sunset task keys is of another kind: wait, not manual"]),
        ("    - {id: told, title: Notice, kind: notice}\n", "", ["sunset task told is gone"]),
        ("sunset:\n", "sunset:\n  abort_by: board\n", ["the sunset's abort by: board, not none"]),
        ("{id: off, title: Off, requires: [{group: eng}]}",
         "{id: off, title: Off, requires: [{group: ops}]}",
         ["gate off no longer asks 1 of eng", "gate off also asks 1 of ops"]),
        ("title: Test", "title: Test\n    next: market\n    description: Try it",
         ["the description of test: Try it, not none"]),
    ],
)  # fmt: skip
def test_each_difference_is_said_plainly(old: str, new: str, said: list[str]) -> None:
    assert texts(old, new) == said


def test_phases_come_go_move_and_are_renamed() -> None:
    assert "phase test is called check" in texts("id: test", "id: check")
    ship = POLICY[POLICY.index("  - id: test") : POLICY.index("  - id: market")]
    assert texts(ship, "") == [
        "phase test is gone",
        "a Go at the end of build leads to market, not test",
        "gate ship at the end of test is gone",
    ]
    without = read_policy(POLICY.replace(ship, ""), "less")
    assert [c.text for c in diff_policies(without, BASE).changes] == [
        "a Go at the end of build leads to test, not market",
        "phase test is new, after build",
        "gate ship at the end of test is new: it asks 1 of eng",
    ]
    first = POLICY.replace(ship, "").replace("phases:\n", "phases:\n" + ship)
    assert "phase test comes after the start" in [
        c.text for c in diff_policies(BASE, read_policy(first, "f")).changes
    ]
    found = diff_policies(BASE, read_policy(POLICY.replace("id: build", "id: make"), "renamed"))
    assert found.phases == {"build": "make"}
    assert [c.change for c in found.changes] == ["renamed"], "its gate stands where it stood"
    goals = POLICY.replace("id: build", "id: make").replace("id: launch", "id: start")
    assert diff_policies(BASE, read_policy(goals, "g")).phases == {}, "another gate, another phase"
    bare = "policy: b\nversion: '1'\ntitle: B\nphases:\n  - {id: a, title: A, milestones: [MS]}\n"
    ones = [bare.replace("MS", "{id: m, title: M}").replace("id: a,", f"id: {x},") for x in "ab"]
    one, other = (read_policy(text, "bare") for text in ones)
    assert diff_policies(one, other).phases == {"a": "b"}
    milestone = POLICY.replace(", {id: docs, title: Docs}", "").replace(
        "title: Test\n", "title: Test\n    milestones: [{id: docs, title: Docs}]\n"
    )
    assert [c.text for c in diff_policies(BASE, read_policy(milestone, "m")).changes] == [
        "milestone docs belongs to test, not build"
    ]
    swapped = POLICY.replace("id: ship", "id: x").replace("id: launch", "id: ship")
    swapped = swapped.replace("id: x", "id: launch")
    moved = [c.text for c in diff_policies(BASE, read_policy(swapped, "s")).changes]
    assert "gate launch stands at the end of test, not at the end of build" in moved


def test_a_check_that_changes_is_told_as_it_was_and_as_it_is() -> None:
    checked = "{id: docs, title: Docs, check: {kind: reported, by: eng}}"
    new = read_policy(POLICY.replace("{id: docs, title: Docs}", checked), "new")
    (change,) = diff_policies(BASE, new).changes
    assert (change.where, change.field) == ("docs", "check")
    assert [said["by"] for said in (change.old, change.new)] == [None, "eng"]


def test_a_sunset_comes_and_goes_and_its_tasks_change_places() -> None:
    none = read_policy(POLICY[: POLICY.index("sunset:")], "none")
    assert "it plans no sunset any more" in [c.text for c in diff_policies(BASE, none).changes]
    assert "it plans a sunset" in [c.text for c in diff_policies(none, BASE).changes]
    told = "    - {id: told, title: Notice, kind: notice}\n"
    keys = "    - {id: keys, title: Keys, kind: manual, at: 30 days}\n"
    other = read_policy(POLICY.replace(told + keys, keys + told), "other")
    (change,) = diff_policies(BASE, other).changes
    assert change.text.endswith("stands elsewhere in the plan")
    added = read_policy(POLICY.replace(told, told + keys.replace("keys", "dns")), "added")
    (change,) = diff_policies(BASE, added).changes
    assert change.text == "sunset task dns is new: manual, 30 days after the notice"


def test_a_gate_asks_the_same_whatever_its_title_and_the_order_of_what_it_asks() -> None:
    turned = POLICY.replace(
        "[{group: product}, {group: eng, need: 2}]", "[{group: eng, need: 2}, {group: product}]"
    ).replace("title: Launch", "title: Start")
    assert same_gate(BASE, read_policy(turned, "turned"), "launch")
    checked = POLICY.replace("title: Done}", "title: Done, check: {kind: reported, by: eng}}")
    assert not same_gate(BASE, read_policy(checked, "checked"), "launch"), "its criterion names it"
    assert same_gate(BASE, read_policy(checked, "checked"), "ship")
    assert not same_gate(BASE, BASE, "nowhere")


@settings(deadline=None, max_examples=20)
@given(st.data())
def test_only_the_same_is_no_difference_and_both_ways_tell_of_the_same(data: st.DataObject) -> None:
    one, other = (SHIPPED[data.draw(st.sampled_from(sorted(SHIPPED)))] for _ in "ab")
    there, back = diff_policies(one, other), diff_policies(other, one)
    assert there.same == back.same == (one == other)
    turned: dict[Any, Any] = {"added": "removed", "removed": "added"}
    ids = {"phase", "milestone", "gate", "sunset"}
    said = {(turned.get(c.change), c.what, c.where) for c in there.changes if c.what in ids}
    heard = {(c.change, c.what, c.where) for c in back.changes if c.what in ids}
    assert {s for s in said if s[0]} == {h for h in heard if h[0] in turned}
