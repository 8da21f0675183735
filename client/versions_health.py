"""Whether the builds that runs are pinned to have workers, and new runs a build to begin on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from temporalio.api.deployment.v1 import WorkerDeploymentVersion
from temporalio.api.workflowservice.v1 import DescribeTaskQueueResponse
from temporalio.client import Client
from temporalio.common import SearchAttributeKey

from client.checkup import Check
from client.pinned import Left, builds_of, described, left_behind, running_on
from client.polling import working
from client.settings import Settings
from client.versioning import Build
from phasegate.queues import KINDS, queue_of

NAME = "worker versions"

NO_BUILD = "workers of no deployment"

DEPLOYMENT_OF = SearchAttributeKey.for_keyword("TemporalWorkerDeployment")


@dataclass(frozen=True)
class _Found:
    """How the task queue of the products is worked."""

    current: Build | None
    polling: tuple[Build, ...]
    unversioned: bool
    """Whether a worker of no deployment polls it, too."""
    plain: tuple[str, ...] = ()
    """Those, by name."""
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
    found = _read(await described(client, settings.task_queue))
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
    left = await left_behind(client, settings.task_queue, deployments, found.polling)
    if still := [each for each in left if not each.queues]:
        return _standing_still(still, found.current)
    if found.current is None and found.polling:
        return Check(
            check=NAME,
            state="warn",
            what=f"workers of {_names(found.polling)} poll, and no build is current: what starts "
            "goes to workers of no deployment",
            mend=_make_current(found.polling[-1]),
        )
    if left:
        return _waiting(left, settings.task_queue)
    if found.current is None:
        return None
    if found.plain and not (found.share and found.ramping is None):
        return _for_nothing(found.plain, found.current)
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
        begin += f"; {_without(current)}"
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


def _standing_still(left: list[Left], current: Build | None) -> Check:
    """Runs are pinned to builds that have no worker."""
    said = ", ".join(f"{each.runs} to {_names([each.build])}" for each in left)
    first = left[0].build
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


def _for_nothing(plain: tuple[str, ...], current: Build) -> Check:
    """Workers that belong to no build poll, while all goes to those that do."""
    return Check(
        check=NAME,
        state="warn",
        what=f"{_names([current])} is current, and workers of no deployment poll as well, which "
        f"get no workflows: {', '.join(plain)}",
        mend=f"phasegate worker run {_options(current)}, in their place; {_without(current)}",
    )


def _without(current: Build) -> str:
    return (
        "to do without builds: temporal worker deployment set-current-version "
        f"--deployment-name {current.deployment} --unversioned --yes"
    )


def _waiting(left: list[Left], main: str) -> Check:
    """Runs are pinned to builds of which workers for some kinds of work have gone."""
    said = "; ".join(f"{_names([each.build])} on {', '.join(each.queues)}" for each in left)
    first = left[0]
    kinds = {queue_of(main, kind): kind for kind in KINDS}
    options = [f"--only {kinds[queue]}" for queue in first.queues if queue in kinds]
    if not options:  # a queue that a policy names
        options = ["--only retirement", f"--task-queue {first.queues[0]}"]
    return Check(
        check=NAME,
        state="warn",
        what="running workflows are pinned to builds that no worker polls any more for some of "
        f"what they order, which waits: {said}",
        mend=f"phasegate worker run {_options(first.build)} {' '.join(options)}",
    )


def _read(queue: DescribeTaskQueueResponse) -> _Found:
    asked = sorted(
        working(queue.pollers), key=lambda poller: poller.last_access_time.ToNanoseconds()
    )
    builds = builds_of(asked)
    info = queue.versioning_info
    return _Found(
        current=_build(info.current_deployment_version),
        polling=tuple(dict.fromkeys(builds)),
        unversioned=len(builds) < len(asked),
        plain=tuple(sorted({poller.identity for poller in asked if not builds_of([poller])})),
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


def _names(builds: Iterable[Build]) -> str:
    return ", ".join(map(str, builds))


def _options(build: Build) -> str:
    return f"--deployment {build.deployment} --build-id {build.build_id}"


def _make_current(build: Build) -> str:
    return (
        "temporal worker deployment set-current-version "
        f"--deployment-name {build.deployment} --build-id {build.build_id} --yes"
    )
