"""Workflows go on with workflow tasks, and with nothing else; and every task leaves its mark.

A query that meets a workflow between two tasks brings along what has happened since the last one,
and SDK 1.35 lets a cached workflow go on with it. Nothing of that is in the history: the next task
carries out what is then to be done, and a replay, which finds the same events together with later
ones, does it in another order and fails (temporalio/sdk-go#755 tells of the race; the histories
that tests/workflows/test_fuzz.py leaves show it). Or it brings along a whole task, which another
worker was given, and which is never done if that worker died. Here such a workflow leaves the cache
instead, and the query is asked again. Or the task is this worker's own and still lies behind the
query, which SDK 1.35 then takes first (BufferedTasks of its core, `get_next_wft`): no harm, unless
the task times out meanwhile, or brings an Update, which a replay would hear first. A worker that
has so much to do is known by how late it begins. And what comes next is looked at: an Update that
comes by itself in a task that was begun already, and a task by whose events the last one cannot be
in the history, are refused, too.

A task that took something in and ordered nothing is lost in a replay, too. The SDK takes a task
without commands, whose end another task follows at once, for the heartbeat of a local activity, and
makes one task of the two if the task before had no commands either. An Update that is on its way
makes the other task follow at once, and one that is refused makes a task without commands. So what
came in two tasks is replayed as one: signals before answers, at the later time, and perhaps with
the advice to continue as new that came with the second (tests/workflows/test_steady.py shows it).
Here a task that took something in always has a command: where the workflow gives none, one that
notes nothing. Histories that were begun without it replay as they are: a task that has such a
command says so by a flag of its own in its completion.

Where a machine stands still for two seconds in the middle of a task, the SDK believes in a deadlock
and breaks the task off. What it broke can then not be taken down: it tries that for ever, and the
run is stuck for as long as this worker lives (tests/chaos/test_pauses.py). Here such a run leaves
the cache all the same, and begins anew from its history.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Set
from dataclasses import dataclass
from threading import Lock
from time import monotonic
from typing import Any

import structlog
from temporalio.api.common.v1 import Payload
from temporalio.bridge.proto.workflow_activation import WorkflowActivation
from temporalio.bridge.proto.workflow_completion import WorkflowActivationCompletion
from temporalio.converter import StorageDriverStoreContext
from temporalio.worker import WorkflowInstance, WorkflowInstanceDetails
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner

from client.steady_events import ENDS, Counted, brought_by, left_by

log = structlog.get_logger(__name__)

OUT_OF_STEP = "a query met the workflow between two of its tasks; ask again"

MARK, NOTHING = "phasegate-task", Payload(metadata={"encoding": b"binary/null"})
"""What is noted in the memo, which a null takes out of it again."""

NOWHERE = StorageDriverStoreContext(target=None)

NONE = Counted(0, 0)

WRECKS: list[WorkflowInstance] = []
"""What was broken off and cannot be taken down. It is kept: what is freed instead may wake in the
thread of another workflow."""

ALONE = "legacy_query"
"""The id of a query that comes by itself, and with no task."""

AT_ONCE = 0.02
"""Seconds. A query follows at once what it brought along. Whoever is refused without need is asked
again, but what is on its way to the workflow may then wait for ten seconds: the SDK drops it with
the cache (with a second here, an Update soon after a start did)."""

LATE = 5.0
"""Seconds after the start of a task at which it may soon time out (after 10), and within which a
query may follow it on a worker that is so slow."""

TASK = 3
"""Events of a task: its scheduling, its start and its end."""

FLAG = 7001
"""The SDKs record by such numbers how they went about a task; its own are small."""

ASIDE = {"query_workflow", "remove_from_cache"}
"""Jobs that are no part of a history."""

NOTHING_NEW = {*ASIDE, "notify_has_patch", "update_random_seed", "do_update"}
"""Jobs that take nothing in. An Update does when it is accepted, and that is a command."""


@dataclass(frozen=True)
class SteadyRunner(SandboxedWorkflowRunner):
    """The sandbox, for workflows that stay in step with their histories."""

    def create_instance(self, det: WorkflowInstanceDetails) -> WorkflowInstance:
        return Steady(super().create_instance(det))


class Within(WorkflowInstance):
    """An instance around another one, which answers what this one is not asked about."""

    def __init__(self, inner: WorkflowInstance) -> None:
        self._inner = inner

    def get_serialization_context(self, command_info: Any) -> None:
        """No codec of ours asks where a payload belongs. The SDK enters the sandbox to find out,
        for each payload of a task and several times."""

    def get_external_store_context(self, command_info: Any) -> StorageDriverStoreContext:
        """Nor is any payload stored elsewhere."""
        return NOWHERE

    def get_info(self) -> Any:
        return self._inner.get_info()

    def get_thread_id(self) -> int | None:
        return self._inner.get_thread_id()


class Lateness:
    """How long after their start tasks are seen here. The server's clock may be another, and may
    leap ahead where time is skipped: what is least of the last tasks counts as none."""

    def __init__(self) -> None:
        self._lags: deque[float] = deque(maxlen=64)
        self._lock = Lock()

    def see(self, act: WorkflowActivation) -> float:
        """Seconds from the start of its task until now."""
        lag = monotonic() - (act.timestamp.seconds + act.timestamp.nanos / 1e9)
        with self._lock:
            self._lags.append(lag)
            return lag - min(self._lags)


LATENESS = Lateness()
"""Of all workflows of this process."""


class Steady(Within):
    def __init__(self, inner: WorkflowInstance) -> None:
        super().__init__(inner)
        self._length = 0
        self._left = NONE
        self._task: tuple[int, int] | None = None
        self._tasks = 0
        self._last = self._late = 0.0
        self._idle = False
        self._asked = False
        self._ended = False

    def activate(self, act: WorkflowActivation) -> WorkflowActivationCompletion:
        jobs = {job.WhichOneof("variant") for job in act.jobs}
        if "remove_from_cache" in jobs:
            return self._taken_down(act)
        if jobs <= ASIDE:
            if self._brought_a_task(act):
                return _refused(act)
            self._asked |= _is_alone(act)
            return self._inner.activate(act)
        if self._is_out_of_step(act, jobs):
            return _refused(act)
        if not act.is_replaying:
            self._late = LATENESS.see(act)
        done = self._inner.activate(act)
        self._last = monotonic()
        if done.HasField("successful"):
            commands, new = done.successful.commands, not jobs <= NOTHING_NEW
            left = left_by(act, commands)
            marked = left.least > 0
            self._idle = not (marked or new)
            self._ended |= any(command.WhichOneof("variant") in ENDS for command in commands)
            known = not act.is_replaying or FLAG in act.available_internal_flags
            if new and known and not (marked or self._ended):
                noted = commands.add().modify_workflow_properties.upserted_memo
                noted.fields[MARK].CopyFrom(NOTHING)
                done.successful.used_internal_flags.append(FLAG)
                left = left.plus(Counted(1, 1))
            self._left = NONE if act.is_replaying else self._left.plus(left)
        return done

    def _taken_down(self, act: WorkflowActivation) -> WorkflowActivationCompletion:
        try:
            return self._inner.activate(act)
        except RuntimeError:  # tasks remain that neither run nor end
            log.warning("a workflow task was broken off; its run begins anew", run_id=act.run_id)
            WRECKS.append(self._inner)
            return WorkflowActivationCompletion(run_id=act.run_id)

    def _is_out_of_step(self, act: WorkflowActivation, jobs: Set[str | None]) -> bool:
        """An activation of a task has the instant at which the task was started.

        A task in which Updates were refused and nothing else was done may have been taken back: the
        length of the history is then reckoned from before it. Nothing more comes of such a task.
        """
        task = (act.timestamp.seconds, act.timestamp.nanos)
        same, self._task = task == self._task, task
        self._tasks += not same and not act.is_replaying
        grown, self._length = act.history_length - self._length, act.history_length
        if same:
            late = grown > 0 or self._idle or "do_update" in jobs
            return late and not act.is_replaying
        undone = self._left.most > 0 and not act.is_replaying and self._is_undone(act, grown)
        self._left, self._asked = NONE, False
        return undone

    def _is_undone(self, act: WorkflowActivation, grown: int) -> bool:
        """Whether the last task was given up, so that this one would carry out both.

        The history has then grown by its end and by the next one's scheduling and start, and by
        what came from outside. Where it was completed, it has what its commands left, too. Tasks
        that failed in between lengthen the history as well: then only a query tells, if it came
        right after that task and may have brought it.
        """
        more, brought = grown - TASK, brought_by(act.jobs)
        least, most = more - brought.most, more - brought.least
        return most < self._left.least or (self._asked and least > self._left.most)

    def _brought_a_task(self, act: WorkflowActivation) -> bool:
        """Whether a query may have brought along the only task of a workflow that was not cached,
        or one that has waited here until it timed out.

        What it follows at once may as well be a task of this worker: then it is asked once more.
        """
        if not (self._tasks and _is_alone(act)):
            return False
        passed = monotonic() - self._last
        return (self._tasks == 1 and passed < AT_ONCE) or passed < LATE < self._late + passed


def _is_alone(act: WorkflowActivation) -> bool:
    return any(job.query_workflow.query_id == ALONE for job in act.jobs)


def _refused(act: WorkflowActivation) -> WorkflowActivationCompletion:
    """The SDK then takes the workflow out of the cache."""
    refused = WorkflowActivationCompletion(run_id=act.run_id)
    refused.failed.failure.message = OUT_OF_STEP
    return refused
