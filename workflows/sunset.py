"""Sunset: a product leaves the market, task by task, each on its day from the public notice."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

from temporalio import workflow
from temporalio.exceptions import is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from phasegate import ports
    from phasegate.errors import PhasegateError
    from phasegate.lifecycle import SunsetReport
    from phasegate.retirement import Entry, Retirement, TaskState
    from phasegate.retirement_page import sunset_page
    from phasegate.views import SunsetView
    from workflows.bookkeeping import PATIENT, UNDETERRED, Books, ahead
    from workflows.gatekeeper import Gatekeeper
    from workflows.sunset_tasks import SunsetTasks


@workflow.defn(name="Sunset", failure_exception_types=[PhasegateError])
class Sunset(SunsetTasks):
    """Works through the timetable; every task is done once, and says what shows it."""

    @workflow.init
    def __init__(self, state: Retirement) -> None:
        super().__init__()
        self.state = state
        self.id = workflow.info().workflow_id
        self.books = Books(state.outbox)
        self.gates = Gatekeeper(state.sittings, self.books)

    @workflow.run
    async def run(self, state: Retirement) -> SunsetReport:
        keeping = asyncio.create_task(self.books.keep())
        try:
            if state.notice_at is None:
                await self._plan()
            while state.position < len(state.timetable):
                await self._do(state.timetable[state.position])
                state.position += 1
                await self._renew_if_due()
            self._end("retired", f"{state.product.name} has left the market")
        except BaseException as error:  # a cancel, also one that met an activity
            if not is_cancelled_exception(error):
                raise
            await self.gates.stop()
            state.stopped = "cancelled"
            self._end("cancelled", f"the sunset of {state.product.name} was cancelled")
        report = self._report("")
        await self.books.undeterred(partial(self._tell, report), self._cancelled_late)
        await self.books.undeterred(self.books.closed, self._cancelled_late)
        keeping.cancel()
        return report

    # -- the story ------------------------------------------------------------------------------

    async def _plan(self) -> None:
        state = self.state
        brief = await workflow.execute_activity(
            ports.READ_SUNSET,
            ports.SunsetRequest(
                policy_digest=state.product.policy_digest, directory=state.product.directory
            ),
            result_type=ports.SunsetBrief,
            start_to_close_timeout=timedelta(seconds=30),
            retry_policy=PATIENT,
            summary="the sunset plan",
        )
        state.members = brief.members
        state.plan(brief.plan, workflow.now())
        assert state.notice_at is not None
        self.books.announce(
            "sunset.planned",
            f"{state.product.name}: public notice on {state.notice_at:%Y-%m-%d %H:%M} UTC",
            notice_at=state.notice_at.isoformat(),
            tasks={record.task.id: record.at.isoformat() for record in state.tasks},
        )
        await self.progress(f"public notice on {state.notice_at:%Y-%m-%d}")

    async def _do(self, entry: Entry) -> None:
        """One line of the timetable: wait for its day, then do it."""
        record = self.state.record(entry.task)
        await self._until_day(entry.at, f"{entry.task} on its day")
        if entry.ahead is not None:
            self.books.announce(
                "sunset.reminder",
                f"{record.task.title} in {entry.ahead.words}, on {record.at:%Y-%m-%d %H:%M} UTC",
                task=entry.task,
            )
            return
        record.state = TaskState.running
        self.publish()
        proof = await self.carry_out(record)
        self.state.done(entry.task, proof, workflow.now())
        self.books.announce(
            "sunset.task-done",
            f"{record.task.title}: {proof.text}",
            task=entry.task,
            digest=proof.digest,
            proof=proof.data,
        )
        await self.progress(f"{record.task.title} is done")

    def _end(self, word: str, text: str) -> None:
        self.state.ended_at = workflow.now()
        self.books.announce(f"sunset.{word}", text)
        self.publish()

    def _cancelled_late(self) -> None:
        text = f"the sunset of {self.state.product.name} is cancelled too late: it has ended"
        self.books.announce("sunset.cancelled-late", text)

    # -- waiting --------------------------------------------------------------------------------

    async def _until_day(self, at: datetime, summary: str) -> None:
        while (rest := ahead(at)) and rest > timedelta(0):
            await workflow.sleep(rest, summary=summary)

    async def until(self, done: Callable[[], bool]) -> None:
        renew = workflow.info().is_continue_as_new_suggested
        while not done():
            await workflow.wait_condition(lambda: done() or renew())
            if not done():
                await self._renew_if_due()

    async def _renew_if_due(self) -> None:
        """A fresh history, between two tasks or while waiting for people."""
        if workflow.info().is_continue_as_new_suggested():
            await workflow.wait_condition(workflow.all_handlers_finished)
            workflow.continue_as_new(self.state, search_attributes=self.books.hand_on())

    # -- what is seen ---------------------------------------------------------------------------

    @workflow.query(name="show")
    def show(self) -> SunsetView | None:
        return self.state.view(self.id)

    def publish(self) -> None:
        view = self.state.view(self.id)
        if view is not None:
            workflow.set_current_details(sunset_page(view, self.state.product.name))
        self.books.show(
            {
                "PhasegateStatus": self.state.status,
                "PhasegateOwner": self.state.product.owner,
                "PhasegateGate": self.state.sittings.open.gate
                if self.state.sittings.open
                else None,
                "PhasegateDue": self.state.next_due(),
            }
        )

    async def progress(self, text: str) -> None:
        self.publish()
        await self._tell(self._report(text))

    def _report(self, text: str) -> SunsetReport:
        sitting = self.state.sittings.open
        return SunsetReport(
            token=self.state.token,
            text=text,
            gate=sitting.gate if sitting else None,
            next_due=self.state.next_due(),
            conditions=self.state.conditions,
            had_a_hand=self.state.had_a_hand,
            ended=self.state.status if self.state.ended_at else "",
        )

    async def _tell(self, report: SunsetReport) -> None:
        product = workflow.get_external_workflow_handle(self.state.reports_to)
        try:
            await product.signal("sunset_progress", report)
        except Exception as error:  # the product was terminated, say: the sunset goes on
            if is_cancelled_exception(error) and workflow.patched(UNDETERRED):
                raise  # the sunset itself was cancelled, and the product not told
            workflow.logger.warning("nobody takes the report", extra={"product": product.id})
