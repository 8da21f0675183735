"""Signals with more arguments than a handler takes: refused like other garbage.

Temporal takes any signal from anybody. The SDK calls the handler with as many arguments as came,
and the TypeError of a surplus one fails the workflow task again and again, so that one
`temporal workflow signal --input 1 --input 2` would stop a product for good (tried on SDK 1.35).
"""

from __future__ import annotations

from temporalio import workflow
from temporalio.worker import (
    HandleSignalInput,
    Interceptor,
    WorkflowInboundInterceptor,
    WorkflowInterceptorClassInput,
)

with workflow.unsafe.imports_passed_through():
    from workflows.refusing import SURPLUS


class SignalIntake(Interceptor):
    """Hands a named signal handler one argument, whatever was sent."""

    def workflow_interceptor_class(
        self, input: WorkflowInterceptorClassInput
    ) -> type[WorkflowInboundInterceptor]:
        return _Intake


class _Intake(WorkflowInboundInterceptor):
    async def handle_signal(self, input: HandleSignalInput) -> None:
        if len(input.args) > 1 and workflow.get_signal_handler(input.signal) is not None:
            input.args = [SURPLUS]
        await super().handle_signal(input)
