"""Couriers: what was announced is brought to one receiver, in order, until all of it is there."""

from __future__ import annotations

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RawValue, RetryPolicy

with workflow.unsafe.imports_passed_through():
    from phasegate.delivery import (
        COURIER,
        COURIER_SWEEP,
        DELIVER,
        SWEEP,
        CourierOrder,
        Delivered,
        SweepOrder,
        Swept,
    )
    from phasegate.errors import PhasegateError
    from phasegate.markdown import line
    from workflows.queues import queue
    from workflows.refusing import NO_INPUT
    from workflows.renewing import go_on, history_is_full

PERSISTENT = RetryPolicy(
    initial_interval=timedelta(seconds=1),
    backoff_coefficient=2,
    maximum_interval=timedelta(minutes=15),
)
"""Without end: the activity itself gives up on an event when its days are over, and goes on."""

WORKER_GONE = timedelta(seconds=15)
"""How long after a worker's death another one takes over what it was sending."""


@workflow.defn(name=COURIER, failure_exception_types=[PhasegateError])
class Courier:
    """Ends when nothing is left; the next event starts it again.

    While a receiver takes nothing, one activity is retried, so that days of waiting add nothing to
    the history.
    """

    @workflow.init
    def __init__(self, order: CourierOrder) -> None:
        self._woken = True

    @workflow.run
    async def run(self, order: CourierOrder) -> str:
        found = Delivered(text="nothing was left to send")
        while self._woken:
            self._woken = False
            self._say(order, "under way")
            found = await workflow.execute_activity(
                DELIVER,
                order,
                task_queue=queue("outgoing"),
                result_type=Delivered,
                start_to_close_timeout=timedelta(seconds=90),
                heartbeat_timeout=WORKER_GONE,
                retry_policy=PERSISTENT,
                summary=f"{order.product} → {order.receiver}",
            )
            self._woken = self._woken or found.more
            self._say(order, found.text)
            if self._woken and history_is_full():
                go_on(order)
        return found.text

    def _say(self, order: CourierOrder, text: str) -> None:
        workflow.set_current_details(
            f"### {line(order.product)} → {line(order.receiver)}\n\n{line(text)}\n\n"
            f"What was given up: `phasegate events list {order.product} --dead`"
        )

    @workflow.signal(name="wake", description="Something was announced; no input")
    def wake(self, raw: RawValue = NO_INPUT) -> None:
        """There is something new. A wake that comes while the last task ends starts another one:
        the server does not let a workflow end over a signal it has not seen."""
        self._woken = True


@workflow.defn(name=COURIER_SWEEP, failure_exception_types=[PhasegateError])
class CourierSweep:
    """Run by a schedule: starts the couriers whose wake was lost with a worker that died."""

    @workflow.run
    async def run(self) -> str:
        found = await workflow.execute_activity(
            SWEEP,
            SweepOrder(),
            task_queue=queue("outgoing"),
            result_type=Swept,
            start_to_close_timeout=timedelta(minutes=10),
            schedule_to_close_timeout=timedelta(minutes=20),
            heartbeat_timeout=timedelta(minutes=1),
            summary="products whose events are not all delivered",
        )
        return f"{found.started} couriers started"
