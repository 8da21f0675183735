"""Years in seconds, on the time-skipping server: clocks and notice periods at their real length."""

from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from stage import Stage
from temporalio.service import RPCError
from temporalio.testing import WorkflowEnvironment
from time_skipping import pass_until, shown, skipping_time

from client import products
from client.asking import new_request_id
from client.engine import Engine
from phasegate.ids import product_id, sunset_id
from phasegate.reading import read_policy
from phasegate.requests import SubmitRequest
from phasegate.sunset import ArchiveTask, DateTask, NoticeTask
from phasegate.views import ProductView
from policies import text_of


@pytest.fixture
async def skipping(tmp_path: Path) -> AsyncIterator[tuple[Engine, WorkflowEnvironment]]:
    async with skipping_time(tmp_path) as engine_and_server:
        yield engine_and_server


async def lived(stage: Stage, env: WorkflowEnvironment) -> ProductView:
    handle = stage.engine.workflow(product_id(stage.key))
    while True:
        # This server breaks the stream of an answer now and then, and is asked again.
        with suppress(RPCError):
            async with env.time_skipping_unlocked():
                return ProductView.model_validate(await handle.result())


async def test_the_standard_sunset_takes_fifteen_months(
    skipping: tuple[Engine, WorkflowEnvironment],
) -> None:
    """The shipped timetable, without the tasks and gates that wait for people."""
    engine, env = skipping
    plan = read_policy(text_of("standard"), "standard").sunset
    assert plan is not None
    alone = [t for t in plan.tasks if isinstance(t, NoticeTask | DateTask | ArchiveTask)]
    tasks = "\n".join(f"    - {task.model_dump_json()}" for task in alone)
    stage = Stage(engine, "leaving")
    source = engine.settings.data_dir / "archive-source" / stage.key
    source.mkdir(parents=True)
    (source / "README").write_text("what we leave behind")
    await stage.start(
        "policy: leaving\nversion: '1'\ntitle: Leaving\n"
        "phases: [{id: market, title: Market, in_market: true}]\n"
        f"sunset:\n  tasks:\n{tasks}\n"
    )
    view = await lived(stage, env)
    assert view.status == "retired"
    assert view.started_at is not None
    assert view.ended_at is not None
    assert 480 <= (view.ended_at - view.started_at).days <= 490, "30 days ahead, then 15 months"
    sunset = await stage.sunset()
    assert sunset is not None
    days = {task.id: task for task in sunset.tasks}
    assert days["public-notice"].at == sunset.notice_at
    assert 181 <= (days["end-of-sales"].at - sunset.notice_at).days <= 184
    assert 365 <= (days["end-of-life"].at - sunset.notice_at).days <= 366
    assert all(task.done_at is not None and task.done_at >= task.at for task in sunset.tasks)
    assert days["archive-source"].digest.startswith("sha256:")
    dated = engine.ledger.events(stage.key, types=("sunset.reminder",))
    ahead = [round((days[_task(e)].at - e.announcement.at) / timedelta(days=1)) for e in dated]
    assert sorted(ahead, reverse=True) == [90, 90, 60, 60, 30, 30, 7, 7, 0, 0]
    assert engine.ledger.verify(stage.key) == len(stage.story())
    events = len((await stage.history(sunset_id(stage.key))).events)
    assert events < 400, "fifteen months fit into one short history"


def _task(entry: object) -> str:
    return str(entry.announcement.data["task"])  # type: ignore[attr-defined]


async def test_a_gate_nobody_answers_ends_as_the_policy_says(
    skipping: tuple[Engine, WorkflowEnvironment],
) -> None:
    """Two weeks of silence: reminded, noted as late, and never a Go."""
    engine, env = skipping
    stage = Stage(engine, "silence")
    await stage.start(
        """
        policy: silent
        version: "1"
        title: Silent
        phases:
          - id: build
            title: Build
            gate:
              id: launch
              title: Launch
              requires: [{group: product}, {group: eng, need: 2}]
              clocks: {respond: 7 days, resolve: 14 days, remind: [3 days, 1 day], on_timeout: kill}
        """
    )
    view = await lived(stage, env)
    assert view.status == "killed"
    assert view.gates[0].why.endswith("the resolve deadline passed")
    opened = _at(stage, "gate.opened")[0]
    assert [round((at - opened) / timedelta(days=1)) for at in _at(stage, "gate.reminder")] == [
        4,
        6,
    ]
    assert [round((at - opened) / timedelta(days=1)) for at in _at(stage, "gate.overdue")] == [7]
    assert [round((at - opened) / timedelta(days=1)) for at in _at(stage, "gate.decided")] == [14]


def _at(stage: Stage, type: str) -> list[datetime]:
    return [e.announcement.at for e in stage.engine.ledger.events(stage.key, types=(type,))]


async def test_a_forgotten_condition_goes_up_the_managers_week_by_week(
    skipping: tuple[Engine, WorkflowEnvironment],
) -> None:
    """Nobody keeps the promise: reminded a week ahead, then overdue, then somebody else's."""
    engine, env = skipping
    stage = Stage(engine, "forgotten")
    await stage.start(
        """
        policy: forgetful
        version: "1"
        title: Forgetful
        phases:
          - id: build
            title: Build
            gate: {id: launch, title: Launch, opens: submit, requires: [{group: eng}]}
          - id: market
            title: Market
            in_market: true
            gate: {id: retire, title: Retire, opens: submit, requires: [{group: eng}]}
        """,
        """
        directory: default
        people: {olga: {}, bo: {manager: max}, max: {manager: zoe}, zoe: {}}
        groups: {eng: {members: [bo]}}
        """,
    )
    await stage.until(lambda: _reaches(stage, "build"), "it is built")
    request = SubmitRequest(actor="olga", request_id=new_request_id())
    await products.request(engine, stage.key, "submit", request)
    await stage.gate_opens("launch")
    now = await env.get_current_time()
    due = now + timedelta(days=30)
    await stage.vote(
        "launch", "bo", "conditional-go", conditions=[{"text": "docs", "owner": "bo", "due": due}]
    )
    await stage.until(lambda: _reaches(stage, "market"), "it is sold")
    await pass_until(env, now + timedelta(days=53))
    days = {
        type: [round((at - now) / timedelta(days=1)) for at in _at(stage, f"condition.{type}")]
        for type in ("reminder", "overdue", "escalated")
    }
    assert days == {"reminder": [23], "overdue": [30], "escalated": [37, 44, 51]}
    entries = engine.ledger.events(stage.key, types=("condition.escalated",))
    assert [e.announcement.data["manager"] for e in entries] == ["max", "zoe", "zoe"]
    view = await _reaches(stage, "market")
    assert view is not None
    assert view.conditions[0].overdue


async def _reaches(stage: Stage, phase: str) -> ProductView | None:
    view = await shown(stage.engine, product_id(stage.key), ProductView)
    return view if view.phase == phase else None
