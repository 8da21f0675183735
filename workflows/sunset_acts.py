"""Orders to do something in the world: done once, tried on, or asked about."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from phasegate import sunset_ports
    from phasegate.pseudonyms import in_use
    from phasegate.retirement_tasks import Doing, TaskState
    from phasegate.sunset_ports import ActOrder, ActResult, TaskProof
    from workflows.calling import PATIENT
    from workflows.queues import queue
    from workflows.sunset_desk import SunsetDesk

STUBBORN = RetryPolicy(
    initial_interval=timedelta(seconds=1),
    backoff_coefficient=2,
    maximum_interval=timedelta(hours=1),
)
"""What the world does not do is asked of it until it does; the activity says when it is stuck."""

LONGEST = timedelta(hours=12)
"""An archive of everything, or a mail to every customer."""

WORKER_GONE = timedelta(seconds=15)
"""How long after a worker's death another one takes over what it was doing."""


class BrokenOff(Exception):
    """The act was stopped while it was tried in vain: nobody needs it any more."""


class _Order:
    """An activity under way."""

    def __init__(
        self, effect: str, doing: Doing, handle: workflow.ActivityHandle[ActResult]
    ) -> None:
        self.effect = effect
        self.doing = doing
        self.handle = handle
        self.stopped = False


class SunsetActs(SunsetDesk):
    """Has acts carried out, and follows what becomes of each."""

    def __init__(self) -> None:
        super().__init__()
        self._orders: list[_Order] = []
        self.resting = False
        """Nothing new is begun: the run is about to end."""

    async def do_act(
        self, order: ActOrder, doing: Doing, title: str, given_up: Callable[[], bool]
    ) -> TaskProof:
        """Have an act done, however long that takes; its proof.

        What cannot be undone is in the ledger before it happens, and what nobody can tell of waits
        for a person. Raises BrokenOff when it is given up while it is tried in vain.
        """
        once = order.effect != "reversible"
        while True:
            await workflow.wait_condition(lambda: not self.resting)
            if doing.verdict is not None:
                await self._settle(doing, once)
                if doing.confirmation is not None:
                    return doing.confirmation
            elif doing.state is TaskState.unknown:
                await workflow.wait_condition(lambda: doing.verdict is not None)
            elif given_up() and doing.stuck_since is not None:
                raise BrokenOff
            elif order.effect == "deletion" and self.state.legal_holds:
                await self.held(order.task, doing)
            elif once and not doing.intent:
                doing.intent = self._intend(order, title)
            elif once and not self.books.has_written(doing.intent):
                await workflow.wait_condition(lambda: self.books.has_written(doing.intent))
            elif result := await self._order(order, doing, title):
                if result.state == "done":
                    return result.proof or TaskProof(text="done")
                self._failed(result, order, doing, title)

    @property
    def _queue(self) -> str:
        """Where acts are carried out: on the queue that the policy names, if it names one."""
        named = self.state.plan.task_queue if self.state.plan else None
        return named or queue("retirement")

    async def held(self, task: str, doing: Doing) -> None:
        """Wait while a legal hold forbids a task; that it does is told once."""
        record, state = self.state.record(task), self.state
        doing.state = TaskState.held
        if not record.held_told:
            record.held_told = True
            matters = ", ".join(hold.matter for hold in state.legal_holds)
            self.books.announce(
                "sunset.task-held",
                f"{record.task.title} waits, for the legal hold {matters}",
                task=task,
                matters=[hold.matter for hold in state.legal_holds],
                people=list(state.answering(record)),
            )
        self.stir()
        await workflow.wait_condition(
            lambda: not state.legal_holds or doing.state is not TaskState.held
        )
        if doing.state is TaskState.held:
            doing.state = TaskState.running
            self.stir()

    def _intend(self, order: ActOrder, title: str) -> int:
        self.books.announce(
            "sunset.task-intended",
            f"about to be done, and cannot be undone: {title}",
            task=order.task,
            idempotency_key=order.key,
            effect=order.effect,
        )
        return self.books.outbox.count

    async def _order(self, asked: ActOrder, doing: Doing, title: str) -> ActResult | None:
        """The activity's answer; None where it was stopped before it had one."""
        doing.state = TaskState.running if doing.stuck_since is None else TaskState.stuck
        handle: workflow.ActivityHandle[ActResult] = workflow.start_activity(
            sunset_ports.CARRY_OUT,
            asked.model_copy(update={"told": doing.stuck_since is not None}),
            task_queue=self._queue,
            result_type=ActResult,
            start_to_close_timeout=LONGEST,
            heartbeat_timeout=WORKER_GONE,
            retry_policy=STUBBORN,
            cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
            summary=in_use().said(title, asked.task)[:180],
        )
        order = _Order(asked.effect, doing, handle)
        self._orders.append(order)
        try:
            return await handle
        except (ActivityError, asyncio.CancelledError) as error:
            # One whose worker died after it was stopped has timed out: it is not retried.
            if order.stopped or is_cancelled_exception(error):
                return None
            raise
        finally:
            self._orders.remove(order)

    def _failed(self, result: ActResult, order: ActOrder, doing: Doing, title: str) -> None:
        doing.why = result.why
        if result.state == "stuck":
            doing.state, doing.stuck_since = TaskState.stuck, workflow.now()
            text = f"stuck, and tried on: {title} ({result.why})"
        else:
            doing.state = TaskState.unknown
            text = f"nobody can tell whether this was done: {title} ({result.why})"
        self.books.announce(
            f"sunset.task-{result.state}",
            text,
            task=order.task,
            why=result.why,
            people=list(self.state.answering(self.state.record(order.task))),
        )
        self.stir()

    async def _settle(self, doing: Doing, once: bool) -> None:
        """Write what a person found out, before anything follows from it."""
        if once:
            await workflow.execute_activity(
                sunset_ports.SETTLE_ACT,
                doing.verdict,
                task_queue=self._queue,
                start_to_close_timeout=timedelta(seconds=30),
                retry_policy=PATIENT,
                summary="what somebody found out",
            )
        doing.verdict = None
        if doing.confirmation is None:  # begun once more: nobody tries it in vain yet
            doing.state, doing.why, doing.stuck_since = TaskState.running, "", None

    # -- stopping ---------------------------------------------------------------------------------

    def stop_orders(self, which: Callable[[str, Doing], bool]) -> None:
        for order in self._orders:
            if not order.stopped and which(order.effect, order.doing):
                order.stopped = True
                order.handle.cancel()

    async def rest(self) -> None:
        """Begin nothing more, and wait until no act is under way.

        What can be repeated is stopped, and so is what is tried in vain; of the rest the answer is
        waited for.
        """
        self.resting = True
        self.stop_orders(
            lambda effect, doing: effect == "reversible" or doing.stuck_since is not None
        )
        await workflow.wait_condition(lambda: not self._orders)
