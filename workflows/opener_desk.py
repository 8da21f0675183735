"""What the opener of a round tells it, by signals that only it can send."""

from __future__ import annotations

from temporalio import workflow
from temporalio.common import RawValue

with workflow.unsafe.imports_passed_through():
    from phasegate.errors import Refusal, Rejected
    from phasegate.facts import ProductFacts
    from phasegate.sittings import OpenerNote
    from workflows.refusing import NO_INPUT, OURS, read_signal
    from workflows.vote_desk import VoteDesk


class OpenerDesk(VoteDesk):
    """The product, or its sunset, is known by the token that it gave the round."""

    @workflow.signal(name="opener_note")
    async def opener_note(self, raw: RawValue = NO_INPUT) -> None:
        """The product changed, is held or resumed, or a condition of an earlier gate is kept."""
        try:
            note = read_signal(raw, OpenerNote)
            if note.token != self.start.token:
                raise Rejected("not-the-opener", "a note to the gate", "its token is wrong", OURS)
        except Refusal as refusal:
            self.record("unknown", refusal, channel="signal")
            return
        state, now = self.round, workflow.now()
        if note.action == "ping":
            self.start.opener_renewed = True
        if state.closed:
            return
        if note.action == "pause":
            state.pause(now)
        elif note.action == "resume":
            state.resume(now)
        elif note.action == "milestone":
            state.hear_of_milestone(note.condition, note.state)
        elif note.action == "facts" and note.facts:
            self._hear(note.facts, note.actor)
        elif note.condition in state.open_conditions:
            state.open_conditions.remove(note.condition)
        if note.action != "ping" and state.convened and not state.paused_at:
            self.settle()
        self.publish()

    def _hear(self, facts: ProductFacts, actor: str) -> None:
        """The product is not what it was: tell those whose yes-votes are void by that."""
        state, before = self.round, self.round.revision
        void = state.hear(facts, workflow.now())
        again = list(dict.fromkeys(vote.holder for vote in void))
        changed = f"evidence is now {state.revision}" if state.revision != before else "it changed"
        asked = f"; {', '.join(again)}: please vote again" if again else ""
        self.say(
            "gate.changed",
            f"{state.product.name}: {changed}{asked}",
            actor=actor,
            revision=state.revision,
            voided=again,
        )
