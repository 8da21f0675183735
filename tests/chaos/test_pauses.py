"""A machine that stands still in the middle of a workflow task: the run goes on afterwards."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from stage import Stage

import workflows.gate_review
from client.dev_server import dev_server, free_port
from client.engine import Engine
from client.settings import Settings
from worker import build_worker

STILL = 2.6
"""Seconds. The SDK believes in a deadlock after two, and breaks off what runs."""


@pytest.fixture
async def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stage]:
    """With a worker of its own: no other can take over."""
    async with dev_server(database=None, port=free_port(), ui_port=None) as server:
        monkeypatch.setenv("TEMPORAL_ADDRESS", server.address)
        monkeypatch.setenv("PHASEGATE_DATA_DIR", str(tmp_path))
        engine = await Engine.connect(Settings.load())
        async with build_worker(engine.client, engine.settings):
            yield Stage(engine, "paused")
        engine.ledger.close()


@pytest.mark.slow
async def test_a_worker_that_stood_still_in_the_middle_of_votes_takes_them(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    await stage.start()
    await stage.becomes(phase="build")
    await stage.report("done")
    await stage.gate_opens("launch")
    view, stood = workflows.gate_review.gate_view, []

    def standing_still(*args: Any) -> Any:
        if len(stood) < 1:
            stood.append(time.monotonic())
            time.sleep(STILL)
        return view(*args)

    monkeypatch.setattr(workflows.gate_review, "gate_view", standing_still)
    await asyncio.gather(*(stage.vote("launch", who, "go") for who in ("ana", "bo", "cy")))
    await stage.becomes(phase="market")
    assert stood
