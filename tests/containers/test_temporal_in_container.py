"""The engine against a Temporal server in a container: the same code, another server."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from stage import Stage
from temporalio.api.enums.v1 import EventType

from client.engine import Engine
from client.inbox import inbox
from client.settings import Settings
from phasegate.ids import product_id
from tests.containers.temporal_container import TemporalContainer
from worker import build_worker

pytestmark = pytest.mark.containers


async def test_a_whole_life_outlives_a_killed_server(
    temporal: TemporalContainer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Votes before and after the kill count, and runs go on anew on both sides of it."""
    monkeypatch.setenv("TEMPORAL_ADDRESS", temporal.address)
    monkeypatch.setenv("PHASEGATE_DATA_DIR", str(tmp_path))
    engine = await Engine.connect(Settings.load())
    stage = Stage(engine, "contained")
    async with build_worker(engine.client, engine.settings):
        await stage.start()
        await stage.becomes(phase="build")
        await stage.report("done")
        await stage.gate_opens("launch")

        async def asked() -> bool | None:
            return True if await inbox(engine, "bo") else None

        await stage.until(asked, "the gate is in bo's inbox")
        assert await stage.refused(stage.vote("launch", "olga", "go")) == "self-approval"
        await stage.votes("launch", "go", "ana", "bo")

        await asyncio.to_thread(temporal.die)
        await asyncio.to_thread(temporal.start_again)

        view = await stage.gate_opens("launch")
        assert {vote.approver: vote.vote for vote in view.votes} == {"ana": "go", "bo": "go"}
        await stage.vote("launch", "cy", "go")
        await stage.becomes(phase="market")
        await stage.retires()
        await stage.written()
        story = stage.story()
        assert engine.ledger.verify(stage.key) == len(story)
        assert story.count("gate.vote") == 4

    last = await stage.history()
    began = last.events[0].workflow_execution_started_event_attributes
    assert last.events[0].event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED
    assert began.continued_execution_run_id, f"{product_id(stage.key)} has gone on in a new run"
    engine.ledger.close()
