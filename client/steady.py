"""Workflows go on with workflow tasks, and with nothing else.

A query that meets a workflow between two tasks brings along what has happened since the last one,
and SDK 1.35 lets a cached workflow go on with it. Nothing of that is in the history: the next task
carries out what is then to be done, and a replay, which finds the same events together with later
ones, does it in another order and fails (temporalio/sdk-go#755 tells of the race; the histories
that tests/workflows/test_fuzz.py leaves show it). Here such a workflow leaves the cache instead,
and the query is asked again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from temporalio.bridge.proto.workflow_activation import WorkflowActivation
from temporalio.bridge.proto.workflow_completion import WorkflowActivationCompletion
from temporalio.worker import WorkflowInstance, WorkflowInstanceDetails
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner

OUT_OF_STEP = "a query met the workflow between two of its tasks; ask again"


@dataclass(frozen=True)
class SteadyRunner(SandboxedWorkflowRunner):
    """The sandbox, for workflows that stay in step with their histories."""

    def create_instance(self, det: WorkflowInstanceDetails) -> WorkflowInstance:
        return _Steady(super().create_instance(det))


class _Steady(WorkflowInstance):
    def __init__(self, inner: WorkflowInstance) -> None:
        self._inner = inner
        self._length = 0
        self._task: tuple[int, int] | None = None

    def activate(self, act: WorkflowActivation) -> WorkflowActivationCompletion:
        """An activation of a task has the instant at which the task was started."""
        task = (act.timestamp.seconds, act.timestamp.nanos)
        if task == self._task and act.history_length > self._length and not act.is_replaying:
            refused = WorkflowActivationCompletion(run_id=act.run_id)
            refused.failed.failure.message = OUT_OF_STEP
            return refused
        self._task, self._length = task, act.history_length
        return self._inner.activate(act)

    def get_serialization_context(self, command_info: Any) -> Any:
        return self._inner.get_serialization_context(command_info)

    def get_external_store_context(self, command_info: Any) -> Any:
        return self._inner.get_external_store_context(command_info)

    def get_info(self) -> Any:
        return self._inner.get_info()

    def get_thread_id(self) -> int | None:
        return self._inner.get_thread_id()
