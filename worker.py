"""The durable worker: runs workflows and activities until it is asked to stop."""

from __future__ import annotations

import asyncio
import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import structlog
from temporalio.client import Client
from temporalio.worker import PollerBehaviorAutoscaling, Worker

from activities import ActivitySettings, Receivers, Waker, activities_by_kind
from activities.measuring import OBSERVED
from client.connection import connect
from client.leaving import leave
from client.listening import HEALTH, METRICS, Address, listening
from client.logs import configure_logs
from client.observed import reporting, watch
from client.runtime import expose_metrics
from client.schedules import keep_schedules
from client.settings import Settings
from client.standing import Standing
from client.temporal_target import load_target
from client.tracing import start_tracing, warn_of_tracing
from client.transport_health import examine_transport
from client.tuning import Tuning, slots
from client.usage import UsageError
from client.versioning import Build
from client.workers import AT_LAST, GRACE, ActivitiesOnly, Workers
from integrations.document import Integrations
from integrations.loading import load_integrations
from ledger import Ledger
from phasegate.errors import PhasegateError
from phasegate.measures import OUTBOX_AGE, UNTOLD
from phasegate.queues import KINDS, Kind, queue_of

OWN_GAUGES = {OUTBOX_AGE: OBSERVED.outbox_age, UNTOLD: OBSERVED.untold}
"""What this process knows of what it failed at."""

MISSED = timedelta(seconds=1.5)
"""How long a task waits for the worker that has its workflow in memory; ten by default. The first
vote after a kill waits for it (docs/chaos.md). Another worker then reads the history.

More than one second: a query gives up one before its time is over where nobody has begun to poll
for 20 (`returnEmptyTaskTimeBudget` in the server's matching), that is at once if this were one."""

log = structlog.get_logger("worker")  # also where it is run as a script


@dataclass(frozen=True)
class WorkerOptions:
    """What one worker process does, as `phasegate worker run` has it."""

    task_queue: str | None = None
    """Where products run; PHASEGATE_TASK_QUEUE if unset. For a worker that does nothing but acts of
    sunsets, the queue that policies name for them."""
    only: tuple[Kind, ...] = ()
    """The kinds of work that it is confined to; all if empty."""
    tuning: Tuning = field(default_factory=Tuning.load)
    build: Build | None = field(default_factory=Build.of)
    """What its runs are pinned to; None for a worker of no deployment."""
    label: str | None = None
    """What a worker of no build writes into histories; the SDK's hash of all loaded code if unset,
    which takes a second or two."""
    metrics: Address | None = field(default_factory=lambda: listening(METRICS))
    """Where Prometheus finds its metrics."""
    health: Address | None = field(default_factory=lambda: listening(HEALTH))
    """Where it says whether it is alive and ready."""

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """What it does, in the order of `KINDS`."""
        return tuple(kind for kind in KINDS if kind in self.only) if self.only else KINDS

    def queue(self, settings: Settings) -> str:
        """Where the products run that it works for. Raises UsageError."""
        if self.task_queue is None or self.kinds != ("retirement",):
            return self.task_queue or settings.task_queue
        if self.task_queue == settings.task_queue:
            raise UsageError(
                "a worker for retirement needs a task queue of its own",
                f"{settings.task_queue} is where products run: it would take what it cannot do",
                "phasegate worker run --only retirement --task-queue retirement",
            )
        return settings.task_queue

    def queues(self, settings: Settings) -> dict[Kind, str]:
        """The task queue of each kind of work that it does. Raises UsageError."""
        main = self.queue(settings)
        queues = {kind: queue_of(main, kind) for kind in self.kinds}
        if self.task_queue is not None and self.kinds == ("retirement",):
            queues["retirement"] = self.task_queue
        return queues


def build_worker(
    client: Client,
    settings: Settings,
    *,
    integrations: Integrations | None = None,
    options: WorkerOptions | None = None,
) -> Workers:
    """Workers on a connected client, which brings workflows, converter and sandbox: one for each
    task queue.

    Without `integrations`, those of the file that the environment names. Needs a running event
    loop. Raises IntegrationsUnreadable or DocumentError for a file that is at fault, and UsageError
    for options that do not go together.
    """
    options = options or WorkerOptions()
    ledger = Ledger(settings.ledger_url)
    found = load_integrations() if integrations is None else integrations
    receivers = Receivers(ledger, found, options.queue(settings))
    waker = Waker(client, receivers) if receivers else None
    activities = activities_by_kind(ledger, ActivitySettings.from_env(), receivers, waker)
    workers, failing = [], asyncio.Event()
    for kind, queue in options.queues(settings).items():
        known = activities[kind]
        if kind == "workflows" and options.kinds == KINDS:
            # Also what earlier releases ordered there, which may be retried for months.
            known = [activity for each in activities.values() for activity in each]
        workers.append(_worker(client, kind, queue, known, options, failing))
    return Workers(workers, failing)


def _worker(
    client: Client,
    kind: Kind,
    queue: str,
    activities: list[Any],
    options: WorkerOptions,
    failing: asyncio.Event,
) -> Worker:
    async def failed(_: BaseException) -> None:
        failing.set()

    polling: dict[str, Any] = {}
    if kind == "workflows":
        polling["workflow_task_poller_behavior"] = PollerBehaviorAutoscaling()
    return Worker(
        client,
        task_queue=queue,
        activities=activities,
        # As many as it may take: one that waits for a thread here is lost to other workers.
        activity_executor=ThreadPoolExecutor(slots(kind), thread_name_prefix=kind),
        activity_task_poller_behavior=PollerBehaviorAutoscaling(),
        graceful_shutdown_timeout=GRACE,
        sticky_queue_schedule_to_start_timeout=MISSED,
        on_fatal_error=failed,
        max_cached_workflows=options.tuning.cached_workflows,
        tuner=options.tuning.tuner(kind),
        plugins=[] if kind == "workflows" else [ActivitiesOnly()],
        deployment_config=options.build.config() if options.build else None,
        build_id=None if options.build else options.label,
        **polling,
    )


async def run(options: WorkerOptions | None = None) -> None:
    """Work until SIGTERM or SIGINT, then finish what runs and stop.

    Raises EngineError, and UsageError for options that do not go together.
    """
    options, standing = options or WorkerOptions(), Standing()
    if options.metrics:
        expose_metrics(options.metrics)
    start_tracing("phasegate-worker")
    warn_of_tracing()
    async with standing.serving(options.health):
        await _run(options, standing)


async def _run(options: WorkerOptions, standing: Standing) -> None:
    settings, stop = Settings.load(), asyncio.Event()
    loop = asyncio.get_running_loop()

    def leaving() -> None:
        standing.leaving = True
        stop.set()

    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, leaving)
    integrations = load_integrations()
    queue = options.queue(settings)
    transport = examine_transport(load_target())
    if transport.state == "warn":
        log.warning(transport.what, mend=transport.mend)
    client = await connect()
    worker = build_worker(client, settings, integrations=integrations, options=options)
    if "outgoing" in options.kinds:  # the others need not know whom this installation tells
        await keep_schedules(client, queue, integrations)
    working = asyncio.create_task(worker.run())
    asked = asyncio.create_task(stop.wait())
    log.info(
        "worker started",
        task_queues=worker.task_queues,
        namespace=client.namespace,
        only=list(options.only) or "everything",
        build=str(options.build) if options.build else "none",
    )
    ledger = Ledger(settings.ledger_url)
    acts_only = options.kinds == ("retirement",)  # its role may read no more than intents
    watch(standing, client, ledger, worker, acts_only=acts_only)
    observing = AsyncExitStack()
    if options.metrics:
        part = "+".join(options.only) or "everything"
        await observing.enter_async_context(
            reporting(client, None if acts_only else ledger, OWN_GAUGES, options.build, part)
        )
    async with observing:
        await asyncio.wait({working, asked}, return_when=asyncio.FIRST_COMPLETED)
    if working.done():
        if not worker.ended:
            log.error("worker gives up: it failed, and does not end", exc_info=working.exception())
            leave(1)
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
    try:
        configure_logs(json=not sys.stderr.isatty(), build=str(Build.of() or ""))
        asyncio.run(run())
    except PhasegateError as error:
        print(f"error: {error.what}\nwhy: {error.why}\nhint: {error.hint}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    leave(main())
