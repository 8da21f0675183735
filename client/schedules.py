"""Temporal Schedules: what happens by the clock, whoever is at work."""

from __future__ import annotations

from datetime import timedelta

import structlog
from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleCalendarSpec,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleRange,
    ScheduleSpec,
    ScheduleUpdate,
    ScheduleUpdateInput,
)
from temporalio.service import RPCError, RPCStatusCode

from integrations.document import Digest, Integrations
from phasegate.delivery import COURIER_SWEEP, PORTFOLIO_DIGEST

LETTER = "phasegate-portfolio-digest"
SWEEP = "phasegate-courier-sweep"
EVERY = timedelta(minutes=5)
"""How long a wake that was lost with a worker may stay lost."""

DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
"""As Temporal counts them."""

PATIENCE = timedelta(seconds=10)

log = structlog.get_logger(__name__)


async def keep_schedules(client: Client, task_queue: str, integrations: Integrations) -> None:
    """Create, update or remove the schedules, as the integrations file asks. May be repeated.

    A worker works without them, too: what a server refuses is logged.
    """
    told = bool(integrations.subscribers or integrations.mail or integrations.chat)
    try:
        await _keep(client, SWEEP, _sweep(task_queue) if told else None)
        digest = integrations.digest
        await _keep(client, LETTER, _letter(task_queue, digest) if digest else None)
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


def _letter(task_queue: str, digest: Digest) -> Schedule:
    hour, minute = map(int, digest.at.split(":"))
    at = ScheduleCalendarSpec(
        day_of_week=[ScheduleRange(DAYS.index(digest.weekday))],
        hour=[ScheduleRange(hour)],
        minute=[ScheduleRange(minute)],
    )
    return Schedule(
        action=ScheduleActionStartWorkflow(
            PORTFOLIO_DIGEST,
            id="portfolio-digest",
            task_queue=task_queue,
            static_summary="the weekly letter on the portfolio",
        ),
        spec=ScheduleSpec(calendars=[at], time_zone_name=digest.time_zone),
        # A server that was down at the hour still sends the letter that day.
        policy=SchedulePolicy(
            overlap=ScheduleOverlapPolicy.SKIP, catchup_window=timedelta(hours=12)
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
