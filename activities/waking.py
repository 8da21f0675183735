"""Waking couriers: at once after something was announced, and again by a sweep."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import structlog
from temporalio import activity
from temporalio.client import Client
from temporalio.common import SearchAttributeKey, SearchAttributePair, TypedSearchAttributes
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError

from activities.errors import ledger_errors
from activities.receivers import Receivers
from integrations.document import matches
from ledger import Ledger
from ledger.deliveries import Behind
from phasegate.delivery import COURIER, SWEEP, CourierOrder, SweepOrder, Swept, courier_id

AT_ONCE = 8
"""Wakes on their way to the server together; the others wait in this process."""

PATIENCE = timedelta(seconds=5)
SWEPT = 500
"""Products looked at by one activity."""

PAGE, PAGES = 100, 20
"""Events of a product that a sweep looks at: so many together, and so often."""

PRODUCT = SearchAttributeKey.for_keyword("PhasegateProduct")

log = structlog.get_logger(__name__)


async def start_courier(
    client: Client, task_queue: str, order: CourierOrder, *, wake: bool = True
) -> None:
    """Start a courier; one that runs is woken, or with `wake=False` left alone.

    Raises RPCError, or WorkflowAlreadyStartedError with `wake=False`.
    """
    await client.start_workflow(
        COURIER,
        order,
        id=courier_id(order.receiver, order.product),
        task_queue=task_queue,
        start_signal="wake" if wake else None,
        static_summary=f"{order.product} → {order.receiver}"[:180],
        search_attributes=TypedSearchAttributes([SearchAttributePair(PRODUCT, order.product)]),
        rpc_timeout=PATIENCE,
    )


class Waker:
    """Wakes couriers from threads that must not wait: best effort, with the sweep behind it.

    A wake that waits to be sent stands for all that happen until then.
    """

    def __init__(self, client: Client, receivers: Receivers) -> None:
        """Needs a running event loop."""
        self._client, self._task_queue = client, receivers.main_queue
        self._patterns = receivers.patterns
        self._loop = asyncio.get_running_loop()
        self._room = asyncio.Semaphore(AT_ONCE)
        self._waiting: set[tuple[str, str]] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    def wake(self, product: str, types: Iterable[str]) -> None:
        """Wake the couriers of those who want events of these types; returns at once."""
        types = set(types)
        for receiver, patterns in self._patterns.items():
            if any(matches(patterns, type) for type in types):
                try:
                    self._loop.call_soon_threadsafe(self._send, receiver, product)
                except RuntimeError:  # the worker stops, and its loop is closed
                    return

    def _send(self, receiver: str, product: str) -> None:
        if (receiver, product) in self._waiting:
            return
        self._waiting.add((receiver, product))
        task = self._loop.create_task(self._wake(receiver, product))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _wake(self, receiver: str, product: str) -> None:
        async with self._room:
            # From here on it may be too late for what is announced meanwhile: that wakes again.
            self._waiting.discard((receiver, product))
            order = CourierOrder(receiver=receiver, product=product)
            try:
                await start_courier(self._client, self._task_queue, order)
            except RPCError as error:
                log.warning(
                    "a courier could not be woken; the sweep will",
                    receiver=receiver,
                    product=product,
                    why=error.message,
                )


class SweepActivities:
    """Finds what was announced and not delivered, with nobody on it."""

    def __init__(self, ledger: Ledger, receivers: Receivers) -> None:
        self._ledger, self._receivers = ledger, receivers

    @activity.defn(name=SWEEP)
    async def sweep(self, order: SweepOrder) -> Swept:
        """Start couriers for products whose record is ahead of what was delivered.

        One that runs is left alone: a signal would make its history grow while it waits. Where
        nothing concerns the receiver, that is noted here. One that was gone and has another address
        by now is swept like the others. Errors: ledger-unavailable.
        """
        with ledger_errors():
            await asyncio.to_thread(self._receivers.enroll)
            away = await asyncio.to_thread(self._receivers.away)
        started = 0
        for receiver in self._receivers.patterns:
            after = ""
            while receiver not in away:
                with ledger_errors():
                    find = self._ledger.deliveries.behind
                    page = await asyncio.to_thread(find, receiver, after, SWEPT)
                for item in page:
                    started += await self._look_after(receiver, item)
                    activity.heartbeat(item.product)
                if len(page) < SWEPT:
                    break
                after = page[-1].product
        return Swept(started=started)

    async def _look_after(self, receiver: str, item: Behind) -> bool:
        """Whether a courier had to be started."""
        with ledger_errors():
            if await asyncio.to_thread(self._pass_over, receiver, item.product):
                return False
        order = CourierOrder(receiver=receiver, product=item.product)
        try:
            queue = self._receivers.main_queue
            await start_courier(activity.client(), queue, order, wake=False)
        except WorkflowAlreadyStartedError:
            return False
        return True

    def _pass_over(self, receiver: str, product: str) -> bool:
        """Whether nothing of what is new concerns the receiver; that is then noted."""
        patterns = self._receivers.patterns[receiver]
        for _ in range(PAGES):
            due = self._ledger.deliveries.due(receiver, product, PAGE)
            if any(i.again or matches(patterns, i.entry.announcement.type) for i in due):
                return False
            entries = [item.entry for item in due]
            self._ledger.deliveries.settle(receiver, product, entries, None, datetime.now(UTC))
            if len(due) < PAGE:
                return True
        return False  # there is more than a sweep has time for: a courier goes on with it
