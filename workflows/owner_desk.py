"""What a product takes from people: the Updates of ProductLifecycle."""

from __future__ import annotations

import asyncio

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from phasegate.errors import Rejected
    from phasegate.evidence import Evidence, require_room
    from phasegate.lifecycle import Lifecycle, Status
    from phasegate.milestones import Milestone
    from phasegate.requests import (
        EvidenceRequest,
        MilestoneRequest,
        OwnerRequest,
        Receipt,
        SubmitRequest,
    )
    from phasegate.stewardship import (
        check_milestone,
        check_resume,
        check_submit,
        require_owner_or_team,
        require_reporter,
    )
    from workflows.desk import Desk, because
    from workflows.gatekeeper import Gatekeeper
    from workflows.milestone_watch import SUNSET_HEARS, MilestoneWatch
    from workflows.retiring import SunsetKeeper


TOLD_ONCE = "a-retry-tells-the-round-nothing"
"""Patch: a retried hold or resume is answered, and the round not told what may be over by now."""


class OwnerDesk(Desk):
    """Updates of a product."""

    kind = "product"
    state: Lifecycle
    gates: Gatekeeper
    sunset: SunsetKeeper
    watch: MilestoneWatch

    def __init__(self) -> None:
        super().__init__()
        self.telling = asyncio.Lock()

    @property
    def served(self) -> Lifecycle:
        return self.state

    # -- the owner's requests -------------------------------------------------------------------

    @workflow.update(name="submit")
    async def submit(self, request: SubmitRequest) -> Receipt:
        """Open the phase's gate."""

        def do() -> str:
            require_owner_or_team(self.state, request.actor, "submit")
            gate = check_submit(self.state, request)
            self.state.submitted_by, self.state.needs_submit = request.actor, False
            self.state.had_a_hand.setdefault(request.actor, "submitted a gate of it")
            what = gate or f"the end of {self.state.phase_id}"
            self.books.announce(
                "gate.submitted",
                f"{what} is submitted" + because(request.reason),
                actor=request.actor,
                gate=gate,
            )
            return f"{gate} opens" if gate else f"{self.state.phase_id} ends"

        return self.serve(request, do)

    @submit.validator
    def _check_submit(self, request: SubmitRequest) -> None:
        self.validate(request, lambda: check_submit(self.state, request))

    @workflow.update(name="hold")
    async def hold_product(self, request: OwnerRequest) -> Receipt:
        """Put the product on hold: no gate opens, no clock runs, an open gate pauses."""

        def do() -> str:
            self.state.require_owner(request.actor, "hold")
            self.hold(request.reason, actor=request.actor)
            return f"{self.state.key} is on hold"

        new = request.key not in self.state.handled
        receipt = self.serve(request, do)
        if new or not workflow.patched(TOLD_ONCE):
            await self.gates.tell("pause")
        return receipt

    @hold_product.validator
    def _check_hold(self, request: OwnerRequest) -> None:
        self.validate(request, self._holdable)

    @workflow.update(name="resume")
    async def resume_product(self, request: OwnerRequest) -> Receipt:
        """Go on after a hold; dates move by as long as it lasted."""

        def do() -> str:
            self.state.require_owner(request.actor, "resume")
            self.go_on(request.reason, actor=request.actor)
            return f"{self.state.key} is active again"

        new = request.key not in self.state.handled
        receipt = self.serve(request, do)
        if new or not workflow.patched(TOLD_ONCE):
            await self.gates.tell("resume")
        return receipt

    @resume_product.validator
    def _check_resume(self, request: OwnerRequest) -> None:
        self.validate(request, lambda: check_resume(self.state))

    @workflow.update(name="cancel")
    async def cancel_product(self, request: OwnerRequest) -> Receipt:
        """End the lifecycle, and what it has open."""

        def do() -> str:
            self.state.require_owner(request.actor, "cancel")
            self.state.cancelled_by, self.state.cancel_reason = request.actor, request.reason
            return f"{self.state.key} is being cancelled"

        return self.serve(request, do)

    @cancel_product.validator
    def _check_cancel(self, request: OwnerRequest) -> None:
        self.validate(request, lambda: None)

    @workflow.update(name="evidence")
    async def attach(self, request: EvidenceRequest) -> Receipt:
        """Attach evidence. A round that is open sees it, and may have to vote again."""

        def do() -> str:
            require_owner_or_team(self.state, request.actor, "attach evidence to")
            self.state.evidence.append(
                Evidence(
                    title=request.title,
                    link=request.link,
                    digest=request.digest,
                    by=request.actor,
                    at=workflow.now(),
                    figures=request.figures,
                )
            )
            self.books.announce(
                "product.evidence",
                f"evidence: {request.title}",
                actor=request.actor,
                link=request.link,
                digest=request.digest,
                figures=request.figures,
                revision=self.state.revision(),
            )
            sitting = self.state.sittings.open
            where = f"{sitting.gate} sees it" if sitting else "the next round shows it"
            return f"{request.title} is attached; {where}"

        new = request.key not in self.state.handled
        receipt = self.serve(request, do, self.state.revision)
        if new:
            await self.tell_facts(request.actor)
        return receipt

    @attach.validator
    def _check_attach(self, request: EvidenceRequest) -> None:
        self.validate(request, lambda: require_room(self.state.key, self.state.evidence))

    # -- milestones -----------------------------------------------------------------------------

    @workflow.update(name="milestone")
    async def milestone(self, request: MilestoneRequest) -> Receipt:
        """Report a milestone met, waive it, or plan it anew."""

        def do() -> str:
            milestone = check_milestone(self.state, request)
            if request.action == "report":
                require_reporter(self.state, milestone, request.actor)
            else:
                self.state.require_owner(request.actor, f"{request.action} a milestone of")
            text = milestone.act(request, workflow.now())
            self.watch.leave(milestone)
            self.books.announce(
                f"milestone.{milestone.state}",
                f"{text}" + (f" ({request.note})" if request.note else ""),
                actor=request.actor,
                milestone=milestone.id,
                due=milestone.due.isoformat() if milestone.due else None,
            )
            return text

        receipt = self.serve(request, do)
        await self.tell_milestone(self.state.milestone(request.milestone))
        return receipt

    @milestone.validator
    def _check_milestone(self, request: MilestoneRequest) -> None:
        self.validate(request, lambda: check_milestone(self.state, request))

    # -- telling --------------------------------------------------------------------------------

    async def tell_facts(self, actor: str) -> None:
        """The product is not what it was: tell the open round, and the sunset.

        One at a time, and each with what is true when it is sent: the last that is told is true.
        """
        async with self.telling:
            if sitting := self.state.sittings.open:
                facts = self.state.facts(sitting.gate)
                await self.gates.tell("facts", facts=facts, actor=actor)
            await self.sunset.tell("facts", facts=self.state.facts(""), actor=actor)

    async def tell_milestone(self, milestone: Milestone) -> None:
        """A criterion may name it: of the open round, or of a gate of the sunset."""
        await self.gates.tell("milestone", milestone.id, milestone.state.value)
        if self.state.sunset_token and workflow.patched(SUNSET_HEARS):
            await self.sunset.tell("milestone", milestone.id, milestone.state.value)

    # -- holding --------------------------------------------------------------------------------

    def hold(self, why: str, *, actor: str, gate: str = "") -> None:
        self.state.status, self.state.held_since = Status.on_hold, workflow.now()
        self.state.held_by = gate
        text = f"{self.state.key} is on hold" + because(why)
        self.books.announce("product.held", text, actor=actor)

    def go_on(self, why: str, *, actor: str) -> None:
        self.state.resume(workflow.now())
        text = f"{self.state.key} goes on" + because(why)
        self.books.announce("product.resumed", text, actor=actor)

    def _holdable(self) -> None:
        if self.state.status is not Status.active:
            raise Rejected(
                "not-active",
                f"{self.state.key} cannot be put on hold",
                f"it is {self.state.status}",
                f"phasegate product show {self.state.key}",
            )
