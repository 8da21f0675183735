"""The SDK's workers of one process end together."""

from __future__ import annotations

import asyncio

import pytest
from temporalio.client import Client
from temporalio.worker import Worker

from activities.milestones import check_milestone
from client.dev_server import DevServer
from client.engine import Engine
from client.workers import ActivitiesOnly, Workers


def one(client: Client, queue: str) -> Worker:
    return Worker(
        client, task_queue=queue, activities=[check_milestone], plugins=[ActivitiesOnly()]
    )


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
