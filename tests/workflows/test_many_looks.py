"""Many people look at once at what nobody has asked about for a while."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from stage import Stage

import worker
from client import products
from client.dev_server import dev_server, free_port
from client.engine import Engine
from phasegate.ids import product_id
from phasegate.views import ProductView
from tests.workflows.conftest import settings

LOOKS = 40
"""More than a worker that has nothing to do holds polls out for."""

QUIET = 2
"""Seconds without a new poll after which the server takes a queue for one that nobody serves; 20
unless told."""


@pytest.fixture
async def quiet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Engine]:
    window = ("--dynamic-config-value", f'matching.queryPollerUnavailableWindow="{QUIET}s"')
    async with dev_server(database=None, port=free_port(), ui_port=None, options=window) as server:
        monkeypatch.setenv("TEMPORAL_ADDRESS", server.address)
        monkeypatch.setenv("PHASEGATE_DATA_DIR", str(tmp_path))
        engine = await Engine.connect(settings(tmp_path))
        yield engine
        engine.ledger.close()


async def product(engine: Engine) -> Stage:
    stage = Stage(engine, "looked-at")
    await stage.start()
    await stage.becomes(phase="build")
    await asyncio.sleep(QUIET + 1)
    return stage


async def test_a_query_is_answered_however_many_come_at_once_after_a_quiet_time(
    quiet: Engine,
) -> None:
    async with worker.build_worker(quiet.client, quiet.settings):
        stage = await product(quiet)
        handle = quiet.workflow(product_id(stage.key))
        asked = [handle.query("show", result_type=ProductView) for _ in range(LOOKS)]
        assert {view.phase for view in await asyncio.gather(*asked)} == {"build"}


async def test_a_command_asks_again_where_the_server_saw_no_worker_for_its_query(
    quiet: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "MISSED", timedelta(seconds=1))  # as an earlier release had it
    async with worker.build_worker(quiet.client, quiet.settings):
        stage = await product(quiet)
        views = await asyncio.gather(*(products.show(quiet, stage.key) for _ in range(LOOKS)))
        assert {view.phase for view in views} == {"build"}
