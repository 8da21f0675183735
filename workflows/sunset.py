"""Sunset: a product leaves the market, task by task, or comes back to it."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from functools import partial

from temporalio import workflow
from temporalio.exceptions import is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from phasegate import ports
    from phasegate.errors import PhasegateError
    from phasegate.retirement import Retirement
    from phasegate.retirement_page import sunset_page
    from phasegate.retirement_plan import begin, public_dates
    from phasegate.retirement_view import view_of
    from phasegate.retirement_words import asked_of_people, waits_for
    from phasegate.sunset_report import SunsetReport
    from phasegate.sunset_views import SunsetView
    from workflows.bookkeeping import PATIENT, UNDETERRED, Books
    from workflows.discretion import names
    from workflows.gatekeeper import Gatekeeper
    from workflows.renewing import Renewable, go_on
    from workflows.sunset_undo import SunsetUndo


@workflow.defn(name="Sunset", failure_exception_types=[PhasegateError])
class Sunset(SunsetUndo, Renewable):
    """Carries the plan through; every task is done once, and says what shows it."""

    @workflow.init
    def __init__(self, state: Retirement) -> None:
        super().__init__()
        self.state = state
        self.id = workflow.info().workflow_id
        self.books = Books(state.outbox)
        self.gates = Gatekeeper(state.sittings, self.books)
        self._told: SunsetReport | None = None
        self._telling: asyncio.Task[None] | None = None

    @workflow.run
    async def run(self, state: Retirement) -> SunsetReport:
        keeping = asyncio.create_task(self.books.keep())
        try:
            await self._plan()
            await self.through()
            if state.aborting is None:
                self._end("retired", f"{state.product.name} has left the market")
            else:
                await self.undo_all()
                text = f"the sunset of {state.product.name} was aborted: {state.aborting.reason}"
                self._end("aborted", text + self.stays())
        except BaseException as error:  # a cancel, also one that met an activity
            if not is_cancelled_exception(error):
                raise
            await self.books.undeterred(self._stop, self._cancelled_late)
            self._end("cancelled", f"the sunset of {state.product.name} was cancelled")
        await self.books.undeterred(self.books.at_rest, self._cancelled_late)
        report = self._numbered(self._report())
        await self.books.undeterred(partial(self._tell, report), self._cancelled_late)
        await self.books.undeterred(self._close, self._cancelled_late)
        keeping.cancel()
        return report

    async def _close(self) -> None:
        """Everything is written, and nothing that was asked is left behind."""
        await self.books.closed()
        await workflow.wait_condition(self.has_learnt)

    # -- the story ------------------------------------------------------------------------------

    async def _plan(self) -> None:
        """Read the plan, and lay it out; where a rule is broken, wait for another one."""
        state = self.state
        if state.plan is None:
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
            state.plan = brief.plan
        if state.notice_at is None:
            await self.meanwhile(lambda: state.customers is not None)
            begin(state, workflow.now())
            self._say_plan()
        await self.meanwhile(lambda: not state.needs_plan or state.aborting is not None)

    def _say_plan(self) -> None:
        state = self.state
        if state.needs_plan:
            text = f"{state.product.name} cannot leave as it is planned: {state.needs_plan}"
            self.books.announce("sunset.waiting-for-plan", text, why=state.needs_plan)
            return
        assert state.notice_at is not None
        moved = f"; {'; '.join(state.moved)}" if state.moved else ""
        self.books.announce(
            "sunset.planned",
            f"{state.product.name}: public notice on {state.notice_at:%Y-%m-%d %H:%M} UTC{moved}",
            **self.planned(),
            dates=public_dates(state),
        )

    async def _stop(self) -> None:
        """It is cancelled: nothing is begun any more, and what is being done comes to its end."""
        if self.opening:  # a round that is being started cannot be told yet
            await workflow.wait_condition(lambda: not self.opening)
        await self.gates.stop()
        await self.rest()

    def _end(self, word: str, text: str) -> None:
        self.state.stopped = "" if word == "retired" else word
        self.state.ended_at = workflow.now()
        by = self.state.aborting.by if self.state.aborting and word == "aborted" else ""
        self.books.announce(f"sunset.{word}", text, actor=by)
        self.publish()

    def _cancelled_late(self) -> None:
        text = f"the sunset of {self.state.product.name} is cancelled too late: it has ended"
        self.books.announce("sunset.cancelled-late", text)

    async def renew(self) -> None:
        """Go on in a fresh history, which may be carried on by newer code."""
        await self.rest()
        await self.books.at_rest(lambda: self.has_learnt() and self._has_told())
        await workflow.wait_condition(lambda: workflow.all_handlers_finished() and not self.opening)
        go_on(self.state, search_attributes=self.books.hand_on())

    # -- what is seen ---------------------------------------------------------------------------

    @workflow.query(name="show")
    def show(self) -> SunsetView | None:
        return view_of(self.state, self.id)

    def publish(self) -> None:
        view = view_of(self.state, self.id)
        if view is not None:
            workflow.set_current_details(sunset_page(view, self.state.product.name))
        sitting = self.state.sittings.open
        self.books.show(
            {
                "PhasegateStatus": self.state.status,
                "PhasegateOwner": names().person(self.state.product.owner),
                "PhasegateGate": sitting.gate if sitting else None,
                "PhasegateDue": self.state.next_due(),
            }
        )

    def progress(self) -> None:
        """Not awaited: a signal on its way swallows a cancel that comes meanwhile."""
        self.publish()
        report = self._report()
        if report != self._told and self._has_told() and self.state.plan is not None:
            self._told = report.model_copy(deep=True)
            self._telling = asyncio.create_task(self._tell(self._numbered(self._told)))
            self._telling.add_done_callback(lambda _: self.stir())

    def _has_told(self) -> bool:
        return self._telling is None or self._telling.done()

    def _report(self) -> SunsetReport:
        state = self.state
        sitting, aborting = state.sittings.open, state.aborting
        return SunsetReport(
            token=state.token,
            text=waits_for(state),
            gate=sitting.gate if sitting else None,
            next_due=state.next_due(),
            conditions=state.conditions,
            had_a_hand=state.had_a_hand,
            ended=state.status if state.ended_at else "",
            state=state.status,
            beyond_return=state.beyond_return,
            legal_holds=state.legal_holds,
            waiting_for=asked_of_people(state),
            rounds=state.sittings.rounds,
            by=aborting.by if aborting else "",
            why=aborting.reason if aborting else "",
        )

    def _numbered(self, report: SunsetReport) -> SunsetReport:
        """With its number, in the order in which they are made: signals may overtake each other."""
        self.state.reports += 1
        numbered = {"serial": self.state.reports, "made_at": workflow.now()}
        return report.model_copy(update=numbered)

    async def _tell(self, report: SunsetReport) -> None:
        product = workflow.get_external_workflow_handle(self.state.reports_to)
        try:
            await product.signal("sunset_progress", report)
        except Exception as error:  # the product was terminated, say: the sunset goes on
            if is_cancelled_exception(error) and workflow.patched(UNDETERRED):
                raise  # the sunset itself was cancelled, and the product not told
            workflow.logger.warning("nobody takes the report", extra={"product": product.id})
