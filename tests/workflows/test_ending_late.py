"""A cancel that comes while something ends: what was answered is in the ledger all the same.

The ledger cannot be written meanwhile, so that the ending takes its time.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from stage import Stage
from temporalio.client import WorkflowExecutionStatus

from client.asking import query
from client.engine import Engine
from client.settings import Settings
from ledger import Ledger
from phasegate.ids import gate_id, product_id, sunset_id
from phasegate.views import GateView
from worker import build_worker


@dataclass
class Frail:
    """An engine with a ledger of its own, in a folder that can be taken away."""

    engine: Engine
    folder: Path

    async def breaks(self, stage: Stage) -> None:
        """Once nobody writes: a write in that moment would make a folder anew."""
        await stage.written()
        self.engine.ledger.close()
        self.folder.rename(self.folder.with_suffix(".aside"))
        self.folder.write_text("a file where the folder was")

    def mends(self) -> None:
        self.folder.unlink()
        self.folder.with_suffix(".aside").rename(self.folder)

    async def ends(self, workflow_id: str) -> WorkflowExecutionStatus | None:
        await self.engine.workflow(workflow_id).result()
        return (await self.engine.workflow(workflow_id).describe()).status


@pytest.fixture
async def frail(engine: Engine, tmp_path: Path) -> AsyncIterator[Frail]:
    folder = tmp_path / "state"
    settings = Settings(tmp_path, f"sqlite:///{folder / 'ledger.db'}", tmp_path.name, "http://x")
    own = Engine(engine.client, Ledger(settings.ledger_url), settings)
    async with build_worker(own.client, settings):
        yield Frail(own, folder)
    own.ledger.close()


async def to_launch(stage: Stage) -> None:
    await stage.start()
    await stage.becomes(phase="build")
    await stage.submit()
    await stage.gate_opens("launch")


async def test_a_decided_round_that_is_cancelled_keeps_its_votes_and_its_outcome(
    frail: Frail,
) -> None:
    stage = Stage(frail.engine, "late-gate")
    await to_launch(stage)
    await frail.breaks(stage)
    await stage.votes("launch", "go", "ana", "bo", "cy")
    gate = stage.engine.workflow(gate_id(stage.key, "launch"))
    assert (await query(gate, "show", GateView)).outcome == "go"
    await gate.cancel()
    await asyncio.sleep(1)
    frail.mends()
    assert await frail.ends(gate_id(stage.key, "launch")) is WorkflowExecutionStatus.COMPLETED
    await stage.becomes(phase="market")
    await stage.written()
    assert stage.story().count("gate.vote") == 3
    assert stage.story().count("gate.decided") == 1
    assert stage.texts("gate.cancelled-late") == ["launch is cancelled too late: it is decided: go"]
    await stage.engine.workflow(product_id(stage.key)).terminate()


async def test_a_product_that_its_owner_cancelled_is_not_cancelled_again(frail: Frail) -> None:
    stage = Stage(frail.engine, "late-product")
    await to_launch(stage)
    await stage.vote("launch", "ana", "go")
    await frail.breaks(stage)
    await stage.owner("cancel", reason="no market")
    await stage.engine.workflow(product_id(stage.key)).cancel()
    await asyncio.sleep(1)
    frail.mends()
    assert await frail.ends(product_id(stage.key)) is WorkflowExecutionStatus.COMPLETED
    assert await frail.ends(gate_id(stage.key, "launch")) is WorkflowExecutionStatus.COMPLETED
    assert stage.texts("product.cancelled") == ["cancelled by olga: no market"]
    assert stage.story().count("product.cancelled-late") == 1


async def test_a_sunset_that_was_carried_through_stays_so(frail: Frail) -> None:
    stage = Stage(frail.engine, "late-sunset")
    await to_launch(stage)
    await stage.votes("launch", "go", "ana", "bo", "cy")
    await stage.becomes(phase="market")
    await stage.submit()
    await stage.gate_opens("retire")
    await stage.vote("retire", "ana", "go")
    await stage.task_waits("keys")
    await frail.breaks(stage)
    await stage.confirm("keys", "bo")
    await stage.becomes(status="retired")
    for workflow_id in (sunset_id(stage.key), product_id(stage.key)):
        await stage.engine.workflow(workflow_id).cancel()
    await asyncio.sleep(1)
    frail.mends()
    for workflow_id in (sunset_id(stage.key), product_id(stage.key)):
        assert await frail.ends(workflow_id) is WorkflowExecutionStatus.COMPLETED
    story = stage.story()
    ends = ("sunset.retired", "product.retired", "sunset.cancelled-late", "product.cancelled-late")
    assert [story.count(end) for end in ends] == [1, 1, 1, 1]
    assert stage.engine.ledger.verify(stage.key) == len(story)
