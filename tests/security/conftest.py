"""One server and one worker for all attacks, and people with real keys."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from replaying import replay
from signers import PEOPLE, POLICY, Opened, Signer, directory, entry, make_key
from stage import Stage

from client.dev_server import DevServer, dev_server, free_port
from client.engine import Engine
from client.settings import Settings
from phasegate.ids import gate_id, product_id
from worker import build_worker


@pytest.fixture(scope="module")
async def server() -> AsyncIterator[DevServer]:
    """One that has gates go on in a new run after every few events."""
    eagerly = ("--dynamic-config-value", "limit.historyCount.suggestContinueAsNew=40")
    async with dev_server(
        database=None, port=free_port(), ui_port=None, options=eagerly
    ) as running:
        yield running


@pytest.fixture(scope="module")
async def engine(
    server: DevServer, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Engine]:
    folder = tmp_path_factory.mktemp("security")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TEMPORAL_ADDRESS", server.address)
        patch.setenv("PHASEGATE_DATA_DIR", str(folder))
        engine = await Engine.connect(Settings.load())
        async with build_worker(engine.client, engine.settings):
            yield engine
        engine.ledger.close()


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Everybody's key; the worker need not be on this machine, and has none of them."""
    folder = tmp_path_factory.mktemp("keys")
    return {who: make_key(folder, who) for who in PEOPLE}


@pytest.fixture
async def opened(
    engine: Engine, keys: dict[str, Path], request: pytest.FixtureRequest
) -> AsyncIterator[Opened]:
    """Starts a product, and opens the gate that takes only what is signed. What the test leaves of
    both is replayed: whoever checks a signature awaits something that others do not."""
    begun: list[Signer] = []
    name = re.sub(r"[^a-z0-9]+", "-", request.node.name.removeprefix("test_").lower())

    async def start(suffix: str = "", **own: list[str]) -> Signer:
        stage = Stage(engine, f"{name[:40].strip('-')}{suffix}")
        known = {who: [entry(key)] for who, key in keys.items()} | own
        await stage.start(POLICY, directory(known, stage.key))
        await stage.becomes(phase="build")
        await stage.submit()
        await stage.gate_opens("launch")
        begun.append(Signer(stage, keys))
        return begun[-1]

    yield start
    for signer in begun:
        for workflow_id in (product_id(signer.stage.key), gate_id(signer.stage.key, "launch")):
            await replay(engine.workflow(workflow_id))
