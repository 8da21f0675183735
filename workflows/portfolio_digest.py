"""The weekly letter on the portfolio, started by a schedule."""

from __future__ import annotations

from datetime import timedelta

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from phasegate.delivery import PORTFOLIO_DIGEST, SEND_DIGEST, Delivered, DigestOrder
    from phasegate.errors import PhasegateError
    from workflows.courier import PERSISTENT, WORKER_GONE
    from workflows.queues import queue


@workflow.defn(name=PORTFOLIO_DIGEST, failure_exception_types=[PhasegateError])
class PortfolioDigest:
    """One letter, about the week that ends when it starts."""

    @workflow.run
    async def run(self) -> str:
        sent: Delivered = await workflow.execute_activity(
            SEND_DIGEST,
            DigestOrder(until=workflow.info().workflow_start_time),
            task_queue=queue("outgoing"),
            result_type=Delivered,
            start_to_close_timeout=timedelta(minutes=10),
            heartbeat_timeout=WORKER_GONE,
            retry_policy=PERSISTENT,
            summary="the week's letter",
        )
        return sent.text
