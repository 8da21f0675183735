"""Which events of a history a task brings, and which it leaves."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from temporalio.bridge.proto.workflow_activation import WorkflowActivation, WorkflowActivationJob
from temporalio.bridge.proto.workflow_commands import WorkflowCommand


class Counted(NamedTuple):
    """A number of events, which is known within bounds."""

    least: int
    most: int

    def plus(self, other: Counted) -> Counted:
        return Counted(self.least + other.least, self.most + other.most)


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

PERHAPS = {
    "request_cancel_activity": 1,
    "cancel_child_workflow_execution": 1,
    "cancel_signal_workflow": 1,
    "set_patch_marker": 2,  # a marker, and a search attribute
}
"""Commands that leave events or none, by what else there is; and how many at most."""


def left_by(act: WorkflowActivation, commands: Iterable[WorkflowCommand]) -> Counted:
    """How many events these commands leave, at least and at most.

    An Update that is refused leaves none. One that fails after it was accepted does.
    """
    new = {job.do_update.protocol_instance_id for job in act.jobs if job.HasField("do_update")}
    certain = perhaps = 0
    ordered: set[tuple[str, int]] = set()
    undone: set[tuple[str, int]] = set()
    for command in commands:
        kind = str(command.WhichOneof("variant"))
        perhaps += PERHAPS.get(kind, 0)
        if kind in CERTAIN:
            certain += 1
        elif kind == "update_response":
            answer = command.update_response
            certain += not (answer.HasField("rejected") and answer.protocol_instance_id in new)
            new.discard(answer.protocol_instance_id)  # what fails now was accepted
        elif kind in UNDONE_BY:
            ordered.add((UNDONE_BY[kind][0], getattr(command, kind).seq))
        for undoes, number in UNDONE_BY.values():
            if kind == undoes:
                undone.add((kind, getattr(getattr(command, kind), number)))
    timers = {what for what in undone - ordered if what[0] == "cancel_timer"}
    certain += len(ordered - undone) + len(timers)
    return Counted(certain, certain + perhaps)


def brought_by(jobs: Iterable[WorkflowActivationJob]) -> Counted:
    """Of how many events these jobs come, at least and at most.

    What the workflow itself has cancelled is answered at once, and its event comes whenever it
    does. So it is with what could not be done.
    """
    counted = [_came_of(job) for job in jobs]
    return Counted(sum(one.least for one in counted), sum(one.most for one in counted))


def _came_of(job: WorkflowActivationJob) -> Counted:
    kind = str(job.WhichOneof("variant"))
    match kind:
        case "signal_workflow" | "fire_timer" | "cancel_workflow":
            return Counted(1, 1)
        case "resolve_activity":  # its start is written down with its end
            done = job.resolve_activity.result.HasField("completed")
            return Counted(2 if done else 0, 2)
        case "resolve_child_workflow_execution_start":
            unknown = job.resolve_child_workflow_execution_start.HasField("cancelled")
        case "resolve_child_workflow_execution":
            unknown = job.resolve_child_workflow_execution.result.HasField("cancelled")
        case "resolve_signal_external_workflow":
            unknown = job.resolve_signal_external_workflow.HasField("failure")
        case "resolve_request_cancel_external_workflow":
            unknown = job.resolve_request_cancel_external_workflow.HasField("failure")
        case _:
            return Counted(0, 0)
    return Counted(0 if unknown else 1, 1)
