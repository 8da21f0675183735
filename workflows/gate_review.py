"""GateReview: one sitting of a gate, from convening to its report."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from functools import partial

from temporalio import workflow
from temporalio.exceptions import is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from phasegate import ports
    from phasegate.errors import PhasegateError
    from phasegate.gate_page import gate_page
    from phasegate.gate_view import gate_memo, gate_view, waiting_keys
    from phasegate.grounds import grounds_of
    from phasegate.search import review_attributes
    from phasegate.sittings import GateReport
    from phasegate.views import GateView
    from workflows.bookkeeping import UNDETERRED, Books, Value, ahead
    from workflows.calling import ask
    from workflows.convening import Convening
    from workflows.discretion import names
    from workflows.moment import Moment
    from workflows.renewing import Renewable, go_on
    from workflows.round_measures import measure_end
    from workflows.vote_desk import ReviewStart

LEDGER_IS_LATE = timedelta(seconds=2)
"""So long the opener waits for the record of a round; then it is told the outcome without."""


@workflow.defn(name="GateReview", failure_exception_types=[PhasegateError])
class GateReview(Convening, Renewable):
    """Takes votes until the gate rule decides, then reports to the workflow that opened it."""

    @workflow.init
    def __init__(self, start: ReviewStart) -> None:
        self.start = start
        self.round = start.round
        self.books = Books(start.outbox)
        self.moment = Moment(follows_releases=False)
        self.id = workflow.info().workflow_id
        self._told = False

    @workflow.run
    async def run(self, start: ReviewStart) -> GateReport:
        keeping = asyncio.create_task(self.books.keep())
        try:
            await self.convene()
            await self._sit()
        except BaseException as error:  # a cancel, also one that met the convening activity
            if not is_cancelled_exception(error):
                raise
            self._abandon("cancelled")
        report = self._report()
        await self.books.undeterred(partial(self._hand_in, report), self._cancelled_late)
        keeping.cancel()
        return report

    # -- the story ------------------------------------------------------------------------------

    async def _sit(self) -> None:
        """Let votes and clocks act until the gate is decided."""
        while not self.round.closed:
            self.moment.passes()
            if self._may_move():
                await self._renew()
            if self.round.clocks.again:
                await self.look()
                self.settle()
                continue
            wake = self.round.next_wake(workflow.now())
            try:
                await workflow.wait_condition(
                    partial(self._stirred, wake),
                    timeout=ahead(wake),
                    timeout_summary=f"next clock of {self.round.gate.id}",
                )
            except TimeoutError:
                self.moment.passes()
                self._turn_clocks()
            if self.moment.renew and not self.round.closed:
                await self._renew()

    def _stirred(self, wake: datetime | None) -> bool:
        """Whether there is something to do before `wake`."""
        state = self.round
        if state.closed or state.clocks.again or self.moment.renew or self._may_move():
            return True
        return state.next_wake(self.moment.now) != wake

    def _may_move(self) -> bool:
        """Whether there is a newer build, and it is the time for it.

        An open round ends by the code that opened it. One that stands still may do so for
        longer than an old build should be kept, and is convened anew afterwards.
        """
        return self.moment.newer and self.round.clocks.between_times

    async def _renew(self) -> None:
        await self.books.at_rest()
        await workflow.wait_condition(workflow.all_handlers_finished)
        go_on(self.start, memo=self.books.noted, search_attributes=self.books.hand_on())

    def _turn_clocks(self) -> None:
        """Remind; let deputies, then managers act for those who are late; at the resolve deadline
        act as the policy says."""
        state, now = self.round, workflow.now()
        pending = list(state.verdict(now).pending)
        reminded = state.clocks.due_reminder(pending, now)
        if late := state.clocks.newly_late(pending, now):
            acting = {person: list(state.stand_ins(person, now)) for person in late}
            self.say(
                "gate.overdue", f"{', '.join(late)} did not answer", pending=late, acting=acting
            )
        in_time = [person for person in reminded if person not in state.clocks.late]
        if in_time:
            self.say("gate.reminder", f"{', '.join(in_time)}: please vote", pending=in_time)
        if silent := state.clocks.newly_escalated(pending, now):
            acting = {person: list(state.stand_ins(person, now)) for person in silent}
            who = sorted({other for others in acting.values() for other in others})
            text = (
                f"{', '.join(silent)} did not answer: {', '.join(who) or 'nobody'} may act for them"
            )
            self.say("gate.escalated", text, pending=silent, acting=acting)
        if self.settle():
            self._escalate(pending)

    def _escalate(self, pending: list[str]) -> None:
        """Undecided at the resolve deadline: it goes one level up, and is never a Go."""
        state, now = self.round, workflow.now()
        why = state.verdict(now).why or "votes are missing"
        state.escalate(now)
        acting = {person: list(state.stand_ins(person, now)) for person in pending}
        self.say(
            "gate.escalated",
            f"undecided at its deadline: {why}",
            pending=pending,
            acting=acting,
            escalations=state.clocks.escalations,
        )
        self.publish()

    def settle(self) -> bool:
        """Apply the gate rule. True if the resolve deadline passed and people above must act."""
        state = self.round
        verdict = state.settle(workflow.now()) if state.convened else None
        if state.outcome and not state.ending_said:
            state.ending_said = True
            now = workflow.now()
            view = gate_view(state, self.id, now)
            # An override may come before anybody could be convened: it rests on nothing else.
            grounds = grounds_of(state, now) if state.convened else None
            self.say(
                "gate.decided",
                f"{state.gate.title}: {state.outcome} ({state.why})",
                actor=state.override.actor if state.override else "",
                outcome=state.outcome,
                view=view.model_dump(mode="json"),
                grounds=grounds.model_dump(mode="json") if grounds else None,
            )
            measure_end(state, state.outcome)
        self.publish()
        return bool(verdict and verdict.escalate and not state.closed)

    def _abandon(self, why: str) -> None:
        if not self.round.closed:
            self.round.abandon(why, workflow.now())
            view = gate_view(self.round, self.id, workflow.now())
            self.say(
                "gate.abandoned",
                f"{self.round.gate.title}: round {self.round.round} ends undecided ({why})",
                view=view.model_dump(mode="json"),
                asked=self.round.people_asked(),
            )
            measure_end(self.round, "abandoned")
        self.publish()

    def _report(self) -> GateReport:
        state = self.round
        assert state.decided_at is not None
        report = GateReport.of(gate_view(state, self.id, state.decided_at), self.start.token)
        return report.model_copy(update={"had_a_hand": state.had_a_hand})

    async def _hand_in(self, report: GateReport) -> None:
        """Wait until everything is in the ledger; the opener then takes the report as our result.

        It gets it by signal, too, where it would not see us complete, or where the ledger is late.
        """
        told = late = False
        answer = await ask(
            ports.OPENER_RUN,
            ports.OpenerQuery(workflow_id=self.start.reports_to),
            ports.OpenerRun,
            "who waits for the report",
        )
        parent = workflow.info().parent
        # Who was reset since is in another run than the one that started us, and misses our result.
        elsewhere = parent is None or answer.run_id != parent.run_id

        def owed() -> bool:
            return not told and (elsewhere or self.start.opener_renewed or late)

        def done() -> bool:
            return not self.books.outbox.waiting and workflow.all_handlers_finished()

        while not done():
            if owed():
                await self._tell(report)
                told = True
            try:
                await workflow.wait_condition(
                    lambda: owed() or done(),
                    timeout=None if late else LEDGER_IS_LATE,
                    timeout_summary="the ledger",
                )
            except TimeoutError:
                late = True
        if owed():
            await self._tell(report)

    def _cancelled_late(self) -> None:
        state = self.round
        how = f"it is decided: {state.outcome}" if state.outcome else "it has ended undecided"
        self.say("gate.cancelled-late", f"{state.gate.id} is cancelled too late: {how}")

    async def _tell(self, report: GateReport) -> None:
        """Report by signal, once: it reaches the opener in whichever run it is by now."""
        if self._told:
            return  # a cancel broke off what came after it
        opener = workflow.get_external_workflow_handle(self.start.reports_to)
        try:
            await opener.signal("gate_decided", report)
        except Exception as error:  # the opener has ended by a cancel: the ledger has the outcome
            if is_cancelled_exception(error) and workflow.patched(UNDETERRED):
                raise  # this round was cancelled, and the opener not told
            self.say("gate.unreported", f"{opener.id} has ended and does not take the outcome")
        self._told = True

    # -- what is seen ---------------------------------------------------------------------------

    @workflow.query(name="show")
    def show(self) -> GateView:
        return gate_view(self.round, self.id, workflow.now())

    def publish(self) -> None:
        """Show the state where operations look: search attributes, the memo, the page in the UI."""
        state, now = self.round, workflow.now()
        view = gate_view(state, self.id, now)
        workflow.set_current_details(gate_page(view, state.product.name, state.gate.question))
        attributes: dict[str, Value] = {
            **review_attributes(state.product, state.gate.id, names()),
            "PhasegateStatus": view.status,
        }
        if state.closed:
            attributes["PhasegateWaitingOn"] = None
            attributes["PhasegateOutcome"] = state.outcome or "abandoned"
        elif state.convened is not None:
            attributes["PhasegateWaitingOn"] = waiting_keys(state, view, names())
            attributes["PhasegateDue"] = view.respond_due
            self.books.note(gate_memo(state, view, now, names()))
        self.books.show(attributes)
