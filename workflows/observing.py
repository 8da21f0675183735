"""What is said of Updates and signals for those who watch: how long, and by which trace.

A trace comes in the header of whatever starts it, so it is part of the history and the same on a
replay. It is kept with what is announced on its behalf, since that is written and sent later, by
others. Clock and spans are handed in from outside, and are used where something happens for the
first time only: no command depends on them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from contextvars import ContextVar
from datetime import timedelta
from typing import Any

from temporalio import workflow
from temporalio.api.common.v1 import Payload
from temporalio.exceptions import ApplicationError
from temporalio.worker import (
    HandleSignalInput,
    HandleUpdateInput,
    Interceptor,
    WorkflowInboundInterceptor,
    WorkflowInterceptorClassInput,
)

with workflow.unsafe.imports_passed_through():
    from phasegate.measures import HANDLING
    from workflows.measuring import took

HEADER = "_tracer-data"
"""As the SDK's own tracing has it, so that other clients and workers understand it, too."""

_TRACEPARENT = re.compile(r"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")

_CLOCK, _HANDLED = "phasegate_clock", "phasegate_handled"

_trace: ContextVar[str] = ContextVar("traceparent", default="")

Clock = Callable[[], int]
"""Nanoseconds since 1970."""

Handled = Callable[[str, str, int, Mapping[str, str], str], None]
"""Something was handled: its name, its trace, since when (of the clock; 0 if a replay began it),
what it was about, and the code of the refusal."""


def trace() -> str:
    """The W3C traceparent of what is being handled; empty if it has none."""
    return _trace.get()


def carried(headers: Mapping[str, Payload]) -> str:
    """The traceparent of a header; empty where it is none, whoever wrote it."""
    payload = headers.get(HEADER)
    if payload is None:
        return ""
    try:
        found = json.loads(payload.data)["traceparent"]
    except (ValueError, LookupError, TypeError, RecursionError):
        return ""
    return found if isinstance(found, str) and _TRACEPARENT.fullmatch(found) else ""


def header(traceparent: str) -> Payload:
    """The header that carries it."""
    data = json.dumps({"traceparent": traceparent}).encode()
    return Payload(metadata={"encoding": b"json/plain"}, data=data)


class Observe(Interceptor):
    """Measures what handlers take, and tells `handled` of each."""

    def __init__(self, clock: Clock, handled: Handled | None = None) -> None:
        self._outside: dict[str, Callable[..., Any]] = {_CLOCK: clock}
        if handled is not None:
            self._outside[_HANDLED] = handled

    def workflow_interceptor_class(
        self, input: WorkflowInterceptorClassInput
    ) -> type[WorkflowInboundInterceptor]:
        input.unsafe_extern_functions.update(self._outside)
        return _Observed


class _Observed(WorkflowInboundInterceptor):
    async def handle_update_handler(self, input: HandleUpdateInput) -> Any:
        _trace.set(carried(input.headers))
        begun = _clock()
        try:
            answer = await super().handle_update_handler(input)
        except Exception as error:
            _told(input.update, begun, error)
            _took(input.update, begun)
            raise
        _told(input.update, begun)
        _took(input.update, begun)
        return answer

    async def handle_signal(self, input: HandleSignalInput) -> None:
        _trace.set(carried(input.headers))
        begun = _clock()
        await super().handle_signal(input)
        _told(input.signal, begun)


def _clock() -> int:
    """Now, by the machine's clock; 0 on a replay, which is not the first time."""
    if workflow.unsafe.is_replaying():
        return 0
    now: int = workflow.extern_functions()[_CLOCK]()
    return now


def _took(update: str, begun: int) -> None:
    ended = _clock()
    if begun and ended and workflow.get_update_handler(update) is not None:
        took(HANDLING, timedelta(microseconds=(ended - begun) // 1000), update=update)


def _told(name: str, begun: int, error: Exception | None = None) -> None:
    handled = workflow.extern_functions().get(_HANDLED)
    if handled is None or not trace() or workflow.unsafe.is_replaying():
        return
    info = workflow.info()
    about = {
        "temporalWorkflowID": info.workflow_id,
        "temporalRunID": info.run_id,
        "phasegate.workflow": info.workflow_type,
    }
    code = (error.type or "refused") if isinstance(error, ApplicationError) else ""
    code = code or (type(error).__name__ if error else "")
    # What watches runs outside the sandbox, and whatever becomes of it fails no workflow.
    with (
        suppress(Exception),
        workflow.unsafe.sandbox_unrestricted(),
        workflow.unsafe.imports_passed_through(),
    ):
        handled(name, trace(), begun, about, code)
