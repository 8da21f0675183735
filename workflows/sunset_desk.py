"""What a sunset takes from people: confirmations, and a gate brought back."""

from __future__ import annotations

from temporalio import workflow
from temporalio.common import RawValue

with workflow.unsafe.imports_passed_through():
    from phasegate.errors import Refusal, Rejected
    from phasegate.ports import TaskProof
    from phasegate.requests import ConfirmRequest, Receipt, SubmitRequest
    from phasegate.retirement import Retirement
    from phasegate.retirement_desk import (
        check_confirm,
        check_submit,
        require_confirmer,
        require_owner_or_team,
    )
    from phasegate.sittings import OpenerNote
    from workflows.desk import Desk, because
    from workflows.gatekeeper import Gatekeeper
    from workflows.refusing import NO_INPUT, OURS, read_signal


class SunsetDesk(Desk):
    """Updates of a sunset, and the notes of its product."""

    kind = "sunset"
    state: Retirement
    gates: Gatekeeper

    @property
    def served(self) -> Retirement:
        return self.state

    @workflow.update(name="confirm")
    async def confirm(self, request: ConfirmRequest) -> Receipt:
        """Confirm the manual task that waits."""

        def do() -> str:
            record = check_confirm(self.state, request)
            require_confirmer(self.state, record, request.actor)
            record.confirmation = TaskProof(text=f"{request.actor}: {request.note}")
            return f"{record.task.id} is confirmed"

        return self.serve(request, do)

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
            return f"{gate} opens"

        return self.serve(request, do)

    @submit.validator
    def _check_submit(self, request: SubmitRequest) -> None:
        self.validate(request, lambda: check_submit(self.state, request))

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
            if sitting := self.state.sittings.open:
                facts = self.state.facts(sitting.gate)
                await self.gates.tell("facts", facts=facts, actor=note.actor)
