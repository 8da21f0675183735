"""Spans of what is asked of workflows, and of what their handlers make of it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol

from opentelemetry.trace import SpanKind, Status, StatusCode, Tracer, get_current_span
from temporalio.api.common.v1 import Payload
from temporalio.client import (
    Interceptor,
    OutboundInterceptor,
    SignalWorkflowInput,
    StartWorkflowInput,
    StartWorkflowUpdateInput,
    StartWorkflowUpdateWithStartInput,
    WorkflowHandle,
)

from integrations.tracing import context_of, traceparent
from phasegate.delivery import impersonal
from workflows.observing import HEADER, header

_WORKFLOW = "temporalWorkflowID"


class _Carrier(Protocol):
    headers: Mapping[str, Payload]


class TraceCalls(Interceptor):
    """Sends the trace along with Updates, signals and starts.

    Not the SDK's own interceptor: that one hands a trace on to every child, activity and next run,
    and a lifecycle would be one trace for years.
    """

    def __init__(self, tracer: Tracer) -> None:
        self.tracer = tracer

    def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:
        return _Client(next, self.tracer)

    def handled(
        self, name: str, trace: str, begun: int, about: Mapping[str, str], refused: str
    ) -> None:
        """A workflow has handled something: see `workflows.observing.Handled`."""
        now = time.time_ns()
        place = {_WORKFLOW: impersonal(about[_WORKFLOW])} if _WORKFLOW in about else {}
        span = self.tracer.start_span(
            f"handle {name}",
            context_of(trace),
            kind=SpanKind.SERVER,
            attributes={
                **about,
                **place,
                **({"phasegate.refused": refused} if refused else {}),
            },
            start_time=begun or now,
        )
        if refused:
            span.set_status(Status(StatusCode.ERROR, refused))
        span.end(now)


class _Client(OutboundInterceptor):
    def __init__(self, next: OutboundInterceptor, tracer: Tracer) -> None:
        super().__init__(next)
        self._tracer = tracer

    async def start_workflow(self, input: StartWorkflowInput) -> WorkflowHandle[Any, Any]:
        if not get_current_span().get_span_context().is_valid:
            return await super().start_workflow(input)  # a worker starts couriers, for many
        with self._sending(f"start {input.workflow}", input.id):
            return await super().start_workflow(input)

    async def signal_workflow(self, input: SignalWorkflowInput) -> None:
        with self._sending(f"signal {input.signal}", input.id, input):
            await super().signal_workflow(input)

    async def start_workflow_update(self, input: StartWorkflowUpdateInput) -> Any:
        about = {"temporalUpdateID": input.update_id or ""}
        with self._sending(f"ask {input.update}", input.id, input, about):
            return await super().start_workflow_update(input)

    async def start_update_with_start_workflow(
        self, input: StartWorkflowUpdateWithStartInput
    ) -> Any:
        update = input.update_workflow_input
        with self._sending(f"ask {update.update}", input.start_workflow_input.id, update):
            return await super().start_update_with_start_workflow(input)

    @contextmanager
    def _sending(
        self,
        name: str,
        workflow_id: str,
        carrier: _Carrier | None = None,
        about: Mapping[str, str] | None = None,
    ) -> Iterator[None]:
        """What a start is part of is not handed on: what runs for years is no part of it."""
        # A courier of mail is named after its person.
        attributes = {_WORKFLOW: impersonal(workflow_id), **(about or {})}
        with self._tracer.start_as_current_span(
            # An error's text may have names in it, and has whatever the caller sent.
            name,
            kind=SpanKind.CLIENT,
            attributes=attributes,
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            if carrier is not None:
                carrier.headers = {**carrier.headers, HEADER: header(traceparent())}
            try:
                yield
            except Exception as error:
                span.set_status(Status(StatusCode.ERROR, type(error).__name__))
                raise
