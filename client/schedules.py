"""Temporal Schedules: what happens by the clock, whoever is at work."""

from __future__ import annotations

from datetime import timedelta

import structlog
from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleSpec,
    ScheduleUpdate,
    ScheduleUpdateInput,
)
from temporalio.service import RPCError, RPCStatusCode

from integrations import Integrations
from phasegate.delivery import COURIER_SWEEP

SWEEP = "phasegate-courier-sweep"
EVERY = timedelta(minutes=5)
"""How long a wake that was lost with a worker may stay lost."""

PATIENCE = timedelta(seconds=10)

log = structlog.get_logger(__name__)


async def keep_schedules(client: Client, task_queue: str, integrations: Integrations) -> None:
    """Create, update or remove the schedules, as the integrations file asks. May be repeated.

    A worker works without them, too: what a server refuses is logged.
    """
    told = bool(integrations.subscribers or integrations.mail or integrations.chat)
    try:
        await _keep(client, SWEEP, _sweep(task_queue) if told else None)
    except RPCError as error:
        log.warning("the schedules could not be kept", why=error.message)


def _sweep(task_queue: str) -> Schedule:
    return Schedule(
        action=ScheduleActionStartWorkflow(
            COURIER_SWEEP,
            id="courier-sweep",
            task_queue=task_queue,
            static_summary="starts couriers whose wake was lost",
        ),
        spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(every=EVERY)]),
        policy=SchedulePolicy(
            overlap=ScheduleOverlapPolicy.SKIP, catchup_window=timedelta(minutes=1)
        ),
    )


async def _keep(client: Client, id: str, wanted: Schedule | None) -> None:
    handle = client.get_schedule_handle(id)
    if wanted is None:
        try:
            await handle.delete(rpc_timeout=PATIENCE)
            log.info("a schedule is removed: the integrations file asks for nothing of it", id=id)
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
        return
    try:
        await client.create_schedule(id, wanted, rpc_timeout=PATIENCE)
    except ScheduleAlreadyRunningError:
        await handle.update(lambda known: _changed(known, wanted), rpc_timeout=PATIENCE)


def _changed(known: ScheduleUpdateInput, wanted: Schedule) -> ScheduleUpdate:
    # Whether somebody paused it in the Temporal UI is theirs to say.
    wanted.state = known.description.schedule.state
    return ScheduleUpdate(schedule=wanted)
