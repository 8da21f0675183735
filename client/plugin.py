"""The one plugin: client, worker and replayer all speak and behave the same through it."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Awaitable, Callable, Sequence

from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.converter import DataConverter
from temporalio.plugin import SimplePlugin
from temporalio.service import ConnectConfig, ServiceClient
from temporalio.worker import WorkflowRunner
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from client.keyring import Keyring, load_keyring
from client.logs import LogContextInterceptor
from client.steady import SteadyRunner
from client.tracing import interceptors, start_tracing
from phasegate.pseudonyms import PLAIN, use
from workflows.discretion import MarkRuns, MarkStarts
from workflows.failures import PlainFailureConverter, SealedFailureConverter
from workflows.intake import Intake, RequestConverter
from workflows.observing import Observe

PASSED_THROUGH = ("phasegate", "workflows", "structlog", "pydantic", "pydantic_core")
"""Modules the sandbox does not import anew for every workflow (10 ms instead of 150 ms each).

They are ours or pure; import-linter keeps I/O out of the domain.
"""


def _workflows(existing: Sequence[type] | None) -> Sequence[type]:
    """For whoever runs them. Commands run none, and would spend a sixth of their start on these."""
    from workflows.every import WORKFLOWS  # noqa: PLC0415

    return [*(existing or ()), *WORKFLOWS]


def _runner(existing: WorkflowRunner | None) -> WorkflowRunner:
    """The sandbox stays on; our own modules pass through it."""
    if isinstance(existing, SandboxedWorkflowRunner):
        restrictions = existing.restrictions.with_passthrough_modules(*PASSED_THROUGH)
        return SteadyRunner(restrictions=restrictions, runner_class=existing.runner_class)
    if existing is not None:
        return existing
    restrictions = SandboxRestrictions.default.with_passthrough_modules(*PASSED_THROUGH)
    return SteadyRunner(restrictions=restrictions)


CONVERTER = dataclasses.replace(
    pydantic_data_converter,
    payload_converter_class=RequestConverter,
    failure_converter_class=PlainFailureConverter,
)


def converter(ring: Keyring | None) -> DataConverter:
    """How values are written: encrypted where there is a key ring, failures and all."""
    if ring is None:
        return CONVERTER
    from client.codec import SealingCodec  # noqa: PLC0415  # cryptography takes time to load

    return dataclasses.replace(
        CONVERTER,
        failure_converter_class=SealedFailureConverter,
        payload_codec=SealingCodec(ring),
    )


class Plugin(SimplePlugin):
    """Names no machine, where names are hidden."""

    ring: Keyring | None = None

    async def connect_service_client(
        self, config: ConnectConfig, next: Callable[[ConnectConfig], Awaitable[ServiceClient]]
    ) -> ServiceClient:
        if self.ring:
            config.identity = self.ring.identity()
        return await next(config)


def phasegate_plugin(*, workflows: bool = True) -> Plugin:
    """Data converter, interceptors, workflows (or none) and sandbox.

    With a key ring in the environment the process is in confidential mode from here on. Raises
    EngineError for a ring that cannot be used.
    """
    ring = load_keyring()
    use(ring.names if ring else PLAIN)
    start_tracing()
    traced = interceptors()
    plugin = Plugin(
        "phasegate",
        data_converter=converter(ring),
        interceptors=[
            LogContextInterceptor(),
            Observe(time.time_ns, traced[0].handled if traced else None),
            Intake(),
            MarkStarts(),
            MarkRuns(),
            *traced,
        ],
        workflows=_workflows if workflows else None,
        workflow_runner=_runner,
    )
    plugin.ring = ring
    return plugin
