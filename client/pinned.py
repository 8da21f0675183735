"""What runs are pinned to, and the task queues that only workers of that build may take from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from temporalio.api.deployment.v1 import WorkerDeploymentVersion
from temporalio.api.enums.v1 import TaskQueueType, WorkerVersioningMode
from temporalio.api.taskqueue.v1 import PollerInfo, TaskQueue
from temporalio.api.workflowservice.v1 import (
    DescribeTaskQueueRequest,
    DescribeTaskQueueResponse,
    DescribeWorkerDeploymentRequest,
    DescribeWorkerDeploymentVersionRequest,
)
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from client.polling import working
from client.versioning import Build
from phasegate.queues import KINDS, queue_of

ASKED = 20
"""Builds whose runs are counted, the latest first: each is one query."""

WORKFLOW = TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW
ACTIVITY = TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY
VERSIONED = WorkerVersioningMode.WORKER_VERSIONING_MODE_VERSIONED


@dataclass(frozen=True)
class Left:
    """A build that runs are pinned to, and that has no worker for some of what they need."""

    build: Build
    runs: int
    """Running workflows."""
    queues: tuple[str, ...]
    """Where it has no worker for activities, though it had; empty where it runs no workflows."""


async def left_behind(
    client: Client, main: str, deployments: Iterable[str], polling: tuple[Build, ...]
) -> list[Left]:
    """Builds without workers; `polling` are those whose workers run workflows. Raises RPCError."""
    found: list[Left] = []
    seen: dict[str, set[Build]] = {}
    for deployment in deployments:
        for build in (await _builds(client, deployment))[:ASKED]:
            if not (runs := (await client.count_workflows(running_on(build))).count):
                continue
            if build not in polling:
                found.append(Left(build, runs, ()))
                continue
            idle = []
            for queue in await _queues(client, build, main):
                if queue not in seen:
                    asking = working((await described(client, queue, ACTIVITY)).pollers)
                    seen[queue] = set(builds_of(asking))
                if build not in seen[queue]:
                    idle.append(queue)
            if idle:
                found.append(Left(build, runs, tuple(idle)))
    return found


def running_on(build: Build) -> str:
    """The list query of what runs on a build."""
    version = f"{build.deployment}:{build.build_id}"
    return f"TemporalWorkerDeploymentVersion = '{version}' AND ExecutionStatus = 'Running'"


async def described(
    client: Client, queue: str, kind: TaskQueueType.ValueType = WORKFLOW
) -> DescribeTaskQueueResponse:
    """A task queue and who polls it. Raises RPCError."""
    return await client.workflow_service.describe_task_queue(
        DescribeTaskQueueRequest(
            namespace=client.namespace, task_queue=TaskQueue(name=queue), task_queue_type=kind
        )
    )


def builds_of(pollers: Iterable[PollerInfo]) -> list[Build]:
    """What those belong to that belong to a build."""
    options = [poller.deployment_options for poller in pollers]
    return [
        Build(said.deployment_name, said.build_id)
        for said in options
        if said.worker_versioning_mode == VERSIONED
    ]


async def _queues(client: Client, build: Build, main: str) -> list[str]:
    """Those of activities that workers of the build ever polled: the server gives what its runs
    order there to nobody else. Without those of other installations that use the same build."""
    try:
        known = await client.workflow_service.describe_worker_deployment_version(
            DescribeWorkerDeploymentVersionRequest(
                namespace=client.namespace,
                deployment_version=WorkerDeploymentVersion(
                    deployment_name=build.deployment, build_id=build.build_id
                ),
            )
        )
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:  # it has been deleted since
            return []
        raise
    queues = known.version_task_queues
    others = [each.name for each in queues if each.type == WORKFLOW and each.name != main]
    foreign = {queue_of(other, kind) for other in others for kind in KINDS}
    asked = {each.name for each in queues if each.type == ACTIVITY}
    return sorted(asked - foreign)


async def _builds(client: Client, deployment: str) -> list[Build]:
    """The builds of a deployment that the server knows, the latest first."""
    try:
        known = await client.workflow_service.describe_worker_deployment(
            DescribeWorkerDeploymentRequest(namespace=client.namespace, deployment_name=deployment)
        )
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:  # it has just begun to poll
            return []
        raise
    latest = sorted(
        known.worker_deployment_info.version_summaries,
        key=lambda version: version.create_time.ToNanoseconds(),
        reverse=True,
    )
    return [Build(deployment, version.deployment_version.build_id) for version in latest]
