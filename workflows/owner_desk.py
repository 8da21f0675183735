"""What a product takes from people: the Updates of ProductLifecycle."""

from __future__ import annotations

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from phasegate.errors import Forbidden, Rejected
    from phasegate.lifecycle import Evidence, Lifecycle, Status
    from phasegate.requests import (
        ConditionRequest,
        EvidenceRequest,
        MilestoneRequest,
        OwnerRequest,
        Receipt,
        SubmitRequest,
    )
    from phasegate.stewardship import (
        check_condition,
        check_milestone,
        check_resume,
        check_submit,
        require_reporter,
    )
    from workflows.desk import Desk, because
    from workflows.gatekeeper import Gatekeeper
    from workflows.milestone_watch import MilestoneWatch
    from workflows.retiring import SunsetKeeper


class OwnerDesk(Desk):
    """Updates of a product."""

    kind = "product"
    state: Lifecycle
    gates: Gatekeeper
    sunset: SunsetKeeper
    watch: MilestoneWatch

    @property
    def served(self) -> Lifecycle:
        return self.state

    # -- the owner's requests -------------------------------------------------------------------

    @workflow.update(name="submit")
    async def submit(self, request: SubmitRequest) -> Receipt:
        """Open the phase's gate."""

        def do() -> str:
            self.state.require_owner(request.actor, "submit")
            gate = check_submit(self.state, request)
            self.state.submitted_by, self.state.needs_submit = request.actor, False
            self.books.announce(
                "gate.submitted",
                f"{gate} is submitted" + because(request.reason),
                actor=request.actor,
                gate=gate,
            )
            return f"{gate} opens"

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

        receipt = self.serve(request, do)
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
            self.state.resume(workflow.now())
            self.books.announce(
                "product.resumed",
                f"{self.state.key} goes on" + because(request.reason),
                actor=request.actor,
            )
            return f"{self.state.key} is active again"

        receipt = self.serve(request, do)
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
        """Attach evidence for the next round of the gate."""

        def do() -> str:
            self.state.require_owner(request.actor, "attach evidence to")
            self.state.evidence.append(
                Evidence(
                    title=request.title,
                    link=request.link,
                    digest=request.digest,
                    by=request.actor,
                    at=workflow.now(),
                )
            )
            self.books.announce(
                "product.evidence",
                f"evidence: {request.title}",
                actor=request.actor,
                link=request.link,
                digest=request.digest,
            )
            return f"{request.title} is attached; the next round shows it"

        return self.serve(request, do)

    @attach.validator
    def _check_attach(self, request: EvidenceRequest) -> None:
        self.validate(request, self.state.require_room_for_evidence)

    # -- milestones and conditions --------------------------------------------------------------

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
        milestone = self.state.milestone(request.milestone)
        await self.gates.tell("milestone", milestone.id, milestone.state.value)
        return receipt

    @milestone.validator
    def _check_milestone(self, request: MilestoneRequest) -> None:
        self.validate(request, lambda: check_milestone(self.state, request))

    @workflow.update(name="condition")
    async def condition(self, request: ConditionRequest) -> Receipt:
        """Close a condition of an earlier Conditional Go."""

        def do() -> str:
            condition = check_condition(self.state, request)
            if request.actor not in (condition.owner, self.state.product.owner):
                raise Forbidden(
                    "not-owner",
                    f"{request.actor} may not close condition {condition.id}",
                    f"{condition.owner} promised it; {self.state.product.owner} owns the product",
                    f"phasegate product show {self.state.key}",
                )
            condition.state = "closed"
            self.books.announce(
                "condition.closed",
                f"{condition.id} is kept: {request.note}",
                actor=request.actor,
                condition=condition.id,
            )
            return f"{condition.id} is closed"

        receipt = self.serve(request, do)
        await self.gates.tell("condition-closed", request.condition)
        await self.sunset.tell("condition-closed", request.condition)
        return receipt

    @condition.validator
    def _check_condition(self, request: ConditionRequest) -> None:
        self.validate(request, lambda: check_condition(self.state, request))

    # -- holding --------------------------------------------------------------------------------

    def hold(self, why: str, *, actor: str) -> None:
        self.state.status, self.state.held_since = Status.on_hold, workflow.now()
        text = f"{self.state.key} is on hold" + because(why)
        self.books.announce("product.held", text, actor=actor)

    def _holdable(self) -> None:
        if self.state.status is not Status.active:
            raise Rejected(
                "not-active",
                f"{self.state.key} cannot be put on hold",
                f"it is {self.state.status}",
                f"phasegate product show {self.state.key}",
            )
