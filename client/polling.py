"""Who polls a task queue."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from time import time

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import PollerInfo, TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client

GONE = timedelta(seconds=90)
"""A worker asks for work once a minute at least; the server remembers it for five after that."""


def silent(poller: PollerInfo) -> timedelta:
    """How long ago it last asked for work, by the clock of this machine."""
    return timedelta(seconds=max(0, time() - poller.last_access_time.ToNanoseconds() / 1e9))


def working(found: Iterable[PollerInfo]) -> list[PollerInfo]:
    """Those that are not `GONE`."""
    return [poller for poller in found if silent(poller) < GONE]


async def pollers(client: Client, queue: str, kind: TaskQueueType.ValueType) -> list[str]:
    """The identities of the workers that poll it, sorted; without those that are `GONE`. Raises
    RPCError."""
    seen = await last_seen(client, queue, kind)
    return sorted(identity for identity, ago in seen.items() if ago < GONE)


async def last_seen(
    client: Client, queue: str, kind: TaskQueueType.ValueType
) -> dict[str, timedelta]:
    """Identities of all workers that the server remembers, and how long ago each asked. Raises
    RPCError."""
    found = await client.workflow_service.describe_task_queue(
        DescribeTaskQueueRequest(
            namespace=client.namespace, task_queue=TaskQueue(name=queue), task_queue_type=kind
        )
    )
    return {poller.identity: silent(poller) for poller in found.pollers}
