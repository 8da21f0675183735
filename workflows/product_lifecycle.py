"""ProductLifecycle: one product, from inception to the day it leaves the market."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

from temporalio import workflow
from temporalio.common import RawValue
from temporalio.exceptions import is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from phasegate import ports
    from phasegate.errors import PhasegateError, Refusal, Rejected
    from phasegate.gate import Gate
    from phasegate.lifecycle import Lifecycle, Status
    from phasegate.milestones import roadmap_of
    from phasegate.product_view import product_page, product_view
    from phasegate.sittings import GateReport, Kind
    from phasegate.views import ProductView
    from workflows.bookkeeping import PATIENT, Books, Value
    from workflows.desk import because
    from workflows.gatekeeper import Gatekeeper
    from workflows.milestone_watch import MilestoneWatch
    from workflows.owner_desk import OwnerDesk
    from workflows.product_clock import Cancelled, ProductClock
    from workflows.refusing import NO_INPUT
    from workflows.retiring import SunsetKeeper


@workflow.defn(name="ProductLifecycle", failure_exception_types=[PhasegateError])
class ProductLifecycle(OwnerDesk):
    """Lives for years: phases, the gates between them, and at last the sunset."""

    @workflow.init
    def __init__(self, state: Lifecycle) -> None:
        self.state = state
        self.id = workflow.info().workflow_id
        self.books = Books(state.outbox)
        self.gates = Gatekeeper(state.sittings, self.books)
        self.sunset = SunsetKeeper(state)
        self.watch = MilestoneWatch(state, self.books, self.gates, self.publish)
        self.clock = ProductClock(state, self.books, self.publish, self._continue_as_new)

    @workflow.run
    async def run(self, state: Lifecycle) -> ProductView:
        keeping = asyncio.create_task(self.books.keep())
        try:
            await self._live()
        except Cancelled:
            await self._end_cancelled()
        except BaseException as error:  # a cancel from the Temporal UI, also inside an activity
            if not is_cancelled_exception(error):
                raise
            state.cancelled_by = state.cancelled_by or "Temporal"
            await self._end_cancelled()
        self.watch.stop()
        await workflow.wait_condition(workflow.all_handlers_finished)
        await self.books.closed()
        keeping.cancel()
        return product_view(state, self.id)

    # -- the story ------------------------------------------------------------------------------

    async def _live(self) -> None:
        state = self.state
        self.publish()
        if state.brief is None:
            await self._begin()
        while not state.status.is_final:
            if state.status is Status.sunsetting:
                await self._leave_the_market()
            elif gate := await self._work_until_a_gate():
                await self._hold(*gate)
            else:
                await self._enter_next_phase()

    async def _begin(self) -> None:
        state = self.state
        state.started_at = workflow.now()
        self.books.announce(
            "product.started",
            f"{state.product.name} starts under {state.policy.name} {state.policy.version}",
            actor=state.product.owner,
            policy_digest=state.policy.digest,
            product=state.product.model_dump(mode="json"),
        )
        await self._enter(None)

    async def _work_until_a_gate(self) -> tuple[Kind, Gate] | None:
        """Work goes on until a gate is to be held; None where the phase ends without one."""
        state = self.state
        assert state.brief is not None
        phase = state.brief.phase
        self.watch.start()
        await self.clock.until(
            lambda: (
                state.sittings.open is not None
                or state.may_open_gate()
                or state.review_is_due(workflow.now())
            )
        )
        kind: Kind = "review" if phase.review and state.review_is_due(workflow.now()) else "phase"
        if state.sittings.open is not None:
            kind = state.sittings.open.kind
        gate = phase.review.gate if kind == "review" and phase.review else phase.gate
        return (kind, gate) if gate else None

    async def _hold(self, kind: Kind, gate: Gate) -> None:
        """Hold one round of the gate and do as it decides."""
        state = self.state
        if state.sittings.open is None:
            submitter = state.submitted_by or state.product.owner
            if kind == "phase":  # a review that falls due first must not use up the submission
                state.submitted_by = None
            await self.gates.open(
                gate,
                kind,
                state.facts(gate.id),
                submitter=submitter,
                open_conditions=[condition.id for condition in state.open_conditions()],
            )
            if state.status is Status.on_hold:  # held while the round was being started
                await self.gates.tell("pause")
            self.publish()
        else:
            await self.gates.rejoin()
        await self.clock.until(lambda: self.gates.reported() and state.status is not Status.on_hold)
        report = self.gates.close()
        state.conditions += report.conditions
        await self._follow(kind, report)

    async def _follow(self, kind: Kind, report: GateReport) -> None:
        """Go on, go back, wait or stop: what each outcome means for the product."""
        state = self.state
        assert state.brief is not None
        in_market = state.brief.phase.in_market
        match report.outcome:
            case "go" | "conditional-go" if kind == "review":
                self._plan_next_review(report)
            case "go" | "conditional-go":
                await self._enter_next_phase()
            case "hold":
                self.hold(report.why, actor=report.gate)
                state.submitted_by = state.product.owner if kind == "phase" else None
            case "kill" if kind == "review" and state.brief.phase.gate:
                self._say("product.sunset-proposed", f"{report.gate} asks for the sunset")
                state.review_due = None
                state.submitted_by = state.product.owner
            case "kill" if in_market and state.brief.has_sunset:
                self._start_sunset(f"{report.gate} decided kill")
            case "kill":
                self._finish(Status.killed, f"{report.gate} decided kill: {report.why}")
            case _ if kind == "review":
                self._plan_next_review(report)
            case _:  # recycled, or abandoned: back to work, and the owner brings it back
                state.needs_submit = True
                self._say("product.back-to-work", f"{report.gate}: {report.why}")
                if state.review_due is None:
                    self._plan_next_review(report)
        self.publish()

    async def _enter_next_phase(self) -> None:
        state = self.state
        assert state.brief is not None
        if state.brief.next:
            await self._enter(state.brief.next)
            await self._continue_as_new()
        if state.brief.has_sunset:
            self._start_sunset(f"{state.brief.phase.title} is over")
        else:
            self._finish(Status.completed, f"{state.policy.name} ends here, without a sunset")

    async def _enter(self, phase: str | None) -> None:
        state, now = self.state, workflow.now()
        state.entering = True
        state.brief = await workflow.execute_activity(
            ports.READ_PHASE,
            ports.PhaseRequest(
                policy_digest=state.policy.digest, phase=phase, directory=state.directory
            ),
            result_type=ports.PhaseBrief,
            start_to_close_timeout=timedelta(seconds=30),
            retry_policy=PATIENT,
            summary=f"what {phase or 'the first phase'} asks",
        )
        here = state.brief.phase
        state.entering, state.entered_at = False, now
        state.needs_submit, state.submitted_by = False, None
        state.review_due = here.review.first.after(now) if here.review else None
        known = {milestone.id for milestone in state.milestones}
        state.milestones += [m for m in roadmap_of(here, state.product) if m.id not in known]
        self._say("product.phase-entered", f"{state.product.name} enters {here.title}")
        self.publish()

    def _plan_next_review(self, report: GateReport) -> None:
        assert self.state.brief is not None
        review = self.state.brief.phase.review
        if review:
            self.state.review_due = review.every.after(workflow.now())
            when = f"{self.state.review_due:%Y-%m-%d}"
            self._say("product.review-planned", f"{review.gate.id} comes again on {when}")

    # -- the end --------------------------------------------------------------------------------

    def _start_sunset(self, why: str) -> None:
        self.state.status = Status.sunsetting
        self.state.review_due = None
        self._say("product.sunsetting", f"{self.state.product.name} leaves the market: {why}")
        self.publish()

    async def _leave_the_market(self) -> None:
        """The sunset is a child of its own; the product ends when it reports."""
        await self.sunset.start()
        self.publish()
        await self.clock.until(self.sunset.ended)
        if self.sunset.retired():
            self._finish(Status.retired, f"{self.state.product.name} has left the market")
        else:
            state = self.state
            state.cancelled_by = state.cancelled_by or "Temporal"
            state.cancel_reason = state.cancel_reason or "its sunset was ended"
            raise Cancelled

    def _finish(self, status: Status, text: str) -> None:
        self.state.status = status
        self.state.ended_at = workflow.now()
        self._say(f"product.{status}", text)
        self.publish()

    async def _end_cancelled(self) -> None:
        """Stop what the product has open; nothing of it goes on without the product."""
        await self.gates.stop()
        await self.sunset.stop()
        who = self.state.cancelled_by or "unknown"
        self._finish(Status.cancelled, f"cancelled by {who}" + because(self.state.cancel_reason))

    async def _continue_as_new(self) -> None:
        """A fresh history; children go on, and pollers are started again."""
        await workflow.wait_condition(workflow.all_handlers_finished)
        self.watch.stop()
        workflow.continue_as_new(self.state, search_attributes=self.books.hand_on())

    # -- reports from children ------------------------------------------------------------------

    @workflow.signal(name="sunset_progress")
    async def sunset_progress(self, raw: RawValue = NO_INPUT) -> None:
        try:
            if not self.sunset.take(raw):
                raise Rejected("unexpected-report", "a sunset report", "its token is wrong")
        except Refusal as refusal:
            self.record_refusal("unknown", refusal, channel="signal")

    # -- what is seen ---------------------------------------------------------------------------

    @workflow.query(name="show")
    def show(self) -> ProductView:
        return product_view(self.state, self.id)

    def _say(self, type: str, text: str, **data: Any) -> None:
        data = {"phase": self.state.phase_id, **data}
        self.books.announce(type, text, **data)

    def publish(self) -> None:
        """Show the state where operations look: search attributes and the page in the UI."""
        state = self.state
        view = product_view(state, self.id)
        workflow.set_current_details(product_page(view, state.product.summary))
        attributes: dict[str, Value] = {
            "PhasegateStatus": state.status.value,
            "PhasegateProduct": state.key,
            "PhasegateOwner": state.product.owner,
            "PhasegatePolicy": state.policy.name,
            "PhasegatePhase": state.phase_shown,
            "PhasegateGate": view.gate,
            "PhasegateDue": state.next_due(),
        }
        self.books.show(attributes)
