"""Confidential runs: what they show in the open is pseudonyms and generic words.

A run is confidential if it was started so: the mark is in its header, and so in its history. What
it shows decides which commands it has, so it may not change while the run is on: one that began
before the mode was switched on stays as it is, and its next run is confidential.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn

from temporalio import workflow
from temporalio.api.common.v1 import Payload
from temporalio.client import Interceptor as ClientInterceptor
from temporalio.client import (
    OutboundInterceptor,
    StartWorkflowInput,
    StartWorkflowUpdateWithStartInput,
    WorkflowHandle,
)
from temporalio.worker import (
    ContinueAsNewInput,
    Interceptor,
    StartChildWorkflowInput,
    WorkflowInboundInterceptor,
    WorkflowInterceptorClassInput,
    WorkflowOutboundInterceptor,
)

with workflow.unsafe.imports_passed_through():
    from phasegate.pseudonyms import PLAIN, Names, in_use

HEADER = "phasegate-confidential"

_MARK = Payload(metadata={"encoding": b"json/plain"}, data=b"true")


def names() -> Names:
    """How this run writes names in the open."""
    return in_use() if HEADER in workflow.info().headers else PLAIN


def marked(headers: Mapping[str, Payload]) -> Mapping[str, Payload]:
    """The header of a run that is started by this process."""
    return {**headers, HEADER: _MARK} if in_use().hidden else headers


class MarkStarts(ClientInterceptor):
    """Marks what clients start."""

    def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:
        return _Client(next)


class _Client(OutboundInterceptor):
    async def start_workflow(self, input: StartWorkflowInput) -> WorkflowHandle[Any, Any]:
        input.headers = marked(input.headers)
        return await super().start_workflow(input)

    async def start_update_with_start_workflow(
        self, input: StartWorkflowUpdateWithStartInput
    ) -> Any:
        start = input.start_workflow_input
        start.headers = marked(start.headers)
        return await super().start_update_with_start_workflow(input)


class MarkRuns(Interceptor):
    """Marks what workflows start: children, and their own next runs."""

    def workflow_interceptor_class(
        self, input: WorkflowInterceptorClassInput
    ) -> type[WorkflowInboundInterceptor]:
        return _Inbound


class _Inbound(WorkflowInboundInterceptor):
    def init(self, outbound: WorkflowOutboundInterceptor) -> None:
        super().init(_Outbound(outbound))


class _Outbound(WorkflowOutboundInterceptor):
    async def start_child_workflow(
        self, input: StartChildWorkflowInput
    ) -> workflow.ChildWorkflowHandle[Any, Any]:
        input.headers = marked(input.headers)
        return await super().start_child_workflow(input)

    def continue_as_new(self, input: ContinueAsNewInput) -> NoReturn:
        input.headers = marked(input.headers)
        super().continue_as_new(input)
