"""What a sunset takes from people: confirmations, another plan, legal holds, an abort."""

from __future__ import annotations

from typing import Any

from temporalio import workflow
from temporalio.common import RawValue

with workflow.unsafe.imports_passed_through():
    from phasegate.errors import Refusal, Rejected
    from phasegate.legal_hold import apply_legal_hold
    from phasegate.requests import (
        AbortRequest,
        ConfirmRequest,
        CustomersRequest,
        LegalHoldRequest,
        PlanSunsetRequest,
        Receipt,
        SubmitRequest,
    )
    from phasegate.retirement_desk import (
        check_abort,
        check_confirm,
        check_customers,
        check_hold,
        check_submit,
        confirm,
        require_aborter,
        require_confirmer,
        require_hold_right,
        require_owner_or_team,
    )
    from phasegate.retirement_plan import check_plan, replan
    from phasegate.retirement_undo import begin_abort
    from phasegate.sittings import OpenerNote
    from workflows.desk import because
    from workflows.gatekeeper import Gatekeeper
    from workflows.refusing import NO_INPUT, OURS, read_signal
    from workflows.sunset_authority import SunsetAuthority

SAID_KEPT = 20
"""What was said of customers since the last look; what is more is counted by the look itself."""


class SunsetDesk(SunsetAuthority):
    """Updates of a sunset, and the notes of its product."""

    gates: Gatekeeper

    @workflow.update(name="confirm")
    async def confirm(self, request: ConfirmRequest) -> Receipt:
        """Confirm a task that waits for people, or say what became of one that nobody knows of."""
        state = self.state

        def may() -> None:
            record, _ = check_confirm(state, request)
            require_confirmer(state, record, request.actor)

        def do() -> str:
            may()
            record, doing = check_confirm(state, request)
            text = confirm(state, request, record, doing)
            if doing.verdict is not None:
                self.stop_orders(lambda _, it: it is doing)
                said = f"{text} ({request.actor}: {request.note})"
                self.books.announce(
                    "sunset.settled",
                    said,
                    actor=request.actor,
                    task=record.task.id,
                    outcome=request.outcome,
                    note=request.note,
                    proof=dict(request.proof),
                )
            self.stir()
            return text

        return await self._judged(request, lambda: check_confirm(state, request), may, do)

    @confirm.validator
    def _check_confirm(self, request: ConfirmRequest) -> None:
        self.validate(request, lambda: check_confirm(self.state, request))

    @workflow.update(name="submit")
    async def submit(self, request: SubmitRequest) -> Receipt:
        """Bring a stopped gate of the sunset back as a new round."""

        def do() -> str:
            gate = check_submit(self.state, request)
            require_owner_or_team(self.state, request.actor, "submit a gate of")
            self.state.submitted_by = request.actor
            self.state.had_a_hand.setdefault(request.actor, "submitted a gate of its sunset")
            text = f"{gate} is submitted" + because(request.reason)
            self.books.announce("gate.submitted", text, actor=request.actor, gate=gate)
            self.stir()
            return f"{gate} opens"

        return self.serve(request, do)

    @submit.validator
    def _check_submit(self, request: SubmitRequest) -> None:
        self.validate(request, lambda: check_submit(self.state, request))

    @workflow.update(name="plan_sunset")
    async def plan_sunset(self, request: PlanSunsetRequest) -> Receipt:
        """Change the plan on the way: postpone, leave out, add."""
        state = self.state

        def do() -> str:
            require_owner_or_team(state, request.actor, "plan the sunset of")
            layout = check_plan(state, request, workflow.now())
            changed = replan(state, request.adjustments, layout)
            text = "; ".join(changed[:5]) or "nothing of it is another day"
            more = f"; and {len(changed) - 5} more" if len(changed) > 5 else ""
            self.books.announce(
                "sunset.replanned",
                f"the sunset is planned anew: {text}{more}",
                actor=request.actor,
                **self.planned(),
                changed=changed[:100],
            )
            self.stir()
            return f"planned anew: {text}{more}"

        return self.serve(request, do)

    @plan_sunset.validator
    def _check_plan_sunset(self, request: PlanSunsetRequest) -> None:
        self.validate(request, lambda: check_plan(self.state, request, workflow.now()))

    def planned(self) -> dict[str, Any]:
        """The plan, as announcements have it."""
        state = self.state
        assert state.notice_at is not None
        return {
            "number": state.number,
            "notice_at": state.notice_at.isoformat(),
            "tasks": {record.task.id: record.at.isoformat() for record in state.tasks},
            "moved": state.moved,
        }

    @workflow.update(name="abort")
    async def abort(self, request: AbortRequest) -> Receipt:
        """Undo the sunset: the product goes back to its market."""
        state = self.state

        def may() -> None:
            require_aborter(state, request.actor)

        def do() -> str:
            may()
            check_abort(state, request)
            if state.aborting:
                return f"it is being aborted already, by {state.aborting.by}"
            begin_abort(state, request, workflow.now())
            self.stop_orders(lambda _, doing: doing.stuck_since is not None)
            text = f"the sunset of {state.product.name} is aborted: {request.reason}"
            self.books.announce(
                "sunset.abort-begun", text, actor=request.actor, reason=request.reason
            )
            self.stir()
            return f"the sunset of {state.product.key} is being undone"

        member = request.actor != state.product.owner
        return await self._judged(
            request, lambda: check_abort(state, request), may, do, asked=member
        )

    @abort.validator
    def _check_abort(self, request: AbortRequest) -> None:
        self.validate(request, lambda: check_abort(self.state, request))

    @workflow.update(name="legal_hold")
    async def legal_hold(self, request: LegalHoldRequest) -> Receipt:
        """Place a legal hold, or lift it."""
        state = self.state

        def may() -> None:
            require_hold_right(state, request.actor)

        def do() -> str:
            may()
            check_hold(state, request)
            state.legal_holds = apply_legal_hold(state.legal_holds, request, workflow.now())
            word = "lifted" if request.lift else "placed"
            self.books.announce(
                f"sunset.legal-hold-{word}",
                f"legal hold {request.matter} is {word}: {request.reason}",
                actor=request.actor,
                matter=request.matter,
                reason=request.reason,
            )
            if not request.lift:
                self.stop_orders(lambda effect, _: effect == "deletion")
            self.stir()
            return f"legal hold {request.matter} is {word}"

        # A hold that is placed harms nothing, and is placed also while the ledger is down.
        member = request.lift and state.plan is not None and state.plan.legal_hold_by is not None
        return await self._judged(
            request, lambda: check_hold(state, request), may, do, asked=member
        )

    @legal_hold.validator
    def _check_legal_hold(self, request: LegalHoldRequest) -> None:
        self.validate(request, lambda: check_hold(self.state, request))

    @workflow.update(name="customers")
    async def customers(self, request: CustomersRequest) -> Receipt:
        """The customers have changed: they are looked at again, soon."""
        state = self.state

        def do() -> str:
            check_customers(state, request)
            require_owner_or_team(state, request.actor, "change the customers of")
            said = f"{request.actor}: {request.text}" if request.text else request.actor
            digest = f" ({request.digest})" if request.digest else ""
            state.customers_told = [*state.customers_told, said + digest][-SAID_KEPT:]
            state.customers_asked += 1
            self.stir()
            return f"the customers of {state.product.key} are counted again"

        return self.serve(request, do)

    @customers.validator
    def _check_customers(self, request: CustomersRequest) -> None:
        self.validate(request, lambda: check_customers(self.state, request))

    @workflow.signal(name="opener_note")
    async def opener_note(self, raw: RawValue = NO_INPUT) -> None:
        """The product changed, a milestone of it, or a condition of an earlier gate is kept."""
        try:
            note = read_signal(raw, OpenerNote)
            if note.token != self.state.token:
                raise Rejected("not-the-opener", "a note to the sunset", "its token is wrong", OURS)
        except Refusal as refusal:
            self.record_refusal("unknown", refusal, channel="signal")
            return
        if note.action == "condition-closed" and self.state.let_go(note.condition):
            await self.gates.tell("condition-closed", note.condition)
        if note.action == "milestone":
            self.state.hear_of_milestone(note.condition, note.state)
            await self.gates.tell("milestone", note.condition, note.state)
        if note.action == "facts" and note.facts is not None:
            self.state.hear(note.facts)
            self.publish()
            self.stir()
            if sitting := self.state.sittings.open:
                facts = self.state.facts(sitting.gate)
                await self.gates.tell("facts", facts=facts, actor=note.actor)
