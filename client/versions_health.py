"""Whether the builds that runs are pinned to have workers, and new runs a build to begin on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from temporalio.api.deployment.v1 import WorkerDeploymentVersion
from temporalio.api.enums.v1 import TaskQueueType, WorkerVersioningMode
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import (
    DescribeTaskQueueRequest,
    DescribeTaskQueueResponse,
    DescribeWorkerDeploymentRequest,
)
from temporalio.client import Client
from temporalio.common import SearchAttributeKey
from temporalio.service import RPCError, RPCStatusCode

from client.checkup import Check
from client.settings import Settings
from client.versioning import Build

NAME = "worker versions"

ASKED = 20
"""Builds without workers whose runs are counted, the latest first: each is one query."""

NO_BUILD = "workers of no deployment"

DEPLOYMENT_OF = SearchAttributeKey.for_keyword("TemporalWorkerDeployment")
WORKFLOW = TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW
VERSIONED = WorkerVersioningMode.WORKER_VERSIONING_MODE_VERSIONED


@dataclass(frozen=True)
class _Found:
    """How the task queue of the products is worked."""

    current: Build | None
    polling: tuple[Build, ...]
    unversioned: bool
    """Whether a worker of no deployment polls it, too."""
    ramping: Build | None = None
    """What gets `share` percent of what starts; None where it is workers of no deployment."""
    share: float = 0

    @property
    def ramp_is_idle(self) -> bool:
        """Whether what the ramp sends away waits for a worker."""
        there = self.ramping in self.polling if self.ramping else self.unversioned
        return self.share > 0 and not there


async def examine_versions(client: Client, settings: Settings) -> Check | None:
    """None where workers belong to no deployment. Raises RPCError."""
    found = _read(await _described(client, settings.task_queue))
    deployments = list(dict.fromkeys(b.deployment for b in (found.current, *found.polling) if b))
    if not deployments and (last := await _last_deployment(client, settings.task_queue)):
        deployments = [last]
    if not deployments:
        return None
    if found.current is None and found.polling and not found.unversioned:
        shown = _names(found.polling)
        return Check(
            check=NAME,
            state="fail",
            what=f"workers of {shown} poll, and no build is current: what starts waits for ever",
            mend=_make_current(found.polling[-1]),
        )
    if found.current and found.current not in found.polling:
        return _idle(found.current, found)
    if found.ramp_is_idle:
        return _idle_ramp(found.ramping, found.share, deployments[0])
    if stranded := await _stranded(client, deployments, found.polling):
        return _left_behind(stranded, found.current)
    if found.current is None and found.polling:
        return Check(
            check=NAME,
            state="warn",
            what=f"workers of {_names(found.polling)} poll, and no build is current: what starts "
            "goes to workers of no deployment",
            mend=_make_current(found.polling[-1]),
        )
    if found.current is None:
        return None
    also = ""
    if found.share:
        also = f"; {found.share:g} % of what starts or moves goes to {found.ramping or NO_BUILD}"
    taking = (found.current, found.ramping if found.share else None)
    if others := [build for build in found.polling if build not in taking]:
        also += f"; {_names(others)} polls for runs that it began"
    return Check(check=NAME, state="ok", what=f"{_names([found.current])} is current{also}")


def _idle(current: Build, found: _Found) -> Check:
    """The current build has no worker."""
    what = f"{_names([current])} is current and has no worker: what starts waits"
    if found.polling:
        also = f"; workers of {_names(found.polling)} poll"
        return Check(
            check=NAME, state="fail", what=what + also, mend=_make_current(found.polling[-1])
        )
    begin = f"phasegate worker run {_options(current)}"
    if found.unversioned:
        what += ", though workers of no deployment poll"
        begin += (
            "; to do without builds: temporal worker deployment set-current-version "
            f"--deployment-name {current.deployment} --unversioned --yes"
        )
    return Check(check=NAME, state="fail", what=what, mend=begin)


def _idle_ramp(ramping: Build | None, share: float, deployment: str) -> Check:
    """The build, or the workers of no deployment, that a part of what starts is sent to."""
    options = f" {_options(ramping)}" if ramping else ""
    which = f"--build-id {ramping.build_id}" if ramping else "--unversioned"
    return Check(
        check=NAME,
        state="fail",
        what=f"{share:g} % of what starts or moves goes to {ramping or NO_BUILD}, and no such "
        "worker polls: that part waits",
        mend=f"phasegate worker run{options}; to end the ramp: temporal worker deployment "
        f"set-ramping-version --deployment-name {deployment} {which} --delete --yes",
    )


def _left_behind(stranded: dict[Build, int], current: Build | None) -> Check:
    """Runs are pinned to builds that have no worker."""
    said = ", ".join(f"{count} to {_names([build])}" for build, count in stranded.items())
    first = next(iter(stranded))
    mend = f"phasegate worker run {_options(first)}"
    if current:
        mend += (
            f"; where that build is lost and {current.build_id} replays its histories: "
            f'temporal workflow update-options --query "{running_on(first)}" '
            "--versioning-override-behavior one_time "
            f"--versioning-override-deployment-name {current.deployment} "
            f"--versioning-override-build-id {current.build_id} --yes"
        )
    return Check(
        check=NAME,
        state="fail",
        what=f"running workflows are pinned to builds without a worker and stand still: {said}",
        mend=mend,
    )


def running_on(build: Build) -> str:
    """The list query of what runs on a build."""
    version = f"{build.deployment}:{build.build_id}"
    return f"TemporalWorkerDeploymentVersion = '{version}' AND ExecutionStatus = 'Running'"


async def _described(client: Client, queue: str) -> DescribeTaskQueueResponse:
    return await client.workflow_service.describe_task_queue(
        DescribeTaskQueueRequest(
            namespace=client.namespace,
            task_queue=TaskQueue(name=queue),
            task_queue_type=WORKFLOW,
        )
    )


def _read(queue: DescribeTaskQueueResponse) -> _Found:
    asked = sorted(queue.pollers, key=lambda poller: poller.last_access_time.ToNanoseconds())
    options = [poller.deployment_options for poller in asked]
    builds = [
        Build(said.deployment_name, said.build_id)
        for said in options
        if said.worker_versioning_mode == VERSIONED
    ]
    info = queue.versioning_info
    return _Found(
        current=_build(info.current_deployment_version),
        polling=tuple(dict.fromkeys(builds)),
        unversioned=len(builds) < len(options),
        ramping=_build(info.ramping_deployment_version),
        share=info.ramping_version_percentage,
    )


def _build(version: WorkerDeploymentVersion) -> Build | None:
    return Build(version.deployment_name, version.build_id) if version.build_id else None


async def _last_deployment(client: Client, queue: str) -> str | None:
    """Where no worker belongs to a deployment: one whose builds runs are still pinned to."""
    pinned = (
        f"TaskQueue = '{queue}' AND TemporalWorkflowVersioningBehavior = 'Pinned' "
        "AND ExecutionStatus = 'Running'"
    )
    async for run in client.list_workflows(pinned, limit=1):
        return run.typed_search_attributes.get(DEPLOYMENT_OF)
    return None


async def _stranded(
    client: Client, deployments: Iterable[str], polling: tuple[Build, ...]
) -> dict[Build, int]:
    """Builds without a worker, and how many running workflows are pinned to each."""
    found: dict[Build, int] = {}
    for deployment in deployments:
        for build in (await _builds(client, deployment))[:ASKED]:
            if build not in polling and (count := await _running(client, build)):
                found[build] = count
    return found


async def _builds(client: Client, deployment: str) -> list[Build]:
    """The builds of a deployment that the server knows, the latest first."""
    try:
        described = await client.workflow_service.describe_worker_deployment(
            DescribeWorkerDeploymentRequest(namespace=client.namespace, deployment_name=deployment)
        )
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:  # it has just begun to poll
            return []
        raise
    known = sorted(
        described.worker_deployment_info.version_summaries,
        key=lambda version: version.create_time.ToNanoseconds(),
        reverse=True,
    )
    return [Build(deployment, version.deployment_version.build_id) for version in known]


async def _running(client: Client, build: Build) -> int:
    return (await client.count_workflows(running_on(build))).count


def _names(builds: Iterable[Build]) -> str:
    return ", ".join(map(str, builds))


def _options(build: Build) -> str:
    return f"--deployment {build.deployment} --build-id {build.build_id}"


def _make_current(build: Build) -> str:
    return (
        "temporal worker deployment set-current-version "
        f"--deployment-name {build.deployment} --build-id {build.build_id} --yes"
    )
