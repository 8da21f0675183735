"""Histories stay short: everything goes on after continue-as-new, and children survive it."""

import asyncio
from pathlib import Path

import pytest
from stage import Stage
from temporalio import workflow

from client.engine import Engine
from phasegate.ids import gate_id, product_id, sunset_id
from workflows.gatekeeper import Gatekeeper

LEAVING = """
policy: leaving-late
version: "1"
title: Leaving
phases:
  - {id: market, title: Market, in_market: true}
sunset:
  tasks:
    - id: down
      title: Shut down
      kind: gate
      gate: {id: down, title: Down, requires: [{group: eng, need: 2}]}
"""


async def runs(engine: Engine, workflow_id: str) -> int:
    """How many runs this workflow had."""
    seen = 0
    run_id: str | None = (await engine.workflow(workflow_id).describe()).run_id
    while run_id:
        seen += 1
        history = await engine.client.get_workflow_handle(
            workflow_id, run_id=run_id
        ).fetch_history()
        started = history.events[0].workflow_execution_started_event_attributes
        run_id = started.continued_execution_run_id or None
    return seen


async def test_a_life_in_many_runs_is_the_same_life(eager: Engine, tmp_path: Path) -> None:
    stage = Stage(eager, "many-runs")
    await stage.start()
    await stage.becomes(phase="build")
    for number in range(8):
        await stage.report("done", action="replan", due=f"2030-01-0{number + 1}")
    await stage.report("done")
    await stage.gate_opens("launch")
    for word in ("hold", "recycle", "abstain", "kill", "go", "hold", "go"):
        await stage.vote("launch", "bo", word)
    view = await stage.gate("launch")
    assert [v.vote for v in view.votes if v.state == "standing"] == ["go"]
    assert len(view.votes) == 7
    await stage.holds("launch", "reorganisation")
    assert await stage.refused(stage.vote("launch", "ana", "go")) == "gate-on-hold"
    await stage.owner("resume")
    await stage.goes_on("launch")
    await stage.votes("launch", "go", "ana", "cy")
    await stage.becomes(phase="market")
    final = await stage.retires()
    assert [(g.gate, g.round, g.outcome) for g in final.gates] == [
        ("launch", 1, "go"),
        ("retire", 1, "go"),
    ]
    assert await runs(eager, product_id(stage.key)) > 2
    assert await runs(eager, gate_id(stage.key, "launch")) > 1
    await stage.written()
    story = stage.story()
    assert story.count("gate.vote") == 10
    assert story.count("gate.opened") == 2
    assert story.count("product.retired") == 1
    ids = [entry.announcement.id for entry in eager.ledger.events(stage.key)]
    assert len(ids) == len(set(ids))


async def test_search_attributes_and_memo_survive_a_new_run(eager: Engine) -> None:
    stage = Stage(eager, "still-found")
    await stage.start()
    await stage.becomes(phase="build")
    await stage.report("done")
    await stage.gate_opens("launch")
    for word in ("hold", "recycle", "hold", "recycle", "hold", "recycle"):
        await stage.vote("launch", "bo", word)

    async def renewed() -> bool | None:
        return True if await runs(eager, gate_id(stage.key, "launch")) > 1 else None

    await stage.until(renewed, "the gate goes on in another run")
    gate = await eager.workflow(gate_id(stage.key, "launch")).describe()
    found = {pair.key.name: pair.value for pair in gate.typed_search_attributes}
    assert found["PhasegateProduct"] == "still-found"
    assert found["PhasegateWaitingOn"] == ["person:ana", "person:cy", "person:dan"]
    assert (await gate.memo())["round"] == 1

    async def once() -> bool | None:
        query = "PhasegateProduct = 'still-found' AND PhasegateStatus IN ('active', 'open')"
        listed = [execution.id async for execution in eager.client.list_workflows(query)]
        return True if sorted(listed) == [product_id(stage.key), gate.id] else None

    await stage.until(once, "a status finds each workflow once, however many runs it had")


async def test_a_gate_ended_after_its_product_went_on_is_noticed(eager: Engine) -> None:
    stage = Stage(eager, "lost-later")
    await stage.start()
    await stage.becomes(phase="build")
    await stage.report("done")
    await stage.gate_opens("launch")
    before = await runs(eager, product_id(stage.key))
    for _ in range(3):
        await stage.owner("hold")
        await stage.owner("resume")

    async def renewed() -> bool | None:
        return True if await runs(eager, product_id(stage.key)) > before else None

    await stage.until(renewed, "the gate outlives a run")
    await eager.workflow(gate_id(stage.key, "launch")).terminate(reason="by mistake")
    await stage.owner("hold")
    await stage.owner("resume")
    await stage.becomes(gate=None, status="active")
    await stage.submit()
    await stage.gate_opens("launch", 2)


@pytest.mark.parametrize("how", ["decided", "terminated"])
async def test_a_gate_that_ends_between_two_runs_of_its_product(
    eager: Engine, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """The run that would see it complete is gone, and the next one has not spoken to it yet."""
    original = Gatekeeper.rejoin

    async def late(self: Gatekeeper) -> None:
        await workflow.sleep(3)
        await original(self)

    monkeypatch.setattr(Gatekeeper, "rejoin", late)
    stage = Stage(eager, f"between-{how}")
    await stage.start()
    await stage.becomes(phase="build")
    await stage.report("done")
    await stage.gate_opens("launch")
    before = await runs(eager, product_id(stage.key))
    while await runs(eager, product_id(stage.key)) == before:
        await stage.owner("hold")
        await stage.owner("resume")
        await asyncio.sleep(0.1)
    gate = eager.workflow(gate_id(stage.key, "launch"))
    if how == "decided":
        await stage.votes("launch", "go", "ana", "bo", "cy")
        await gate.result()
        view = await stage.becomes(phase="market")
        assert view.gates[-1].votes == {"ana": "go", "bo": "go", "cy": "go"}
        await stage.written()
        assert "gate.abandoned" not in stage.story()
    else:
        await gate.terminate(reason="by mistake")
        view = await stage.becomes(gate=None, status="active")
        assert [g.outcome for g in view.gates] == ["abandoned"]


async def test_a_sunset_in_a_later_run_hears_of_its_gate(eager: Engine) -> None:
    stage = Stage(eager, "leaving-late")
    await stage.start(LEAVING)
    for number in range(1, 4):
        await stage.gate_opens("down", number)
        await stage.votes("down", "hold", "bo", "cy", "dan")

        async def stopped(times: int = number) -> bool | None:
            return True if stage.story().count("sunset.stopped") == times else None

        await stage.until(stopped, "it stopped")
        await stage.submit()
    await stage.gate_opens("down", 4)
    await stage.votes("down", "go", "bo", "cy")
    await stage.becomes(status="retired")
    assert await runs(eager, sunset_id(stage.key)) > 1
    await stage.written()
    assert "gate.abandoned" not in stage.story()
