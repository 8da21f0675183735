"""The one plugin: client, worker and replayer all speak and behave the same through it."""

from __future__ import annotations

import dataclasses

from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.plugin import SimplePlugin
from temporalio.worker import WorkflowRunner
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from client.logs import LogContextInterceptor
from client.steady import SteadyRunner
from workflows.courier import Courier, CourierSweep
from workflows.failures import PlainFailureConverter
from workflows.gate_review import GateReview
from workflows.intake import Intake, RequestConverter
from workflows.mail_courier import MailCourier
from workflows.portfolio_digest import PortfolioDigest
from workflows.product_lifecycle import ProductLifecycle
from workflows.sunset import Sunset

WORKFLOWS = (
    ProductLifecycle,
    GateReview,
    Sunset,
    Courier,
    MailCourier,
    CourierSweep,
    PortfolioDigest,
)

PASSED_THROUGH = ("phasegate", "workflows", "structlog", "pydantic", "pydantic_core")
"""Modules the sandbox does not import anew for every workflow (10 ms instead of 150 ms each).

They are ours or pure; import-linter keeps I/O out of the domain.
"""


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


def phasegate_plugin(*, workflows: bool = True) -> SimplePlugin:
    """Data converter, interceptors, workflows (or none) and sandbox."""
    return SimplePlugin(
        "phasegate",
        data_converter=CONVERTER,
        interceptors=[LogContextInterceptor(), Intake()],
        workflows=list(WORKFLOWS) if workflows else None,
        workflow_runner=_runner,
    )
