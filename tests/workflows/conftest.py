"""One embedded server and one worker per test process; every test plays its own product."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
from stage import Stage
from tracker import Tracker, serving

from client.dev_server import DevServer, dev_server, free_port
from client.engine import Engine
from client.settings import Settings
from worker import build_worker


def settings(folder: Path, queue: str = "phasegate") -> Settings:
    return Settings(
        data_dir=folder,
        ledger_url=f"sqlite:///{folder / 'ledger.db'}",
        task_queue=queue,
        ui_url="http://localhost:1",
    )


@pytest.fixture(scope="session")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[DevServer]:
    folder = tmp_path_factory.mktemp("temporal")
    async with dev_server(
        database=folder / "temporal.db", port=free_port(), ui_port=None, log=folder / "server.log"
    ) as running:
        yield running


@pytest.fixture(scope="session")
async def engine(
    server: DevServer, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Engine]:
    folder = tmp_path_factory.mktemp("ledger")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TEMPORAL_ADDRESS", server.address)
        patch.setenv("PHASEGATE_DATA_DIR", str(folder))
        engine = await Engine.connect(settings(folder))
        async with build_worker(engine.client, engine.settings):
            yield engine
        engine.ledger.close()


@pytest.fixture(scope="module")
async def hasty(
    server: DevServer, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> AsyncIterator[Engine]:
    """An engine of the module's own, whose people are told of a stuck act after two seconds."""
    folder = tmp_path_factory.mktemp("hasty")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TEMPORAL_ADDRESS", server.address)
        patch.setenv("PHASEGATE_DATA_DIR", str(folder))
        patch.setenv("PHASEGATE_STUCK_AFTER", "2 seconds")
        engine = await Engine.connect(settings(folder, request.module.__name__))
        async with build_worker(engine.client, engine.settings):
            yield engine
        engine.ledger.close()


@pytest.fixture
def stage(engine: Engine, request: pytest.FixtureRequest) -> Stage:
    return Stage(engine, key_of(request))


@pytest.fixture
def another(engine: Engine, request: pytest.FixtureRequest) -> Callable[[str], Stage]:
    return lambda suffix: Stage(engine, f"{key_of(request)[:50]}-{suffix}")


@pytest.fixture(scope="module")
async def eager(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Engine]:
    """An engine on a server that suggests continue-as-new after every few events."""
    folder = tmp_path_factory.mktemp("eager")
    eagerly = ("--dynamic-config-value", "limit.historyCount.suggestContinueAsNew=20")
    async with dev_server(database=None, port=free_port(), ui_port=None, options=eagerly) as server:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("TEMPORAL_ADDRESS", server.address)
            patch.setenv("PHASEGATE_DATA_DIR", str(folder))
            engine = await Engine.connect(settings(folder))
            async with build_worker(engine.client, engine.settings):
                yield engine
            engine.ledger.close()


@pytest.fixture
def tracker() -> Iterator[Tracker]:
    with serving() as running:
        yield running


def key_of(request: pytest.FixtureRequest) -> str:
    name = request.node.name.removeprefix("test_").lower()
    return re.sub(r"[^a-z0-9]+", "-", name).strip("-")[:60]
