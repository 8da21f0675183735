"""On which task queue a workflow orders what it does not do itself."""

from __future__ import annotations

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from phasegate.queues import Kind, queue_of


def queue(kind: Kind) -> str:
    """That of the kind, beside the queue that this workflow runs on."""
    return queue_of(workflow.info().task_queue, kind)
