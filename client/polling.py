"""Who polls a task queue."""

from __future__ import annotations

import time
from datetime import timedelta

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import PollerInfo, TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client

GONE = timedelta(seconds=90)
"""A worker asks for work once a minute at least; the server remembers it for five after that."""


def silent(poller: PollerInfo) -> timedelta:
    """How long ago it last asked for work, by the clock of this machine."""
    return timedelta(seconds=max(0, time.time() - poller.last_access_time.ToNanoseconds() / 1e9))


async def pollers(client: Client, queue: str, kind: TaskQueueType.ValueType) -> list[str]:
    """The identities of the workers that poll it, sorted. Raises RPCError."""
    found = await client.workflow_service.describe_task_queue(
        DescribeTaskQueueRequest(
            namespace=client.namespace, task_queue=TaskQueue(name=queue), task_queue_type=kind
        )
    )
    return sorted({poller.identity for poller in found.pollers})
