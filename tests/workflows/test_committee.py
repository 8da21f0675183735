"""Gates on a real server as committees hold them: absences, evidence in mid-gate, authority."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from stage import Stage

from client import directories
from client.asking import new_request_id
from client.inbox import inbox
from phasegate.reading import read_directory
from phasegate.views import GateView

DIRECTORY = """
directory: %(name)s
people:
  olga: {manager: max}
  ana: {manager: max, deputy: dan}
  bo: {manager: ana, country: DE, time_zone: Europe/Berlin}
  cy: {manager: ana, absences: [{start: 2020-01-01, end: 2099-12-31, delegate: eva}]}
  dan: {}
  eva: {}
  lea: {}
  max: {manager: zoe}
  zoe: {}
groups:
  product: {members: [ana, olga]}
  eng: {members: [bo, cy]}
  legal: {members: [lea]}
  board: {members: [zoe], permissions: {override: [1, 2], extend: [1, 2], reassign: [1, 2]}}
"""

POLICY = """
policy: %s
version: "1"
title: Committee
phases:
  - id: build
    title: Build
    gate:
      id: launch
      title: Launch
      opens: submit
      requires: [{group: product}, {group: eng, need: 2}]
      reviewers: [legal]
      criteria: %s
      clocks: %s
  - {id: market, title: Market}
"""


async def opened(stage: Stage, *, criteria: str = "[]", clocks: str = "{}", **more: str) -> None:
    directory = DIRECTORY % {"name": stage.key}
    for old, new in more.items():
        assert old in directory
        directory = directory.replace(old, new)
    await stage.start(POLICY % (stage.key, criteria, clocks), directory)
    await stage.becomes(phase="build")
    await stage.submit()
    await stage.gate_opens("launch")


@pytest.fixture
async def launch(stage: Stage) -> Stage:
    await opened(stage)
    return stage


async def seen(stage: Stage, type: str) -> bool | None:
    return True if type in stage.story() else None


async def test_a_vote_taken_back_is_waited_for_again(launch: Stage) -> None:
    await launch.vote("launch", "bo", "go")
    await launch.chair("launch", "withdraw", "bo", reason="too early")
    view = await launch.gate("launch")
    assert [(v.vote, v.state, v.why) for v in view.votes] == [("go", "withdrawn", "too early")]
    assert "bo" in {p.approver for p in view.pending}
    assert await launch.refused(launch.chair("launch", "withdraw", "bo")) == "no-vote"
    assert await launch.refused(launch.chair("launch", "withdraw", "eve")) == "no-vote"


async def test_who_is_away_is_acted_for_and_nobody_counts_twice(launch: Stage) -> None:
    view = await launch.gate("launch")
    assert {p.approver: p.acting for p in view.pending} == {"ana": [], "bo": [], "cy": ["eva"]}
    await launch.vote("launch", "eva", "go")
    view = await launch.gate("launch")
    assert [(v.approver, v.on_behalf_of, v.vote) for v in view.votes] == [("eva", "cy", "go")]
    await launch.chair("launch", "delegate", "bo", to="eva")
    double = launch.vote("launch", "eva", "go", on_behalf_of="bo")
    assert await launch.refused(double) == "double-vote"
    await launch.vote("launch", "cy", "abstain")
    view = await launch.gate("launch")
    assert [(v.approver, v.state) for v in view.votes] == [("eva", "changed"), ("cy", "standing")]
    again = launch.vote("launch", "eva", "go", on_behalf_of="cy")
    assert await launch.refused(again) == "voted-already"


async def test_delegation_by_command_is_checked_like_a_vote(launch: Stage) -> None:
    refused = launch.refused
    assert await refused(launch.chair("launch", "delegate", "bo", to="nobody")) == "unknown-person"
    assert await refused(launch.chair("launch", "delegate", "bo", to="olga")) == "self-approval"
    assert await refused(launch.chair("launch", "delegate", "eve", to="dan")) == "stranger"
    await launch.chair("launch", "delegate", "bo", to="ana")
    assert await refused(launch.chair("launch", "delegate", "ana", to="bo")) == "delegation-circle"
    await launch.chair("launch", "delegate", "ana", to="dan")
    await launch.vote("launch", "dan", "go", on_behalf_of="bo")
    view = await launch.gate("launch")
    assert [(v.approver, v.on_behalf_of) for v in view.votes] == [("dan", "bo")]
    assert {(d.approver, d.to) for d in view.delegations} == {("bo", "ana"), ("ana", "dan")}
    assert {r.actor for r in view.refused} == {"bo", "eve"}


async def test_new_evidence_voids_the_yes_and_lets_the_no_stand(launch: Stage) -> None:
    old = (await launch.gate("launch")).revision
    await launch.votes("launch", "go", "ana")
    await launch.votes("launch", "kill", "bo")
    await launch.evidence("Beta report")

    async def changed() -> GateView | None:
        view = await launch.gate("launch")
        return view if view.revision != old else None

    view = await launch.until(changed, "the evidence reaches the round")
    assert [(v.approver, v.state, v.revision == old) for v in view.votes] == [
        ("ana", "voided", True),
        ("bo", "standing", True),
    ]
    assert "ana" in {p.approver for p in view.pending}
    stale = launch.vote("launch", "ana", "go", revision=old)
    assert await launch.refused(stale) == "stale-revision"
    await launch.vote("launch", "ana", "go", revision=view.revision)
    await launch.until(lambda: seen(launch, "gate.changed"), "those voters are told")


async def test_seats_are_given_away_by_managers_only(launch: Stage) -> None:
    give = {"approver": "bo", "to": "dan", "reason": "bo is ill"}
    assert (
        await launch.refused(launch.chair("launch", "reassign", "lea", **give)) == "not-permitted"
    )
    assert (
        await launch.refused(launch.chair("launch", "reassign", "olga", **give)) == "self-approval"
    )
    await launch.chair("launch", "reassign", "ana", **give)
    assert await launch.refused(launch.vote("launch", "bo", "go")) == "stranger"
    await launch.vote("launch", "dan", "go")
    back = {"approver": "dan", "to": "bo", "reason": "bo is back"}
    assert await launch.refused(launch.chair("launch", "reassign", "zoe", **back)) == "has-voted"


async def test_reviewers_advise_and_count_for_nothing(launch: Stage) -> None:
    receipt = await launch.vote("launch", "lea", "kill", comment="the licence!")
    assert "advice" in receipt.text
    await launch.votes("launch", "go", "ana", "bo", "eva")
    view = await launch.becomes(phase="market")
    assert view.gates[0].outcome == "go"


async def test_attested_criteria_hold_the_gate(stage: Stage) -> None:
    await opened(stage, criteria="[{id: terms, text: Terms are fine, attested_by: legal}]")
    await stage.votes("launch", "go", "ana", "bo", "eva")
    view = await stage.gate("launch")
    assert (view.outcome, view.criteria[0].why) == (None, "to be attested by legal")
    (row,) = await _waits_for(stage, "lea")
    assert row.group == "attests terms"
    said = {"criterion": "terms", "state": "met", "note": "read them"}
    assert await stage.refused(stage.chair("launch", "attest", "bo", **said)) == "not-attester"
    await stage.chair("launch", "attest", "lea", **said)
    await stage.becomes(phase="market")


async def test_clocks_stand_still_while_the_owner_owes_work(stage: Stage) -> None:
    await opened(stage, clocks="{respond: PT7S, resolve: PT8S, remind: [], on_timeout: kill}")
    await stage.chair("launch", "needs_work", "bo", what="where are the load tests?")
    view = await stage.gate("launch")
    assert (view.status, view.work and view.work.actor) == ("waiting-on-owner", "bo")
    assert [row.group for row in await _waits_for(stage, "olga")] == ["owner"]
    await asyncio.sleep(9)  # the round would be over by then
    assert (await stage.gate("launch")).status == "waiting-on-owner"
    assert await stage.refused(stage.chair("launch", "submit", "ana")) == "not-owner"
    await stage.chair("launch", "submit", "olga")
    view = await stage.becomes(status="killed")
    assert view.gates[0].outcome == "kill"


async def _waits_for(stage: Stage, who: str) -> list[object]:
    async def waits() -> list[object] | None:
        rows = [row for row in await inbox(stage.engine, who) if row.product == stage.key]
        return list(rows) or None

    return await stage.until(waits, f"{stage.key} waits for {who}")


async def test_deputies_then_managers_act_for_the_silent(stage: Stage) -> None:
    await opened(stage, clocks="{respond: PT8S, resolve: PT1H, remind: [], escalate: PT2S}")

    async def acts(who: str) -> bool | None:
        view = await stage.gate("launch")
        return True if any(p.approver == "ana" and who in p.acting for p in view.pending) else None

    assert await stage.refused(stage.vote("launch", "dan", "go")) == "stranger"
    await stage.until(lambda: acts("dan"), "the deputy may act")
    await stage.until(lambda: acts("max"), "the manager may act")
    await stage.written()
    assert {"gate.overdue", "gate.escalated"} <= set(stage.story())
    await stage.vote("launch", "max", "go", on_behalf_of="ana")
    view = await stage.gate("launch")
    assert [(v.approver, v.on_behalf_of) for v in view.votes] == [("max", "ana")]


async def test_an_override_is_permitted_by_name_and_loud(launch: Stage) -> None:
    wish = {"outcome": "go", "reason": "the contract says so"}
    assert (
        await launch.refused(launch.chair("launch", "override", "max", **wish)) == "not-permitted"
    )
    assert (
        await launch.refused(launch.chair("launch", "override", "olga", **wish)) == "self-approval"
    )
    await launch.vote("launch", "bo", "recycle")
    await launch.chair("launch", "override", "zoe", **wish)
    await launch.becomes(phase="market")
    view = await launch.gate("launch")
    assert view.override is not None
    assert (view.override.actor, view.outcome) == ("zoe", "go")
    assert view.why == "overridden by zoe: the contract says so"
    await launch.until(lambda: seen(launch, "gate.overridden"), "it stands in the ledger")


async def test_more_time_is_given_by_who_may(launch: Stage) -> None:
    until = {"resolve": "2031-01-01", "respond": "2030-12-01", "reason": "the fair"}
    assert await launch.refused(launch.chair("launch", "extend", "ana", **until)) == "not-permitted"
    await launch.chair("launch", "extend", "zoe", **until)
    view = await launch.gate("launch")
    assert view.resolve_due
    assert view.respond_due
    assert (view.resolve_due.year, view.respond_due.month) == (2031, 12)
    past = {"resolve": "2020-01-01", "reason": "oops"}
    assert await launch.refused(launch.chair("launch", "extend", "zoe", **past)) == "in-the-past"


async def test_a_new_directory_reaches_an_open_gate(launch: Stage) -> None:
    await launch.vote("launch", "bo", "go")
    text = (DIRECTORY % {"name": launch.key}).replace("members: [bo, cy]", "members: [cy, dan]")
    directories.publish(launch.engine.ledger, read_directory(text, "directory"), "ops")
    await launch.chair("launch", "look_again", "ops")

    async def changed() -> GateView | None:
        view = await launch.gate("launch")
        return view if "dan" in {p.approver for p in view.pending} else None

    view = await launch.until(changed, "dan has joined")
    assert [(v.approver, v.state) for v in view.votes] == [("bo", "standing")]
    assert await launch.refused(launch.vote("launch", "bo", "kill")) == "stranger"
    await launch.votes("launch", "go", "ana", "dan")


async def test_a_scorecard_permits_only_a_conditional_go(stage: Stage) -> None:
    criteria = (
        "[{id: fit, text: Fits us, kind: should, weight: 3}, {id: size, text: Size, kind: should}]"
    )
    await opened(stage, criteria=criteria + "\n      threshold: 60")
    await stage.vote("launch", "ana", "go", scores={"fit": 5, "size": 5})
    bad = stage.vote("launch", "bo", "go", scores={"fitness": 5})
    assert await stage.refused(bad) == "unknown-criterion"
    await stage.vote("launch", "bo", "go", scores={"fit": 7})
    await stage.votes("launch", "go", "eva")
    view = await stage.becomes(phase="market")
    assert view.gates[0].outcome == "conditional-go"
    assert (await stage.gate("launch")).score == pytest.approx(57.5)


async def test_a_deciding_vote_whose_answer_was_lost_hears_that_it_counted(launch: Stage) -> None:
    await launch.votes("launch", "go", "ana", "bo")
    once = new_request_id()
    first = await launch.vote("launch", "eva", "go", request_id=once)
    await launch.becomes(phase="market")
    again = await launch.vote("launch", "eva", "go", request_id=once)
    assert (again.outcome, again.round) == (first.outcome, first.round) == ("go", 1)
    late = launch.vote("launch", "eva", "go")
    assert await launch.refused(late) == "gate-decided"


async def test_whose_step_opens_and_whose_day_moves_is_announced_with_the_dates(
    stage: Stage,
) -> None:
    await stage.start(
        """
        policy: two-steps
        version: "1"
        title: Two steps
        phases:
          - id: build
            title: Build
            gate:
              id: launch
              title: Launch
              opens: submit
              requires: [{group: eng}, {group: legal, step: 2}]
              clocks: {respond: PT2H, resolve: PT4H}
        """
    )
    await stage.becomes(phase="build")
    await stage.submit()
    await stage.gate_opens("launch")

    def told(type: str) -> list[dict[str, Any]]:
        entries = stage.engine.ledger.events(stage.key, types=(type,))
        return [entry.announcement.data for entry in entries]

    await stage.written()
    (opened,) = told("gate.opened")
    assert set(opened["respond"]) == {"bo", "cy", "dan"}
    assert opened["seats"] == {"bo": ["eng"], "cy": ["eng"], "dan": ["eng"]}
    await stage.owner("hold")

    async def held() -> bool | None:
        return True if (await stage.gate("launch")).status == "on-hold" else None

    await stage.until(held, "the round has heard of the hold")
    await stage.owner("resume")

    async def moved() -> list[dict[str, Any]] | None:
        return told("gate.dates") or None

    (dates,) = await stage.until(moved, "the days move by the time on hold")
    assert all(dates["respond"][p] > opened["respond"][p] for p in ("bo", "cy", "dan"))
    await stage.vote("launch", "bo", "go")

    async def opens() -> list[dict[str, Any]] | None:
        return told("gate.step") or None

    (step,) = await stage.until(opens, "the second step opens")
    assert step["waiting_for"] == ["lea"]
    assert set(step["respond"]) == {"lea"}
    assert step["seats"] == {"lea": ["legal"]}
