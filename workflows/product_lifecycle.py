"""ProductLifecycle: one product, from inception to the day it leaves the market."""

from __future__ import annotations

import asyncio

from temporalio import workflow
from temporalio.common import RawValue
from temporalio.exceptions import is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from phasegate.dues import due_in_lists
    from phasegate.errors import PhasegateError, Refusal, Rejected
    from phasegate.facts import ProductFacts
    from phasegate.gate import Gate
    from phasegate.lifecycle import Lifecycle, Status
    from phasegate.product_view import product_page, product_view
    from phasegate.sittings import Kind
    from phasegate.views import ProductView
    from workflows.bookkeeping import Books, Value
    from workflows.course import Course
    from workflows.desk import because
    from workflows.discretion import names
    from workflows.gatekeeper import Gatekeeper
    from workflows.milestone_watch import MilestoneWatch
    from workflows.moment import Moment
    from workflows.product_clock import Cancelled, ProductClock
    from workflows.refusing import NO_INPUT, OURS
    from workflows.renewing import Renewable, go_on
    from workflows.retiring import SunsetKeeper


@workflow.defn(name="ProductLifecycle", failure_exception_types=[PhasegateError])
class ProductLifecycle(Course, Renewable):
    """Lives for years: phases, the gates between them, and at last the sunset."""

    @workflow.init
    def __init__(self, state: Lifecycle) -> None:
        super().__init__()
        self.state = state
        self.id = workflow.info().workflow_id
        self.books = Books(state.outbox)
        self.moment = Moment()
        self.gates = Gatekeeper(state.sittings, self.books)
        self.sunset = SunsetKeeper(state)
        self.watch = MilestoneWatch(state, self.books, self.tell_milestone, self.publish)
        self.clock = ProductClock(state, self.books, self.publish, self.renew, self.moment)

    @workflow.run
    async def run(self, state: Lifecycle) -> ProductView:
        keeping = asyncio.create_task(self.books.keep())
        try:
            await self._live()
        except Cancelled:
            await self.books.undeterred(self._end_cancelled, self._cancelled_late)
        except BaseException as error:  # a cancel from the Temporal UI, also inside an activity
            if not is_cancelled_exception(error):
                raise
            state.cancelled_by = state.cancelled_by or "Temporal"
            await self._end_cancelled()
        self.watch.stop()
        await self.books.undeterred(self.books.closed, self._cancelled_late)
        keeping.cancel()
        return product_view(state, self.id)

    # -- the story ------------------------------------------------------------------------------

    async def _live(self) -> None:
        state = self.state
        self.publish()
        if state.revival is not None:
            await self.come_back()
        elif state.brief is None:
            await self._begin()
        while not state.status.is_final:
            if state.status is Status.sunsetting:
                await self._leave_the_market()
            elif state.verdict is not None:
                verdict, state.verdict = state.verdict, None
                await self.follow(verdict.kind, verdict.report)
            elif gate := await self._work_until_a_gate():
                await self._hold(*gate)
            elif state.verdict is None:
                await self.enter_next_phase()

    async def _begin(self) -> None:
        state = self.state
        state.started_at = workflow.now()
        self.books.announce(
            "product.started",
            f"{state.product.name} starts under {state.policy.name} {state.policy.version}",
            actor=state.product.owner,
            policy_digest=state.policy.digest,
            directory=state.directory,
            product=state.product.model_dump(mode="json"),
        )
        await self.enter(None)

    async def _work_until_a_gate(self) -> tuple[Kind, Gate | None] | None:
        """Work goes on until a gate is to be held.

        None where the phase ends without one, or where somebody decided in a gate's place.
        """
        state = self.state
        assert state.brief is not None
        phase = state.brief.phase
        self.watch.start()
        await self.clock.until(
            lambda: (
                state.sittings.open is not None
                or state.verdict is not None
                or state.may_open_gate()
                or state.review_is_due(self.moment.now)
            )
        )
        if state.verdict is not None:
            return None
        phase = state.brief.phase  # another one, where another policy has come meanwhile
        kind: Kind = "review" if phase.review and state.review_is_due(workflow.now()) else "phase"
        if state.sittings.open is not None:
            kind = state.sittings.open.kind
        gate = phase.review.gate if kind == "review" and phase.review else phase.gate
        return (kind, gate) if gate or state.sittings.open else None

    async def _hold(self, kind: Kind, gate: Gate | None) -> None:
        """Hold one round of the gate and do as it decides."""
        state = self.state
        if state.sittings.open is None:
            assert gate is not None
            submitter = state.submitted_by or state.product.owner
            if kind == "phase":  # a review that falls due first must not use up the submission
                state.submitted_by = None
            facts = state.facts(gate.id)
            promised = [condition.id for condition in state.open_conditions()]
            await self.gates.open(gate, kind, facts, submitter=submitter, open_conditions=promised)
            await self._catch_up(gate, facts, promised)
            self.publish()
        else:
            await self.gates.rejoin()
        await self.clock.until(self._may_follow)
        report = self.gates.close()
        if state.status is Status.on_hold:
            self.go_on(report.why, actor=report.override)
        state.take_conditions(report.conditions, workflow.now(), report.gate)
        state.had_a_hand = report.had_a_hand | state.had_a_hand
        await self.follow(kind, report)

    def _may_follow(self) -> bool:
        """What the approvers decide waits for the end of a hold; an override is the end of it."""
        held = self.state.status is Status.on_hold
        if self.stopping:
            return False  # its report is a migration's first
        return self.gates.reported() and (not held or self.gates.overridden())

    async def _catch_up(self, gate: Gate, facts: ProductFacts, promised: list[str]) -> None:
        """Tell the round what changed while it was being started, and could not be told."""
        state = self.state
        if state.status is Status.on_hold:
            await self.gates.tell("pause")
        still = [condition.id for condition in state.open_conditions()]
        for settled in (condition for condition in promised if condition not in still):
            await self.gates.tell("condition-closed", settled)
        if state.facts(gate.id) != facts:
            await self.tell_facts(state.product.owner)

    # -- the end --------------------------------------------------------------------------------

    async def _leave_the_market(self) -> None:
        """The sunset is a child of its own. The product ends with it, unless it is aborted."""
        await self.sunset.start()
        self.watch.start_in_sunset()
        self.publish()
        await self.clock.until(self.sunset.ended)
        if self.sunset.retired():
            self.finish(Status.retired, f"{self.state.product.name} has left the market")
        elif self.sunset.aborted():
            await self.go_back_to_market()
        else:
            state = self.state
            state.cancelled_by = state.cancelled_by or "Temporal"
            state.cancel_reason = state.cancel_reason or "its sunset was ended"
            raise Cancelled

    async def _end_cancelled(self) -> None:
        """Stop what the product has open; nothing of it goes on without the product."""
        await self.gates.stop()
        await self.sunset.stop()
        who = self.state.cancelled_by or "unknown"
        self.finish(Status.cancelled, f"cancelled by {who}" + because(self.state.cancel_reason))

    def _cancelled_late(self) -> None:
        how = f"it is {self.state.status}" if self.state.status.is_final else "it is ending already"
        self.say("product.cancelled-late", f"{self.state.key} is cancelled too late: {how}")

    async def renew(self) -> None:
        """A fresh history; children go on, and pollers are started again."""
        await self.books.at_rest()
        await workflow.wait_condition(
            lambda: workflow.all_handlers_finished() and self.watch.has_told()
        )
        self.watch.stop()
        self.state.ahead_only = True
        go_on(self.state, search_attributes=self.books.hand_on())

    # -- reports from children ------------------------------------------------------------------

    @workflow.signal(name="sunset_progress")
    async def sunset_progress(self, raw: RawValue = NO_INPUT) -> None:
        try:
            if not self.sunset.take(raw):
                raise Rejected("unexpected-report", "a sunset report", "its token is wrong", OURS)
        except Refusal as refusal:
            self.record_refusal("unknown", refusal, channel="signal")

    # -- what is seen ---------------------------------------------------------------------------

    @workflow.query(name="show")
    def show(self) -> ProductView:
        return product_view(self.state, self.id)

    def publish(self) -> None:
        """Show the state where operations look: search attributes and the page in the UI."""
        state = self.state
        view = product_view(state, self.id)
        workflow.set_current_details(product_page(view, state.product.summary))
        attributes: dict[str, Value] = {
            "PhasegateStatus": state.status.value,
            "PhasegateProduct": state.key,
            "PhasegateOwner": names().person(state.product.owner),
            "PhasegatePolicy": state.policy.name,
            "PhasegatePhase": state.phase_shown,
            "PhasegateGate": view.gate,
            "PhasegateDue": due_in_lists(state),
            **self.waiting_on(),
        }
        self.books.show(attributes)
