"""The engine against a Temporal server in a container: the same code, another server."""

from __future__ import annotations

from pathlib import Path

import pytest
from stage import Stage

from client.engine import Engine
from client.inbox import inbox
from client.settings import Settings
from worker import build_worker

pytestmark = pytest.mark.containers


async def test_a_gate_is_held_on_the_server_in_the_container(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", address)
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
        await stage.votes("launch", "go", "ana", "bo", "cy")
        await stage.becomes(phase="market")
        assert engine.ledger.verify(stage.key) == len(stage.story())
    engine.ledger.close()
