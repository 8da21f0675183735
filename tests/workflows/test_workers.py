"""The SDK's workers of one process end together."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta

import pytest
from stage import WAIT
from tcp_proxy import proxied
from temporalio.client import Client
from temporalio.worker import Worker

from activities.milestones import check_milestone
from client import workers as together
from client.dev_server import DevServer
from client.engine import Engine
from client.workers import ActivitiesOnly, Workers


def one(client: Client, queue: str) -> Worker:
    return Worker(
        client, task_queue=queue, activities=[check_milestone], plugins=[ActivitiesOnly()]
    )


async def until(so: Callable[[], bool]) -> None:
    async with asyncio.timeout(WAIT):
        while not so():  # noqa: ASYNC110  # the SDK has no event for it
            await asyncio.sleep(0.05)


async def test_one_that_fails_ends_the_others(engine: Engine, server: DevServer) -> None:
    nowhere = await Client.connect(server.address, namespace="nowhere")
    sound, failing = one(engine.client, "sound"), one(nowhere, "failing")
    workers = Workers([sound, failing])
    with pytest.raises(RuntimeError, match="nowhere"):
        await asyncio.wait_for(workers.run(), 60)
    assert not sound.is_running


async def test_they_stop_together_when_asked(engine: Engine) -> None:
    workers = Workers([one(engine.client, "left"), one(engine.client, "right")])
    running = asyncio.create_task(workers.run())
    await workers.shutdown()
    await asyncio.wait_for(running, 60)
    assert workers.task_queues == ["left", "right"]


async def test_one_that_fails_does_not_wait_for_another_that_never_ends(
    engine: Engine, server: DevServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a server the SDK does not end."""
    monkeypatch.setattr(together, "GRACE", timedelta(seconds=0.5))
    monkeypatch.setattr(together, "AT_LAST", timedelta(seconds=0.5))
    with proxied(int(server.address.partition(":")[2])) as proxy:
        away = one(await Client.connect(proxy.address), "away")
        failing = asyncio.Event()
        workers = Workers([one(engine.client, "here"), away], failing)
        running = asyncio.create_task(workers.run())
        await until(lambda: workers.polling)
        proxy.silent = True
        failing.set()
        assert not workers.polling, "it is not ready from then on"
        with pytest.raises(RuntimeError, match="does not end: here, away"):
            await asyncio.wait_for(running, WAIT)
        assert not workers.ended
        proxy.silent = False
        await until(lambda: workers.ended)
