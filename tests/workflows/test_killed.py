"""Killed processes: a worker or the server dies in the middle, and nothing is lost."""

import asyncio
from pathlib import Path

import pytest
from processes import worker_process
from stage import Stage

from client.asking import new_request_id
from client.dev_server import dev_server, free_port
from client.engine import Engine
from client.settings import Settings
from phasegate.errors import EngineError
from phasegate.ids import product_id
from phasegate.requests import Receipt


async def announced(stage: Stage, *, votes: int) -> None:
    """Wait until so many votes, and no more, are in the ledger."""

    async def all_there() -> bool | None:
        return True if stage.story().count("gate.vote") >= votes else None

    await stage.until(all_there, f"{votes} votes are announced")
    assert stage.story().count("gate.vote") == votes


async def voted(stage: Stage, who: str) -> Receipt:
    """Vote until there is an answer: who hears nothing for so long says the same again."""
    once = new_request_id()

    async def answered() -> Receipt | None:
        try:
            return await stage.vote("launch", who, "go", request_id=once)
        except EngineError:
            return None

    return await stage.until(answered, f"the vote of {who} is answered")


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("PHASEGATE_DATA_DIR", str(tmp_path))
    return Settings.load()


@pytest.mark.slow
async def test_a_worker_killed_in_the_middle_of_a_gate_loses_nothing(
    own: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with dev_server(database=tmp_path / "t.db", port=free_port(), ui_port=None) as server:
        monkeypatch.setenv("TEMPORAL_ADDRESS", server.address)
        engine = await Engine.connect(own)
        stage = Stage(engine, "killed-worker")
        async with worker_process() as first:
            await stage.start()
            await stage.becomes(phase="build")
            await stage.report("done")
            await stage.gate_opens("launch")
            await stage.votes("launch", "go", "ana", "bo")
            first.kill()
            await first.wait()
        late = asyncio.create_task(voted(stage, "cy"))
        await asyncio.sleep(1)
        assert not late.done()
        async with worker_process() as second:
            receipt = await late
            assert receipt.outcome == "go"
            await stage.becomes(phase="market")
            view = await stage.gate("launch")
            assert {v.approver for v in view.votes if v.state == "standing"} == {"ana", "bo", "cy"}
            await announced(stage, votes=3)
            assert await second.stop() == 0
            assert b"worker stopped" in second.log
        assert engine.ledger.verify(stage.key) == len(stage.story())
        engine.ledger.close()


@pytest.mark.slow
async def test_a_server_killed_in_the_middle_of_a_gate_loses_nothing(
    own: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    port, database = free_port(), tmp_path / "t.db"
    monkeypatch.setenv("TEMPORAL_ADDRESS", f"127.0.0.1:{port}")
    async with dev_server(database=database, port=port, ui_port=None) as server:
        engine = await Engine.connect(own)
        stage = Stage(engine, "killed-server")
        async with worker_process():
            await stage.start()
            await stage.becomes(phase="build")
            await stage.report("done")
            await stage.gate_opens("launch")
            await stage.votes("launch", "go", "ana", "bo")
            server.process.kill()
            await server.process.wait()
            async with dev_server(database=database, port=port, ui_port=None):
                await voted(stage, "cy")
                await stage.becomes(phase="market")
                await announced(stage, votes=3)
        engine.ledger.close()


@pytest.mark.slow
async def test_two_workers_share_the_work_and_nothing_is_done_twice(
    own: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with dev_server(database=tmp_path / "t.db", port=free_port(), ui_port=None) as server:
        monkeypatch.setenv("TEMPORAL_ADDRESS", server.address)
        engine = await Engine.connect(own)
        async with worker_process(), worker_process():
            lives = [Stage(engine, f"shared-{number}") for number in range(4)]
            await asyncio.gather(*(whole_life(stage) for stage in lives))
            for stage in lives:
                story = stage.story()
                once = ("product.started", "gate.decided", "sunset.task-done", "product.retired")
                assert [story.count(type) for type in once] == [1, 2, 2, 1]
                assert story.count("gate.vote") == 4
                assert engine.ledger.verify(stage.key) == len(story)
        engine.ledger.close()


async def whole_life(stage: Stage) -> None:
    await stage.start()
    await stage.becomes(phase="build")
    await stage.report("done")
    await stage.gate_opens("launch")
    await stage.votes("launch", "go", "ana", "bo", "cy")
    await stage.becomes(phase="market")
    await stage.submit()
    await stage.gate_opens("retire")
    await stage.vote("retire", "ana", "go")
    await stage.task_waits("keys")
    await stage.confirm("keys", "bo")
    # A workflow ends only when all it has to say is in the ledger.
    await stage.engine.workflow(product_id(stage.key)).result()
