"""GateReview: one sitting of a gate, from convening to its report."""

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
    from phasegate.gate_view import gate_memo, gate_page, gate_view
    from phasegate.requirement_view import open_step
    from phasegate.search import review_attributes, waiting_on
    from phasegate.sittings import GateReport
    from phasegate.views import GateView
    from workflows.bookkeeping import PATIENT, Books, Value, ahead
    from workflows.vote_desk import ReviewStart, VoteDesk


@workflow.defn(name="GateReview", failure_exception_types=[PhasegateError])
class GateReview(VoteDesk):
    """Takes votes until the gate rule decides, then reports to the workflow that opened it."""

    @workflow.init
    def __init__(self, start: ReviewStart) -> None:
        self.start = start
        self.round = start.round
        self.books = Books(start.outbox)
        self.id = workflow.info().workflow_id

    @workflow.run
    async def run(self, start: ReviewStart) -> GateReport:
        keeping = asyncio.create_task(self.books.keep())
        try:
            await self._convene()
            await self._sit()
        except BaseException as error:  # a cancel, also one that met the convening activity
            if not is_cancelled_exception(error):
                raise
            self._abandon("cancelled")
        report = self._report()
        await self._tell(report)
        await workflow.wait_condition(workflow.all_handlers_finished)
        await self.books.closed()
        keeping.cancel()
        return report

    # -- the story ------------------------------------------------------------------------------

    async def _convene(self) -> None:
        """Ask once who may vote and by when; the answer is kept, so later changes are events."""
        state = self.round
        if state.convened is None:
            opened_at = state.opened_at = state.opened_at or workflow.now()
            state.convened = await workflow.execute_activity(
                ports.CONVENE,
                ports.ConveneRequest(
                    product=state.product.key,
                    directory=state.product.directory,
                    gate=state.gate,
                    tier=state.product.tier,
                    narrowed=state.product.narrowed,
                    definition=state.product.definition,
                    milestones=state.product.milestones,
                    opened_at=opened_at,
                ),
                result_type=ports.Convened,
                start_to_close_timeout=timedelta(seconds=30),
                retry_policy=PATIENT,
                summary=f"who may vote on {state.gate.id}",
            )
            verdict = state.verdict(opened_at)
            self.books.announce(
                "gate.opened",
                f"{state.gate.title}: round {state.round} is open",
                actor=state.submitter,
                gate=state.gate.id,
                round=state.round,
                waiting_for=list(verdict.pending),
                respond_due=state.convened.respond_due.isoformat(),
                resolve_due=state.convened.resolve_due.isoformat(),
                directory_digest=state.convened.directory_digest,
            )
        self.settle()

    async def _sit(self) -> None:
        """Let votes and clocks act until the gate is decided."""
        renew = workflow.info().is_continue_as_new_suggested
        while not self.round.closed:
            wake = self.round.next_wake(workflow.now())
            try:
                await workflow.wait_condition(
                    partial(self._stirred, wake, renew),
                    timeout=ahead(wake),
                    timeout_summary=f"next clock of {self.round.gate.id}",
                )
            except TimeoutError:
                self._turn_clocks()
            if renew() and not self.round.closed:
                await workflow.wait_condition(workflow.all_handlers_finished)
                workflow.continue_as_new(
                    self.start, memo=self.books.noted, search_attributes=self.books.hand_on()
                )

    def _stirred(self, wake: datetime | None, renew: Callable[[], bool]) -> bool:
        """Whether there is something to do before `wake`."""
        return self.round.closed or self.round.next_wake(workflow.now()) != wake or renew()

    def _turn_clocks(self) -> None:
        """Remind, note who is late, and at the resolve deadline act as the policy says."""
        state, now = self.round, workflow.now()
        assert state.convened is not None
        due = [instant for instant in state.convened.remind_at if instant <= now]
        late = now >= state.convened.respond_due and not state.respond_announced
        pending = list(state.verdict(now).pending)
        if len(due) > state.reminders_sent:
            state.reminders_sent = len(due)
            if pending and not late:
                self.say("gate.reminder", f"{', '.join(pending)}: please vote", pending=pending)
        if late:
            state.respond_announced = True
            if pending:
                self.say("gate.overdue", f"{', '.join(pending)} did not answer", pending=pending)
        if self.settle():
            state.extend(now)
            again = f"{state.convened.resolve_due:%Y-%m-%d %H:%M} UTC"
            self.say(
                "gate.escalated",
                f"undecided at its deadline: {state.why or 'votes are missing'}; again at {again}",
                pending=pending,
                escalations=state.escalations,
            )
            self.publish()

    def settle(self) -> bool:
        """Apply the gate rule. True if the resolve deadline passed and people above must act."""
        state = self.round
        open_before = not state.closed
        verdict = state.settle(workflow.now())
        if open_before and state.closed:
            view = gate_view(state, self.id, workflow.now())
            self.say(
                "gate.decided",
                f"{state.gate.title}: {state.outcome} ({state.why})",
                outcome=state.outcome,
                view=view.model_dump(mode="json"),
            )
        self.publish()
        return verdict.escalate

    def _abandon(self, why: str) -> None:
        if not self.round.closed:
            self.round.abandon(why, workflow.now())
            view = gate_view(self.round, self.id, workflow.now())
            self.say(
                "gate.abandoned",
                f"{self.round.gate.title}: round {self.round.round} ends undecided ({why})",
                view=view.model_dump(mode="json"),
            )
        self.publish()

    def _report(self) -> GateReport:
        state = self.round
        assert state.decided_at is not None
        view = gate_view(state, self.id, state.decided_at)
        return GateReport(
            gate=state.gate.id,
            round=state.round,
            token=self.start.token,
            outcome=state.outcome,
            why=state.why,
            decided_at=state.decided_at,
            votes={vote.approver: vote.vote.value for vote in state.standing()},
            conditions=view.conditions if state.outcome == "conditional-go" else [],
        )

    async def _tell(self, report: GateReport) -> None:
        """Report by signal: it reaches the opener in whichever run it is by now."""
        opener = workflow.get_external_workflow_handle(self.start.reports_to)
        try:
            await opener.signal("gate_decided", report)
        except Exception:  # the opener has ended, say by a cancel: the ledger has the outcome
            self.say("gate.unreported", f"{opener.id} has ended and does not take the outcome")

    # -- what is seen ---------------------------------------------------------------------------

    @workflow.query(name="show")
    def show(self) -> GateView:
        return gate_view(self.round, self.id, workflow.now())

    def publish(self) -> None:
        state, now = self.round, workflow.now()
        view = gate_view(state, self.id, now)
        workflow.set_current_details(gate_page(view, state.product.name, state.gate.question))
        attributes: dict[str, Value] = {
            **review_attributes(state.product, state.gate.id),
            "PhasegateStatus": view.status,
        }
        if state.closed:
            attributes["PhasegateWaitingOn"] = None
            attributes["PhasegateOutcome"] = state.outcome or "abandoned"
        elif state.convened is not None:
            verdict = state.verdict(now)
            people = open_step(state, verdict).people
            attributes["PhasegateWaitingOn"] = waiting_on({p: people[p] for p in verdict.pending})
            attributes["PhasegateDue"] = state.convened.respond_due
            self.books.note(gate_memo(state, verdict.step))
        self.books.show(attributes)
