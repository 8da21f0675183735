"""A committee at work from shells: stand-ins, attestations, work, more time, overrides."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.cli.shell import ROOT, Result, Shell

TODAY = datetime.now(UTC).date()

POLICY = """\
policy: committee
version: "1"
title: A committee
phases:
  - id: build
    title: Build
    gate:
      id: launch
      title: Launch
      opens: submit
      requires: [{group: product}, {group: eng, need: 2}]
      threshold: 60
      criteria:
        - {id: pen-test, text: Tested from outside, kind: should, attested_by: security}
        - {id: ease, text: Easy to use, kind: should}
      clocks: {respond: 3 days, resolve: 9 days}
  - id: market
    title: Market
    in_market: true
    gate: {id: retire, title: Retire, opens: submit, requires: [{group: product}]}
"""
DIRECTORY = f"""\
directory: committee
people:
  olga: {{}}
  ana: {{manager: vera}}
  bo: {{manager: vera}}
  cy: {{}}
  dan: {{}}
  eve: {{absences: [{{start: {TODAY - timedelta(2)}, end: {TODAY + timedelta(2)}, delegate: fay}}]}}
  fay: {{absences: [{{start: {TODAY - timedelta(2)}, end: {TODAY + timedelta(2)}, delegate: gus}}]}}
  gus: {{}}
  sam: {{}}
  vera: {{}}
groups:
  product: {{members: [ana]}}
  eng: {{members: [bo, cy, dan, eve]}}
  security: {{members: [sam]}}
  board:
    members: [vera]
    permissions: {{override: [1, 2, 3], extend: [1, 2, 3], waive: [1, 2, 3]}}
"""


def start(served: Shell, key: str, tier: int = 2) -> None:
    """A product at its gate, and a round that knows who votes."""
    served.write("committee.yaml", POLICY)
    served.write("committee-people.yaml", DIRECTORY)
    product = served.write(f"{key}.yaml", f"key: {key}\nname: {key}\nowner: olga\ntier: {tier}\n")
    options = ("--policy", "committee.yaml", "--directory", "committee-people.yaml")
    started = served("product", "start", product, *options)
    assert started.code == 0, started.err
    served.until(lambda: served("gate", "submit", key, "--as", "olga").code == 0)
    served.until(lambda: bool(shown(served, key).get("pending")))


def shown(served: Shell, key: str) -> dict[str, Any]:
    result = served("gate", "show", f"{key}/launch", "-o", "json")
    return dict(result.json) if result.code == 0 else {}


def taken(result: Result) -> Any:
    assert result.code == 0, result.err
    return result.json if result.out.startswith("{") else result.out


def test_votes_for_others_are_shown_as_such(served: Shell) -> None:
    start(served, "for-others")
    gate = "for-others/launch"
    stranger = served("gate", "vote", gate, "go", "--as", "gus", "--for", "cy", "-o", "json")
    assert (stranger.code, stranger.error["code"]) == (4, "no-mandate")
    # eve is away, and so is her delegate: his acts for her.
    said = served("gate", "vote", gate, "go", "--as", "gus", "--for", "eve", "-o", "json")
    assert taken(said)["on_behalf_of"] == "eve"
    until = str(TODAY + timedelta(5))
    named = served("gate", "delegate", gate, "vera", "--as", "dan", "--until", until, "-o", "json")
    assert (taken(named)["approver"], named.json["to"]) == ("dan", "vera")
    unnamed = served("gate", "vote", gate, "hold", "--as", "vera", "--score", "ease=7")
    assert "vera's hold for dan counts" in taken(unnamed)
    view = shown(served, "for-others")
    assert [(v["approver"], v["on_behalf_of"], v["scores"]) for v in view["votes"]] == [
        ("gus", "eve", {}), ("vera", "dan", {"ease": 7}),
    ]  # fmt: skip
    assert [(d["approver"], d["to"], d["end"]) for d in view["delegations"]] == [
        ("dan", "vera", f"{until}T23:59:59Z")
    ]
    page = served("gate", "show", gate).out
    assert "Delegations:" in page
    assert any(line.split()[:3] == ["gus", "eve", "go"] for line in page.splitlines())
    back = served("gate", "withdraw", gate, "--as", "dan", "--reason", "I am here", "-o", "json")
    assert "withdraws their hold" in taken(back)["text"]
    assert [v["state"] for v in shown(served, "for-others")["votes"]] == ["standing", "withdrawn"]
    ended = served("gate", "delegate", gate, "--take-back", "--as", "dan", "-o", "json")
    assert "vera acts no longer for dan" in taken(ended)["text"]
    again = served("gate", "vote", gate, "go", "--as", "vera", "--for", "dan", "-o", "json")
    assert (again.code, again.error["code"]) == (4, "no-mandate")
    nothing = served("gate", "withdraw", gate, "--as", "cy", "-o", "json")
    assert (nothing.code, nothing.error["code"]) == (1, "no-vote")


def test_seats_are_given_by_who_may(served: Shell) -> None:
    start(served, "seats")
    give = ("gate", "reassign", "seats", "bo", "sam", "--reason", "left us", "-o", "json", "--as")
    assert served(*give, "cy").error["code"] == "not-permitted"
    assert (taken(served(*give, "vera"))["approver"], served(*give, "vera").code) == ("bo", 1)
    view = shown(served, "seats")
    assert [(d["to"], d["reassigned"]) for d in view["delegations"]] == [("sam", True)]
    assert {p["approver"] for p in view["pending"]} == {"ana", "cy", "dan", "eve", "sam"}
    assert served("gate", "vote", "seats", "go", "--as", "sam").code == 0
    unknown = served("gate", "delegate", "seats", "nobody", "--as", "cy", "-o", "json")
    assert (unknown.code, unknown.error["code"]) == (1, "unknown-person")


def test_attestations_count_in_the_score(served: Shell) -> None:
    start(served, "attested")
    said = ("gate", "attest", "attested", "pen-test", "met", "--note", "report 77", "-o", "json")
    assert served(*said, "--as", "bo").error["code"] == "not-attester"
    assert taken(served(*said, "--score", "8", "--as", "sam"))["criterion"] == "pen-test"
    (criterion, _) = shown(served, "attested")["criteria"]
    assert (criterion["state"], criterion["score"]) == ("met", 8)
    page = served("gate", "show", "attested").out
    assert "(needs 60 %)" in page
    other = ("gate", "attest", "attested", "ease", "met", "--note", "x", "--as", "sam")
    assert served(*other).code == 1


def test_who_names_no_evidence_is_told_what_they_spoke_about(served: Shell) -> None:
    start(served, "spoken")
    revision = shown(served, "spoken")["revision"]
    vote = served("gate", "vote", "spoken", "go", "--as", "bo", "-o", "json")
    assert (taken(vote)["revision"], vote.err) == (revision, f"on evidence {revision}\n")
    attest = ("gate", "attest", "spoken", "pen-test", "met", "--note", "n", "--as", "sam")
    assert served(*attest).err == f"on evidence {revision}\n"
    named = served(*attest, "--revision", revision)
    assert (named.code, named.err) == (0, "")
    stale = served(*attest, "--revision", "r0", "-o", "json")
    assert (stale.code, stale.error["code"]) == (1, "stale-revision")
    missing = served("gate", "vote", "spoken/no-such", "go", "--as", "bo", "-o", "json")
    assert (missing.code, "on evidence" in missing.err) == (1, False)


def test_work_stops_the_gate_until_the_owner_submits(served: Shell) -> None:
    start(served, "owed")
    ask = ("gate", "needs-work", "owed", "--what", "no load test", "-o", "json", "--as")
    assert served(*ask, "sam").code == 4
    assert taken(served(*ask, "bo"))["status"] == "waiting-on-owner"
    served.until(lambda: bool(served.inbox("olga", "owed")))
    (row,) = served.inbox("olga", "owed")
    assert (row["group"], row["overdue"]) == ("owner", False)
    hint = served("inbox", "--as", "olga").err
    assert "phasegate gate submit owed/launch --as olga" in hint
    assert served.inbox("bo", "owed") == []
    page = served("gate", "show", "owed").out
    assert page.startswith("WORK ASKED  no load test (by bo")
    for due in re.findall(r"^re(?:spond|solve) by .*$", page, re.MULTILINE):
        assert re.search(r" UTC \(clocks stand still since \S+ \S+ UTC\)$", due)
    assert page.count("clocks stand still") == 2
    assert served("gate", "submit", "owed", "--as", "bo").code == 4
    submitted = served("gate", "submit", "owed", "--as", "olga", "--reason", "done", "-o", "json")
    assert taken(submitted)["workflow_id"] == "product/owed/gate/launch"
    assert shown(served, "owed")["work"] is None
    assert "stand still" not in served("gate", "show", "owed").out
    served.until(lambda: bool(served.inbox("bo", "owed")))


def test_more_time(served: Shell) -> None:
    start(served, "time")
    more = ("gate", "extend", "time", "--reason", "auditors are late", "-o", "json")
    day = str(TODAY + timedelta(30))
    assert served(*more, "--until", day, "--as", "bo").code == 4
    taken(served(*more, "--until", day, "--respond", "20 days", "--as", "vera"))
    view = shown(served, "time")
    assert view["resolve_due"] == f"{day}T23:59:59Z"
    respond = datetime.fromisoformat(view["respond_due"]) - datetime.now(UTC)
    assert timedelta(19) < respond < timedelta(20)
    past = served(*more, "--until", "2026-01-01", "--as", "vera")
    assert (past.code, past.error["code"]) == (1, "in-the-past")


def test_an_override_is_loud(served: Shell) -> None:
    start(served, "loud")
    say = ("gate", "override", "loud", "go", "--reason", "the contract ends", "-o", "json", "--as")
    unasked = served(*say, "vera")
    assert unasked.code == 2
    assert "--reason 'the contract ends' --yes" in unasked.error["hint"]
    assert served(*say, "bo", "--yes").error["code"] == "not-permitted"
    assert served(*say, "olga", "--yes").error["code"] == "self-approval"
    assert taken(served(*say, "vera", "--yes"))["outcome"] == "go"
    served.until(lambda: served("product", "show", "loud", "-o", "json").json["phase"] == "market")
    view = shown(served, "loud")
    assert (view["outcome"], view["override"]["actor"]) == ("go", "vera")
    page = served("gate", "show", "loud/launch").out
    assert page.startswith("OVERRIDDEN  go by vera, in the place of the approvers")
    assert "the contract ends" in page


def test_a_gate_that_stopped_its_product_is_overridden_by_the_product(served: Shell) -> None:
    start(served, "stopped")
    for who in ("ana", "bo", "cy", "dan"):
        assert served("gate", "vote", "stopped", "recycle", "--as", who).code == 0
    assert served("gate", "vote", "stopped", "recycle", "--as", "gus").code == 0
    served.until(lambda: shown(served, "stopped")["outcome"] == "recycle")
    say = ("gate", "override", "stopped/launch", "go", "--reason", "it is small", "--yes")
    served.until(lambda: served(*say, "--as", "vera").code == 0)
    served.until(
        lambda: served("product", "show", "stopped", "-o", "json").json["phase"] == "market"
    )
    served.until(lambda: shown(served, "stopped")["outcome"] == "go")
    view = shown(served, "stopped")
    assert view["override"]["actor"] == "vera"
    assert view["override"]["votes_said"].startswith("recycle")
    assert served("gate", "show", "stopped/launch").out.startswith("OVERRIDDEN  go by vera")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["extend", "x1", "--until", "5 business days", "--reason", "r"], "business days need"),
        (["extend", "x1", "--until", "soon", "--reason", "r"], "needs a day as 2027-03-01"),
        (["extend", "x1", "--until", "2027-02-30", "--reason", "r"], "--until '2027-02-30'"),
        (["extend", "x1", "--until=-2 days", "--reason", "r"], "not ahead of now"),
        (["extend", "x1", "--until", "2 days", "--respond", "3 days", "--reason", "r"], "after"),
        (["delegate", "x1", "bo"], "nobody delegates to themselves"),
        (["delegate", "x1"], "--take-back"),
        (["delegate", "x1", "cy", "--take-back"], "one of the two"),
        (["delegate", "x1", "cy", "--from", "2027-03-02", "--until", "2027-03-01"], "before"),
        (["reassign", "x1", "cy", "cy", "--reason", "r"], "has the seat already"),
        (["reassign", "x1", "C Y", "dan", "--reason", "r"], "FROM 'C Y'"),
        (["attest", "x1", "pen-test", "met", "--note", "n", "--score", "11"], "--score"),
        (["vote", "x1", "go", "--score", "ease=11"], "from 0 to 10"),
        (["vote", "x1", "go", "--score", "ease"], "needs NAME=VALUE"),
        (["vote", "x1"], "one of go"),
        (["vote", "--all", "maybe"], "maybe is no vote"),
        (["vote", "--all", "x1", "go"], "do not go together"),
        (["vote", "--all", "go", "--wait"], "--wait names one gate"),
        (["vote", "x1", "go", "--dry-run"], "--dry-run goes with --all"),
    ],
)
def test_what_cannot_be_meant_is_code_2(shell: Shell, words: list[str], said: str) -> None:
    result = shell("gate", *words, "--as", "bo")
    assert result.code == 2, result.err
    assert said in result.err
    assert "hint: " in result.err


def test_the_inbox_names_for_whom(served: Shell) -> None:
    start(served, "desk")
    served.until(lambda: bool(served.inbox("gus", "desk")))
    (row,) = served.inbox("gus", "desk")
    assert (row["on_behalf_of"], row["group"]) == ("eve", "eng")
    assert served.inbox("fay", "desk") == []
    assert len(served.inbox("eve", "desk")) == 1
    assert served("gate", "delegate", "desk", "gus", "--as", "cy").code == 0
    served.until(lambda: len(served.inbox("gus", "desk")) == 2)
    assert {row["on_behalf_of"] for row in served.inbox("gus", "desk")} == {"eve", "cy"}
    assert served("gate", "vote", "desk", "go", "--as", "cy").code == 0
    served.until(lambda: len(served.inbox("gus", "desk")) == 1)
    hint = served("inbox", "--as", "gus").err
    assert "--for eve --revision r" in hint


def test_one_word_on_many_gates(served: Shell) -> None:
    for key, tier in (("many-a", 1), ("many-b", 3), ("many-c", 3)):
        start(served, key, tier)
        served.until(lambda key=key: bool(served.inbox("dan", key)))
    bulk = ("gate", "vote", "--all", "--product-filter")
    mine = "product.key.startsWith('many-') && gate == 'launch' && phase == 'build'"
    planned = served(*bulk, mine, "go", "--as", "dan", "--dry-run", "-o", "json")
    assert {row["product"] for row in taken_list(planned)} == {"many-a", "many-b", "many-c"}
    assert "nothing was done" in planned.err
    asked = served(*bulk, mine, "go", "--as", "dan")
    assert asked.code == 2
    assert "Would vote:" in asked.err
    assert "--yes" in asked.err
    small = "product.tier == 3 && product.key.startsWith('many-')"
    done = served(
        *bulk, small, "go", "--as", "dan", "--yes", "--comment", "all small", "-o", "json"
    )
    assert done.code == 0, done.err
    assert [(r["product"], r["taken"], r["vote"]) for r in done.json] == [
        ("many-b", True, "go"), ("many-c", True, "go"),
    ]  # fmt: skip
    assert all(r["revision"] == shown(served, r["product"])["revision"] for r in done.json)
    for key in ("many-b", "many-c"):
        served.until(lambda key=key: not served.inbox("dan", key))
    again = served(*bulk, small, "go", "--as", "dan", "--yes", "-o", "json")
    assert (again.code, again.json) == (0, [])
    for_eve = served(*bulk, small, "hold", "--as", "gus", "--for", "eve", "--yes", "-o", "json")
    assert [r["on_behalf_of"] for r in taken_list(for_eve)] == ["eve", "eve"]
    conditional = served(*bulk, small, "conditional-go", "--as", "ana", "--yes")
    assert "at least one condition" in conditional.err
    for expression, said in (
        ("product.tier = 3", "line 1, column 14"),
        ("product.tier + 1", "not true or false"),
        ("owner == 'olga'", "undeclared reference to 'owner'"),
        ("product.teir == 3", "there is no teir"),
    ):
        refused = served(*bulk, expression, "go", "--as", "ana", "--yes")
        assert (refused.code, said in refused.err) == (2, True), refused.err


def taken_list(result: Result) -> list[dict[str, Any]]:
    assert result.code == 0, result.err
    return list(result.json)


def test_a_new_directory_reaches_open_gates(served: Shell) -> None:
    start(served, "news")
    served.until(lambda: bool(served.inbox("bo", "news")))
    newer = DIRECTORY.replace("[bo, cy, dan, eve]", "[bo, cy, dan, eve, sam]")
    file = served.write("newer-people.yaml", newer)
    published = taken(served("directory", "publish", file, "--as", "vera", "-o", "json"))
    assert published["notified"] is True
    assert published["gates_heard"] >= 1
    assert published["gates_silent"] == []
    served.until(lambda: "sam" in {p["approver"] for p in shown(served, "news")["pending"]})
    again = taken(served("directory", "publish", file, "--as", "vera", "-o", "json"))
    assert (again["changed"], again["gates_heard"] >= 1) == (False, True)
    people = served.write("committee-people.yaml", DIRECTORY)
    assert served("directory", "publish", people, "--as", "vera").code == 0


def test_what_changes_before_the_answer_is_not_voted_on(served: Shell) -> None:
    start(served, "asked")
    served.until(lambda: bool(served.inbox("bo", "asked")))
    old = shown(served, "asked")["revision"]
    bulk = ("gate", "vote", "--all", "--product-filter", "product.key == 'asked'", "go")
    screen, keyboard = pty.openpty()
    voting = subprocess.Popen(
        [sys.executable, "-m", "cli", *bulk, "--as", "bo", "-o", "json"],
        cwd=served.folder,
        env=served.env(PYTHONPATH=str(ROOT)),
        stdin=keyboard,
        stderr=keyboard,
        stdout=subprocess.PIPE,
    )
    os.close(keyboard)
    said = b""
    while b"[y/N]" not in said:
        said += os.read(screen, 1000)  # it may end within a letter
    assert b"asked/launch" in said
    attached = served("product", "evidence", "asked", "--title", "News", "--as", "olga")
    assert attached.code == 0, attached.err
    served.until(lambda: shown(served, "asked")["revision"] != old)
    os.write(screen, b"y\n")
    out, _ = voting.communicate(timeout=90)
    os.close(screen)
    (result,) = json.loads(out)
    assert (voting.returncode, result["taken"], result["code"]) == (1, False, "stale-revision")
    assert shown(served, "asked")["votes"] == []
