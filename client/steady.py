"""Workflows go on with workflow tasks, and with nothing else; and every task leaves its mark.

A query that meets a workflow between two tasks may bring along what has happened since the last
one, and SDK 1.35 lets a cached workflow go on with it. Nothing of that is in the history: the next
task carries out what is then to be done, and a replay, which finds the same events together with
later ones, does it in another order and fails (temporalio/sdk-go#755 tells of the race; the
histories that tests/workflows/test_fuzz.py leaves show it). Or it brings along a whole task, which
another worker was given, or which lies behind the query on this one (BufferedTasks of the SDK's
core, `get_next_wft`). No harm, unless that task brings an Update besides, which a replay would hear
first, or is given up.

So every task that leaves something has a flag of its own in its completion, the number of its
start. The core shows a flag to later tasks when the completion has been sent, or is in the history
that another worker sent; what was done for a query alone is not sent. Where a task does not show
the flag of the last one, that one was given up, and this one would carry out both: the workflow
leaves the cache instead, as where an Update comes by itself in a task that has begun.

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

from collections.abc import Iterable, Set
from dataclasses import dataclass, field
from typing import Any

import structlog
from temporalio.api.common.v1 import Payload
from temporalio.bridge.proto.workflow_activation import WorkflowActivation
from temporalio.bridge.proto.workflow_commands import WorkflowCommand
from temporalio.bridge.proto.workflow_completion import WorkflowActivationCompletion
from temporalio.converter import StorageDriverStoreContext
from temporalio.worker import WorkflowInstance, WorkflowInstanceDetails
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner

log = structlog.get_logger(__name__)

OUT_OF_STEP = "a query met the workflow between two of its tasks; ask again"

MARK, NOTHING = "phasegate-task", Payload(metadata={"encoding": b"binary/null"})
"""What is noted in the memo, which a null takes out of it again."""

NOWHERE = StorageDriverStoreContext(target=None)

WRECKS: list[WorkflowInstance] = []
"""What was broken off and cannot be taken down. It is kept: what is freed instead may wake in the
thread of another workflow."""

FLAG = 7001
"""The SDKs record by such numbers how they went about a task; its own are small."""

FIRST = 1_000_000
"""The flag of a task is this and the number of its start in the history."""

ASIDE = {"query_workflow", "remove_from_cache"}
"""Jobs that are no part of a history."""

NOTHING_NEW = {*ASIDE, "notify_has_patch", "update_random_seed", "do_update"}
"""Jobs that take nothing in. An Update does when it is accepted, and that is a command."""

ENDS = {
    "complete_workflow_execution",
    "fail_workflow_execution",
    "cancel_workflow_execution",
    "continue_as_new_workflow_execution",
}
"""Commands after which no other may come."""

CERTAIN = {
    "upsert_workflow_search_attributes",
    "modify_workflow_properties",
    "request_cancel_external_workflow_execution",
    *ENDS,
}
"""Commands that leave an event, whatever else is ordered."""

UNDONE_BY = {
    "start_timer": ("cancel_timer", "seq"),
    "schedule_activity": ("request_cancel_activity", "seq"),
    "start_child_workflow_execution": ("cancel_child_workflow_execution", "child_workflow_seq"),
    "signal_external_workflow_execution": ("cancel_signal_workflow", "seq"),
}
"""Commands that leave an event, unless they are undone at once; and what undoes them."""


@dataclass
class Shown:
    """Whether flags come back to a worker at all: a server without `sdk_metadata` keeps none."""

    yes: bool = False


@dataclass(frozen=True)
class SteadyRunner(SandboxedWorkflowRunner):
    """The sandbox, for workflows that stay in step with their histories."""

    shown: Shown = field(default_factory=Shown)

    def create_instance(self, det: WorkflowInstanceDetails) -> WorkflowInstance:
        return Steady(super().create_instance(det), self.shown)


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


class Steady(Within):
    def __init__(self, inner: WorkflowInstance, shown: Shown) -> None:
        super().__init__(inner)
        self._shown = shown
        self._length = 0
        self._task: tuple[int, int, int] | None = None
        self._flag = 0
        self._idle = False
        self._ended = False

    def activate(self, act: WorkflowActivation) -> WorkflowActivationCompletion:
        jobs = {job.WhichOneof("variant") for job in act.jobs}
        if "remove_from_cache" in jobs:
            return self._taken_down(act)
        if jobs <= ASIDE:
            return self._inner.activate(act)
        if why := self._is_out_of_step(act, jobs):
            log.info("a workflow begins anew from its history", why=why, run_id=act.run_id)
            return _refused(act)
        done = self._inner.activate(act)
        if done.HasField("successful"):
            commands, new = done.successful.commands, not jobs <= NOTHING_NEW
            marked = _leaves_a_mark(act, commands)
            self._idle = not (marked or new)
            self._ended |= any(command.WhichOneof("variant") in ENDS for command in commands)
            flags = done.successful.used_internal_flags
            known = not act.is_replaying or FLAG in act.available_internal_flags
            if new and known and not (marked or self._ended):
                noted = commands.add().modify_workflow_properties.upserted_memo
                noted.fields[MARK].CopyFrom(NOTHING)
                flags.append(FLAG)
            if not (self._idle or act.is_replaying):
                self._flag = FIRST + act.history_length
                flags.append(self._flag)
        return done

    def _taken_down(self, act: WorkflowActivation) -> WorkflowActivationCompletion:
        try:
            return self._inner.activate(act)
        except RuntimeError:  # tasks remain that neither run nor end
            log.warning("a workflow task was broken off; its run begins anew", run_id=act.run_id)
            WRECKS.append(self._inner)
            return WorkflowActivationCompletion(run_id=act.run_id)

    def _is_out_of_step(self, act: WorkflowActivation, jobs: Set[str | None]) -> str:
        """Why it is, or empty.

        An activation of a task has the instant at which the task was started, and how large the
        history was then: a server's clock may go back, and time here does not.

        A task in which Updates were refused and nothing else was done may have been taken back: the
        length of the history is then reckoned from before it. Nothing more comes of such a task.
        """
        task = (act.timestamp.seconds, act.timestamp.nanos, act.history_size_bytes)
        same, self._task = task == self._task, task
        longer, self._length = act.history_length > self._length, act.history_length
        if same:
            if act.is_replaying:
                return ""
            if longer or self._idle:
                return "a query brought what is no task's"
            return "a query brought the rest of its task" if "do_update" in jobs else ""
        flag, self._flag = self._flag, 0
        if not flag or flag in act.available_internal_flags:
            self._shown.yes |= flag > 0
            return ""
        return "the last task was given up" if self._shown.yes else ""


def _refused(act: WorkflowActivation) -> WorkflowActivationCompletion:
    """The SDK then takes the workflow out of the cache."""
    refused = WorkflowActivationCompletion(run_id=act.run_id)
    refused.failed.failure.message = OUT_OF_STEP
    return refused


def _leaves_a_mark(act: WorkflowActivation, commands: Iterable[WorkflowCommand]) -> bool:
    """Whether these commands leave an event for certain; where it is not, one too many is added.

    An Update that is refused leaves none. One that fails after it was accepted does.
    """
    asked = {job.do_update.protocol_instance_id for job in act.jobs if job.HasField("do_update")}
    ordered: set[tuple[str, int]] = set()
    undone: set[tuple[str, int]] = set()
    for command in commands:
        kind = str(command.WhichOneof("variant"))
        if kind in CERTAIN:
            return True
        if kind == "update_response":
            answer = command.update_response
            if not answer.HasField("rejected") or answer.protocol_instance_id not in asked:
                return True
        elif kind in UNDONE_BY:
            ordered.add((UNDONE_BY[kind][0], getattr(command, kind).seq))
        for undoes, number in UNDONE_BY.values():
            if kind == undoes:
                undone.add((kind, getattr(getattr(command, kind), number)))
    timers = {what for what in undone - ordered if what[0] == "cancel_timer"}
    return bool(ordered - undone or timers)
