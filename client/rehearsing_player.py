"""The players of rehearsals: a workflow for each play, so that the server knows when to skip time.

A player sleeps until somebody is to act, or until something is announced. While it acts, in an
activity, and while any worker works, time stands still for all plays.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from pydantic import Field
from temporalio import activity, workflow
from temporalio.client import Client, Interceptor
from temporalio.common import RetryPolicy
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.exceptions import ApplicationError, WorkflowAlreadyStartedError
from temporalio.service import RPCError
from temporalio.worker import (
    ActivityInboundInterceptor,
    ExecuteActivityInput,
    UnsandboxedWorkflowRunner,
    Worker,
)
from temporalio.worker import Interceptor as WorkerInterceptor

from client.rehearsing_pulse import Pulse
from client.rehearsing_server import server_time
from client.rehearsing_turns import RUN, again
from phasegate import ports
from phasegate.base import Instant, Wire

QUEUE = "phasegate-rehearsal"
LABEL = "rehearsal"
"""What workers call their build; without a name the SDK hashes all code, which takes seconds."""

PATIENCE = timedelta(minutes=5)
"""How long one turn may take; it takes milliseconds."""

PATIENCE_OF_PING = timedelta(seconds=10)

SETTLE = timedelta(seconds=1)
"""How long after something was announced it is looked at. The server lets that pass once nobody
works any more. A query that meets a product on its way into another run is lost, and time then
stands still for good (tried)."""

MEANINGLESS = ("gate.reminder", "sunset.reminder", "milestone.", "condition.reminder", "gate.vote")
"""What is announced and moves nobody to anything: what follows from it is announced, too."""


class Turn(Wire):
    """A player's turn, and when the next one is: None when the play is over."""

    key: str
    now: Instant
    next: Instant | None = Field(None, description="set in the answer")


@workflow.defn(name="Player")
class Player:
    """Has a turn when it is time, and when it is poked."""

    def __init__(self) -> None:
        self._poked = False

    @workflow.run
    async def run(self, first: Turn) -> None:
        """From the start of a play to its end."""
        key, at = first.key, first.now
        while True:
            rest = min(at - workflow.now(), RUN)
            if rest > timedelta(0):
                try:
                    await workflow.wait_condition(lambda: self._poked, timeout=rest)
                    await workflow.sleep(SETTLE)
                except TimeoutError:
                    pass
            self._poked = False
            done = await workflow.execute_activity(
                "turn",
                Turn(key=key, now=workflow.now()),
                result_type=Turn,
                start_to_close_timeout=PATIENCE,
                retry_policy=RetryPolicy(maximum_attempts=1),
            )
            if done.next is None:
                return
            at = done.next
            if workflow.now() - workflow.info().start_time >= RUN and not self._poked:
                workflow.continue_as_new(Turn(key=key, now=at))

    @workflow.signal
    def poke(self) -> None:
        """Something was announced."""
        self._poked = True


@workflow.defn(name="Echo")
class Echo:
    """Does nothing but answer: no task of it ever meets a query, which then is never lost."""

    @workflow.run
    async def run(self) -> None:
        """Until the server is gone."""
        await workflow.wait_condition(lambda: False)

    @workflow.query
    def ping(self) -> str:
        """Whatever the machine is busy with, this came to its turn."""
        return "here"


TakeTurn = Callable[[str, datetime], Awaitable[datetime | None]]


class Players:
    """Wakes players when something is announced of their products, and lets them have turns."""

    def __init__(self, take_turn: TakeTurn) -> None:
        self._take_turn = take_turn
        self._poked: set[str] = set()
        self._over: dict[str, asyncio.Future[None]] = {}
        self._client: Client | None = None

    def worker(self, client: Client) -> Worker:
        """The worker that runs them, beside the one that is rehearsed."""
        self._client = Client(
            client.service_client,
            namespace=client.namespace,
            data_converter=pydantic_data_converter,
        )
        return Worker(
            self._client,
            task_queue=QUEUE,
            workflows=[Player, Echo],
            activities=[self.turn],
            workflow_runner=UnsandboxedWorkflowRunner(),
            build_id=LABEL,
        )

    async def play(self, key: str, start: datetime) -> None:
        """One play, to its end. Raises what its turn fails with.

        The server is not asked for the result: now and then it breaks the stream of that answer.
        """
        client = self._client
        assert client is not None
        self._over[key] = asyncio.get_running_loop().create_future()
        with suppress(WorkflowAlreadyStartedError):  # and the answer was lost
            await again(
                lambda: client.start_workflow(
                    "Player", Turn(key=key, now=start), id=f"player/{key}", task_queue=QUEUE
                )
            )
        await self._over[key]

    async def ping(self) -> datetime:
        """To the server, to the worker and back: the server's time. Raises RPCError."""
        assert self._client is not None
        with suppress(WorkflowAlreadyStartedError):
            await self._client.start_workflow("Echo", id="echo", task_queue=QUEUE)
        handle = self._client.get_workflow_handle("echo")
        await handle.query("ping", rpc_timeout=PATIENCE_OF_PING)
        return await server_time(self._client)

    async def poke(self, key: str, types: list[str]) -> None:
        """Something was announced of a product."""
        client = self._client
        if client is None or key in self._poked:
            return
        if all(type.startswith(MEANINGLESS) for type in types):
            return
        self._poked.add(key)
        with suppress(RPCError):  # the play is over
            await again(lambda: client.get_workflow_handle(f"player/{key}").signal("poke"))

    @activity.defn(name="turn")
    async def turn(self, order: Turn) -> Turn:
        """Look at the product, do what is due, and say when to look again."""
        self._poked.discard(order.key)
        over = self._over[order.key]
        try:
            next_at = await self._take_turn(order.key, order.now)
        except Exception as error:
            if not over.done():
                over.set_exception(error)
            raise ApplicationError(str(error), type="turn", non_retryable=True) from error
        if next_at is None and not over.done():
            over.set_result(None)
        return Turn(key=order.key, now=order.now, next=next_at)


class Announced(Interceptor, WorkerInterceptor):
    """Tells players of what the worker announces, once it stands in the ledger."""

    def __init__(self, pulse: Pulse) -> None:
        self.players: Players | None = None
        self.pulse = pulse

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        return _Announced(next, self)


class _Announced(ActivityInboundInterceptor):
    def __init__(self, next: ActivityInboundInterceptor, told: Announced) -> None:
        super().__init__(next)
        self._told = told

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        with self._told.pulse.work():
            result = await super().execute_activity(input)
        players = self._told.players
        if players and activity.info().activity_type == ports.ANNOUNCE:
            request: ports.AnnounceRequest = input.args[0]
            await players.poke(request.product, [event.type for event in request.events])
        return result
