"""What a product takes from people: the Updates of ProductLifecycle."""

from __future__ import annotations

from collections.abc import Callable

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from phasegate.errors import Forbidden, Refusal, Rejected
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
    from workflows.bookkeeping import Books
    from workflows.gatekeeper import Gatekeeper
    from workflows.milestone_watch import MilestoneWatch
    from workflows.refusing import as_failure
    from workflows.retiring import SunsetKeeper

Asked = OwnerRequest | MilestoneRequest | ConditionRequest

REFUSALS_ANNOUNCED = 50
"""Refusals a product announces; those beyond are counted, so that nobody floods the ledger."""


def because(reason: str) -> str:
    """What follows a colon in an announcement; nothing where no reason was given."""
    return f": {reason}" if reason else ""


class OwnerDesk:
    """Updates of a product. Each is answered at once: taken, or refused with the reason.

    Validators reject what is late or makes no sense (nothing enters history); what somebody may
    not do is accepted, recorded and refused.
    """

    id: str
    state: Lifecycle
    books: Books
    gates: Gatekeeper
    sunset: SunsetKeeper
    watch: MilestoneWatch

    def publish(self) -> None:
        raise NotImplementedError

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

        return self._serve(request, do)

    @submit.validator
    def _check_submit(self, request: SubmitRequest) -> None:
        self._validate(request, lambda: check_submit(self.state, request))

    @workflow.update(name="hold")
    async def hold_product(self, request: OwnerRequest) -> Receipt:
        """Put the product on hold: no gate opens, no clock runs, an open gate pauses."""

        def do() -> str:
            self.state.require_owner(request.actor, "hold")
            self.hold(request.reason, actor=request.actor)
            return f"{self.state.key} is on hold"

        receipt = self._serve(request, do)
        await self.gates.tell("pause")
        return receipt

    @hold_product.validator
    def _check_hold(self, request: OwnerRequest) -> None:
        self._validate(request, self._holdable)

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

        receipt = self._serve(request, do)
        await self.gates.tell("resume")
        return receipt

    @resume_product.validator
    def _check_resume(self, request: OwnerRequest) -> None:
        self._validate(request, lambda: check_resume(self.state))

    @workflow.update(name="cancel")
    async def cancel_product(self, request: OwnerRequest) -> Receipt:
        """End the lifecycle, and what it has open."""

        def do() -> str:
            self.state.require_owner(request.actor, "cancel")
            self.state.cancelled_by, self.state.cancel_reason = request.actor, request.reason
            return f"{self.state.key} is being cancelled"

        return self._serve(request, do)

    @cancel_product.validator
    def _check_cancel(self, request: OwnerRequest) -> None:
        self._validate(request, lambda: None)

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

        return self._serve(request, do)

    @attach.validator
    def _check_attach(self, request: EvidenceRequest) -> None:
        self._validate(request, self.state.require_room_for_evidence)

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

        return self._serve(request, do)

    @milestone.validator
    def _check_milestone(self, request: MilestoneRequest) -> None:
        self._validate(request, lambda: check_milestone(self.state, request))

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

        receipt = self._serve(request, do)
        await self.gates.tell("condition-closed", request.condition)
        await self.sunset.tell("condition-closed", request.condition)
        return receipt

    @condition.validator
    def _check_condition(self, request: ConditionRequest) -> None:
        self._validate(request, lambda: check_condition(self.state, request))

    # -- how every request is served ------------------------------------------------------------

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

    def _validate(self, request: Asked, check: Callable[[], object]) -> None:
        """Raise what is late or malformed, before anything enters history. Rights come later."""
        if request.request_id in self.state.handled:
            return  # a retry is answered again, not refused
        try:
            self.state.require_alive()
            check()
        except Refusal as refusal:
            raise as_failure(refusal) from refusal

    def _serve(self, request: Asked, do: Callable[[], str]) -> Receipt:
        """Do it once, remember the answer; a refusal is recorded."""
        if known := self.state.handled.get(request.request_id):
            return known
        try:
            text = do()
        except Refusal as refusal:
            self.record_refusal(request.actor, refusal, channel="update")
            raise as_failure(refusal) from refusal
        receipt = Receipt(workflow_id=self.id, text=text, status=self.state.status.value)
        self.state.remember(request.request_id, receipt)
        self.publish()
        return receipt

    def record_refusal(self, actor: str, refusal: Refusal, *, channel: str) -> None:
        self.state.refusals += 1
        if self.state.refusals <= REFUSALS_ANNOUNCED:
            self.books.announce(
                "product.refused",
                f"{refusal.what}: {refusal.why}",
                actor=actor,
                code=refusal.code,
                channel=channel,
            )
