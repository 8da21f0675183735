"""The durable worker: runs workflows and activities until it is asked to stop."""

from __future__ import annotations

import asyncio
import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import structlog
from temporalio.client import Client
from temporalio.worker import PollerBehaviorAutoscaling, Worker

from activities import ActivitySettings, Receivers, Waker, all_activities
from client.connection import connect
from client.leaving import leave
from client.logs import configure_logs
from client.schedules import keep_schedules
from client.settings import Settings
from integrations import Integrations, load_integrations
from ledger import Ledger
from phasegate.errors import PhasegateError

GRACE = timedelta(seconds=20)
"""How long running activities may finish after SIGTERM; orchestrators kill at 30 s."""

AT_LAST = timedelta(seconds=5)
"""How much longer the SDK may take to stop; without a server it would never end."""

THREADS = 16

log = structlog.get_logger(__name__)


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
    return Worker(
        client,
        task_queue=queue,
        activities=all_activities(
            ledger,
            ActivitySettings.from_env(),
            receivers,
            Waker(client, queue, receivers) if receivers else None,
        ),
        activity_executor=ThreadPoolExecutor(THREADS, thread_name_prefix="activity"),
        graceful_shutdown_timeout=GRACE,
        workflow_task_poller_behavior=PollerBehaviorAutoscaling(),
        activity_task_poller_behavior=PollerBehaviorAutoscaling(),
    )


async def run(task_queue: str | None = None) -> None:
    """Work until SIGTERM or SIGINT, then finish what runs and stop. Raises EngineError."""
    settings = Settings.load()
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop.set)
    integrations = load_integrations()
    client = await connect()
    worker = build_worker(client, settings, task_queue=task_queue, integrations=integrations)
    await keep_schedules(client, worker.task_queue, integrations)
    working = asyncio.create_task(worker.run())
    asked = asyncio.create_task(stop.wait())
    log.info("worker started", task_queue=worker.task_queue, namespace=client.namespace)
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
