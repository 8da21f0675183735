"""Products with their record in PostgreSQL, written by two workers of which one is killed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import pytest
from processes import worker_process
from stage import Stage

from client import asking
from client.audit_checks import verify_ledger
from client.dev_server import dev_server, free_port
from client.engine import Engine
from client.settings import Settings


@pytest.mark.slow
async def test_two_workers_and_several_products_write_one_record_each(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PHASEGATE_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("PHASEGATE_LEDGER", url)
    # A task that the killed worker had begun is missed after ten seconds, and more people wait.
    monkeypatch.setattr(asking, "PATIENCE", timedelta(minutes=1))
    async with dev_server(database=None, port=free_port(), ui_port=None) as server:
        monkeypatch.setenv("TEMPORAL_ADDRESS", server.address)
        engine = await Engine.connect(Settings.load())
        stages = [Stage(engine, f"life-{n}") for n in range(4)]
        async with worker_process() as first, worker_process():
            lives = asyncio.gather(*(_live(stage) for stage in stages))
            await stages[0].until(_half_way(stages[0]), "it is on its way")
            first.kill()
            await lives
        for stage in stages:
            found = verify_ledger(engine.ledger, stage.key, ())
            assert (found.ok, found.fault, found.seq) == (True, None, len(stage.story()))
            assert (found.rounds, found.derived, found.votes) == (2, 2, 4)
        engine.ledger.close()


def _half_way(stage: Stage) -> Callable[[], Awaitable[bool | None]]:
    async def voted() -> bool | None:
        return True if "gate.vote" in stage.story() else None

    return voted


async def _live(stage: Stage) -> None:
    await stage.start()
    await stage.becomes(phase="build")
    await stage.report("done")
    await stage.gate_opens("launch")
    await stage.votes("launch", "go", "ana", "bo", "cy")
    await stage.becomes(phase="market")
    await stage.retires()

    async def told() -> bool | None:
        """What the killed worker was about to write comes later than the end, by another."""
        story = stage.story()
        all_there = (story.count("gate.vote"), story.count("gate.decided")) == (4, 2)
        return True if all_there and "product.retired" in story else None

    await stage.written()
    await stage.until(told, "its end is in the ledger")
