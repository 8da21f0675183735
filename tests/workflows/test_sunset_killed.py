"""Workers killed in the middle of a sunset: another goes on, and nothing is destroyed twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from parting import Leaving, gate, no_return, task
from processes import worker_process
from tracker import Tracker

from client.dev_server import dev_server, free_port
from client.engine import Engine
from client.settings import Settings
from phasegate.ids import product_id, sunset_id

pytestmark = pytest.mark.slow


@pytest.fixture
async def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Engine]:
    """An engine without a worker: those are processes of their own here."""
    async with dev_server(database=tmp_path / "t.db", port=free_port(), ui_port=None) as server:
        monkeypatch.setenv("TEMPORAL_ADDRESS", server.address)
        monkeypatch.setenv("PHASEGATE_DATA_DIR", str(tmp_path))
        monkeypatch.setenv("PHASEGATE_LEDGER", f"sqlite:///{tmp_path}/ledger.db")
        engine = await Engine.connect(Settings.load())
        yield engine
        engine.ledger.close()


def call(tracker: Tracker, name: str, more: str = "") -> str:
    return (
        f"    - {{id: {name}, title: Do {name}, kind: http, by: eng, "
        f"url: '{tracker.url}/{name}'{more}}}\n"
    )


async def test_a_destructive_call_whose_worker_was_killed_is_not_repeated(
    engine: Engine, tracker: Tracker
) -> None:
    leaving = Leaving(engine, "killed-destroying")
    async with worker_process() as first:
        await leaving.leave(no_return(), call(tracker, "destroy", ", effect: deletion"))
        tracker.answers.clear()
        await leaving.passes("off")
        await tracker.asked(1)
        first.kill()
        await first.wait()
    tracker.answers.set()
    async with worker_process():
        await leaving.task_is("destroy", "unknown")
        await leaving.confirmed("destroy", "bo", note="the bucket is empty")
        await engine.workflow(product_id(leaving.key)).result()
    assert tracker.calls == [("POST", "/destroy", f"{sunset_id(leaving.key)}/1/destroy")]
    story = leaving.story()
    assert story.count("sunset.task-intended") == story.count("sunset.settled") == 1
    assert engine.ledger.verify(leaving.key) == len(story)


async def test_whatever_is_waited_for_another_worker_goes_on(
    engine: Engine, tracker: Tracker
) -> None:
    leaving = Leaving(engine, "killed-everywhere")
    undo = f", undo: {{kind: http, url: '{tracker.url}/signups', method: DELETE}}"

    async with worker_process() as worker:
        await leaving.leave(
            task("id: keys, kind: manual, title: Keys, by: eng"),
            call(tracker, "signups", undo),
            gate("sales"),
            task("id: z, kind: manual, title: Z"),
        )
        await leaving.task_waits("keys")
        worker.kill()
    async with worker_process() as worker:
        await leaving.confirmed("keys", "bo")
        await leaving.gate_opens("sales")
        worker.kill()
    async with worker_process() as worker:
        await leaving.vote("sales", "bo", "go")
        await leaving.task_waits("z")
        tracker.answers.clear()
        calls = len(tracker.calls)
        await leaving.abort()
        await tracker.asked(calls + 1)
        worker.kill()
    tracker.answers.set()
    async with worker_process():
        await leaving.becomes(status="active", phase="market")
        await leaving.told("sunset.aborted")
        await leaving.written()
    assert {key for method, _, key in tracker.calls if method == "DELETE"} == {
        f"{sunset_id(leaving.key)}/1/signups/undo"
    }
    count = Counter(leaving.story())
    assert count["sunset.task-done"] == 3
    assert count["sunset.task-undone"] == count["sunset.aborted"] == 1
    assert engine.ledger.verify(leaving.key) == len(leaving.story())
