"""How a round finds out who may vote, by when, what the criteria say, and what changes of it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from phasegate import ports
    from phasegate.clockwork import Reconvening
    from phasegate.gate_view import respond_due
    from phasegate.revoking import void_revoked
    from workflows.calling import ask
    from workflows.chair_desk import ChairDesk

DATES_TOLD = "dates-told"
"""Rounds that began before did not say that a later step opens, nor that days move."""


class Convening(ChairDesk):
    """One activity answers for the opening and for every change of directory, product or clock."""

    async def convene(self) -> None:
        """Ask once who may vote and by when; the answer is kept, so later changes are events."""
        state = self.round
        if state.convened is None:
            state.opened_at = state.opened_at or workflow.now()
            state.clocks.open(state.opened_at)
            await self.look()
        self.settle()

    async def look(self) -> None:
        """Read the directory, the calendars and the criteria again, as the first order asks."""
        state = self.round
        wanted, signers = state.clocks.again[0], sorted(state.signed_at)
        asked = asyncio.create_task(self._ask_directory(wanted.order, signers))
        await workflow.wait_condition(lambda: asked.done() or state.closed)
        if not asked.done():  # decided meanwhile: nobody needs the answer
            asked.cancel()
            return
        before, dates, known = state.members(), self.dates(), state.convened
        state.convene(asked.result())
        if known and known.directory_digest != asked.result().directory_digest:
            self._look_at_new_signers(signers, wanted)
        self._tell_people(wanted, before)
        self._void_revoked(wanted)
        if wanted.why != "opened":
            self._tell_dates(wanted, dates)

    async def _ask_directory(
        self, order: ports.ClockOrder, signers: Sequence[str]
    ) -> ports.Convened:
        state = self.round
        product = state.product
        request = ports.ConveneRequest(
            product=product.key,
            directory=product.directory,
            gate=state.gate,
            tier=product.tier,
            narrowed=product.narrowed,
            definition=product.definition,
            evidence=product.figures,
            milestones=product.milestones,
            seated=tuple(r.to for r in state.reassigned),
            acting=tuple(d.to for d in state.mandates.given),
            barred=tuple(state.barred),
            signers=tuple(signers),
            asked=state.convened.applying if state.convened else (),
            clock=order.model_copy(update={"before": state.clocks.timetable}),
        )
        summary = f"who may vote on {state.gate.id}"
        return await ask(ports.CONVENE, request, ports.Convened, summary)

    def _tell_people(self, wanted: Reconvening, before: Mapping[str, Sequence[str]]) -> None:
        state, now = self.round, workflow.now()
        found, table = state.convened, state.clocks.timetable
        assert found is not None
        assert table is not None
        if wanted.why == "opened":
            verdict = state.verdict(now)
            self.say(
                "gate.opened",
                f"{state.gate.title}: round {state.round} is open",
                actor=state.submitter,
                revision=state.revision,
                waiting_for=list(verdict.pending),
                respond=self.dates(verdict.pending),
                seats=self.groups(verdict.pending),
                reviewers={group: list(asked) for group, asked in state.reviewers().items()},
                respond_due=respond_due(state, verdict).isoformat(),
                resolve_due=table.resolve.isoformat(),
                directory_digest=found.directory_digest,
                notes=found.notes,
            )
        elif (after := state.members()) != before:
            people = {p for group in before.values() for p in group}
            now_there = {p for group in after.values() for p in group}
            joined, left = sorted(now_there - people), sorted(people - now_there)
            self.say(
                "gate.seats",
                f"who sits at {state.gate.id} has changed: "
                f"joined {', '.join(joined) or 'nobody'}, left {', '.join(left) or 'nobody'}",
                actor=wanted.actor,
                joined=joined,
                left=left,
                respond=self.dates(joined),
                seats=self.groups(joined),
                directory_digest=found.directory_digest,
            )

    def _look_at_new_signers(self, asked_about: Sequence[str], wanted: Reconvening) -> None:
        """Who signed something while a new directory was on its way was judged by the old one, and
        the answer says nothing of their keys: ask once more."""
        state = self.round
        if any(person not in asked_about for person in state.signed_at):
            state.clocks.ask_again("directory", "keep", workflow.now(), actor=wanted.actor)

    def _void_revoked(self, wanted: Reconvening) -> None:
        """A compromised key voids what was signed with it, and whose votes those were is asked."""
        state = self.round
        undone = void_revoked(state, workflow.now())
        if not undone:
            return
        asked = f"; {', '.join(undone.again)}: please vote again" if undone.again else ""
        self.say(
            "gate.key-revoked",
            f"what a key of {', '.join(undone.people)} signed is void, since it is revoked{asked}",
            actor=wanted.actor,
            voided=undone.again,
            votes=[{"approver": v.approver, "holder": v.holder} for v in undone.votes],
            attested=[{"criterion": a.criterion, "actor": a.actor} for a in undone.attested],
            delegations=[{"approver": d.approver, "to": d.to} for d in undone.delegations],
            directory_digest=state.convened.directory_digest if state.convened else "",
        )

    def _tell_dates(self, wanted: Reconvening, before: Mapping[str, str]) -> None:
        """Who is asked only now that their step is open, and whose day has moved."""
        state = self.round
        asked = self.dates(state.verdict(workflow.now()).pending)
        opens = wanted.why == "step"
        people = [p for p, due in asked.items() if opens or before.get(p, due) != due]
        if not people or not workflow.patched(DATES_TOLD):
            return
        days = sorted({asked[p][:10] for p in people})
        by = days[0] if len(days) == 1 else f"between {days[0]} and {days[-1]}"
        self.say(
            "gate.step" if opens else "gate.dates",
            f"{', '.join(people)}: please vote by {by}",
            actor=wanted.actor,
            waiting_for=people,
            respond={p: asked[p] for p in people},
            seats=self.groups(people),
            why=wanted.why,
        )
