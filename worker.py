"""The durable worker: runs workflows and activities until it is asked to stop."""

from __future__ import annotations

import asyncio
import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any, Literal

import structlog
from temporalio.client import Client
from temporalio.worker import PollerBehaviorAutoscaling, Worker

from activities import (
    ActivitySettings,
    Receivers,
    Waker,
    all_activities,
    retirement_activities,
)
from client.connection import connect
from client.leaving import leave
from client.logs import configure_logs
from client.schedules import keep_schedules
from client.settings import Settings
from client.temporal_target import load_target
from client.transport_health import examine_transport
from client.usage import UsageError
from integrations import Integrations, load_integrations
from ledger import Ledger
from phasegate.errors import PhasegateError

GRACE = timedelta(seconds=20)
"""How long running activities may finish after SIGTERM; orchestrators kill at 30 s."""

AT_LAST = timedelta(seconds=5)
"""How much longer the SDK may take to stop; without a server it would never end."""

THREADS = 16

Part = Literal["retirement"]
"""What a worker may be confined to."""

log = structlog.get_logger("worker")  # also where it is run as a script


def build_worker(
    client: Client,
    settings: Settings,
    *,
    task_queue: str | None = None,
    integrations: Integrations | None = None,
) -> Worker:
    """A worker on a connected client (workflows, converter and sandbox come with its plugin).

    Without `integrations`, those of the file that the environment names. Needs a running event
    loop. Raises IntegrationsUnreadable or DocumentError for a file that is at fault.
    """
    queue = task_queue or settings.task_queue
    ledger = Ledger(settings.ledger_url)
    receivers = Receivers(ledger, load_integrations() if integrations is None else integrations)
    activities = all_activities(
        ledger,
        ActivitySettings.from_env(),
        receivers,
        Waker(client, queue, receivers) if receivers else None,
    )
    return _worker(
        client, queue, activities, workflow_task_poller_behavior=PollerBehaviorAutoscaling()
    )


def build_retirement_worker(
    client: Client, settings: Settings, *, task_queue: str, integrations: Integrations
) -> Worker:
    """A worker that carries out acts of sunsets, and takes nothing else.

    `client` is one without workflows, and the task queue that of a policy's sunset plan.
    """
    ledger = Ledger(settings.ledger_url)
    activities = retirement_activities(ledger, ActivitySettings.from_env(), integrations.mail)
    return _worker(client, task_queue, activities)


def retirement_queue(task_queue: str | None, settings: Settings) -> str:
    """The task queue of a worker for retirement. Raises UsageError for that of the products."""
    if task_queue is None or task_queue == settings.task_queue:
        raise UsageError(
            "a worker for retirement needs a task queue of its own",
            f"{settings.task_queue} is where products run: it would take what it cannot do",
            "phasegate worker run --only retirement --task-queue retirement",
        )
    return task_queue


def _worker(client: Client, queue: str, activities: list[Any], **more: Any) -> Worker:
    return Worker(
        client,
        task_queue=queue,
        activities=activities,
        activity_executor=ThreadPoolExecutor(THREADS, thread_name_prefix="activity"),
        graceful_shutdown_timeout=GRACE,
        activity_task_poller_behavior=PollerBehaviorAutoscaling(),
        **more,
    )


async def run(task_queue: str | None = None, only: Part | None = None) -> None:
    """Work until SIGTERM or SIGINT, then finish what runs and stop.

    With `only`, as a worker for nothing else. Raises EngineError, and UsageError for a task queue
    that does not go with it.
    """
    settings = Settings.load()
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop.set)
    integrations = load_integrations()
    queue = retirement_queue(task_queue, settings) if only else task_queue or settings.task_queue
    transport = examine_transport(load_target())
    if transport.state == "warn":
        log.warning(transport.what, mend=transport.mend)
    client = await connect(workflows=not only)
    if only:
        worker = build_retirement_worker(
            client, settings, task_queue=queue, integrations=integrations
        )
    else:
        worker = build_worker(client, settings, task_queue=queue, integrations=integrations)
        await keep_schedules(client, queue, integrations)
    working = asyncio.create_task(worker.run())
    asked = asyncio.create_task(stop.wait())
    log.info(
        "worker started",
        task_queue=worker.task_queue,
        namespace=client.namespace,
        only=only or "everything",
    )
    await asyncio.wait({working, asked}, return_when=asyncio.FIRST_COMPLETED)
    if working.done():
        await working  # it failed: say why
    log.info("worker stops: running activities may finish", grace_seconds=GRACE.seconds)
    try:
        await asyncio.wait_for(worker.shutdown(), (GRACE + AT_LAST).total_seconds())
    except TimeoutError:
        log.error("worker gives up: the server is gone, or an activity does not end; it runs again")
        leave(1)
    log.info("worker stopped")


def main() -> int:
    """Run a worker with the settings of the environment; the exit code."""
    configure_logs(json=not sys.stderr.isatty())
    try:
        asyncio.run(run())
    except PhasegateError as error:
        print(f"error: {error.what}\nwhy: {error.why}\nhint: {error.hint}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    leave(main())
