"""What a round takes from people beside votes: the Updates of its chair."""

from __future__ import annotations

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from phasegate import chair, seating
    from phasegate.admission import require_undecided
    from phasegate.gate_requests import (
        AttestRequest,
        DelegateRequest,
        ExtendRequest,
        LookAgainRequest,
        NeedsWorkRequest,
        OverrideRequest,
        ReassignRequest,
        WithdrawRequest,
    )
    from phasegate.requests import Receipt, SubmitRequest
    from workflows.round_desk import RoundDesk


class ChairDesk(RoundDesk):
    """Each Update is checked by the same rules as a vote, answered at once, and recorded."""

    @workflow.update(name="withdraw")
    async def withdraw(self, request: WithdrawRequest) -> Receipt:
        """Take a vote back."""
        signed = await self._signature("withdraw", request)
        return await self._serve(
            request,
            "gate.withdrawn",
            lambda: chair.withdraw(self.round, request),
            signed,
            on_behalf_of=request.on_behalf_of,
        )

    @withdraw.validator
    def _check_withdraw(self, request: WithdrawRequest) -> None:
        self._validate(request, lambda: chair.check_withdraw(self.round, request))

    @workflow.update(name="delegate")
    async def delegate(self, request: DelegateRequest) -> Receipt:
        """Let somebody act for the actor in this round."""
        signed = await self._signature("delegate", request)
        found = await self._rights(request, about=request.to)
        key = signed.key if signed else ""
        return await self._serve(
            request,
            "gate.delegated",
            lambda: seating.delegate(self.round, request, found, workflow.now(), key),
            signed,
            to=request.to,
            start=request.start.isoformat() if request.start else None,
            end=request.end.isoformat() if request.end else None,
            directory=found.directory_digest,
        )

    @delegate.validator
    def _check_delegate(self, request: DelegateRequest) -> None:
        self._validate(request, lambda: seating.check_delegate(self.round, request, workflow.now()))

    @workflow.update(name="reassign")
    async def reassign(self, request: ReassignRequest) -> Receipt:
        """Give somebody's seat to another."""
        signed = await self._signature("reassign", request)
        rights = await self._rights(request, about=request.approver)
        found = await self._rights(request, about=request.to)
        return await self._serve(
            request,
            "gate.reassigned",
            lambda: seating.reassign(self.round, request, rights, found, workflow.now()),
            signed,
            approver=request.approver,
            to=request.to,
            directory=rights.directory_digest,
        )

    @reassign.validator
    def _check_reassign(self, request: ReassignRequest) -> None:
        self._validate(request, lambda: seating.check_reassign(self.round, request))

    @workflow.update(name="attest")
    async def attest(self, request: AttestRequest) -> Receipt:
        """Say whether a criterion is met."""
        signed = await self._signature("attest", request)
        key = signed.key if signed else ""
        return await self._serve(
            request,
            "gate.attested",
            lambda: chair.attest(self.round, request, workflow.now(), key),
            signed,
            criterion=request.criterion,
            state=request.state,
            score=request.score,
        )

    @attest.validator
    def _check_attest(self, request: AttestRequest) -> None:
        self._validate(request, lambda: chair.check_attest(self.round, request))

    @workflow.update(name="needs_work")
    async def needs_work(self, request: NeedsWorkRequest) -> Receipt:
        """Ask the owner for work; the clocks stop."""
        signed = await self._signature("needs_work", request)
        return await self._serve(
            request,
            "gate.needs-work",
            lambda: chair.ask_for_work(self.round, request, workflow.now()),
            signed,
        )

    @needs_work.validator
    def _check_needs_work(self, request: NeedsWorkRequest) -> None:
        self._validate(request, lambda: chair.check_ask_for_work(self.round))

    @workflow.update(name="submit")
    async def submit(self, request: SubmitRequest) -> Receipt:
        """The owner has done the work; the clocks go on."""
        return await self._serve(
            request,
            "gate.resubmitted",
            lambda: chair.submit(self.round, request, workflow.now()),
        )

    @submit.validator
    def _check_submit(self, request: SubmitRequest) -> None:
        self._validate(request, lambda: chair.check_submit(self.round))

    @workflow.update(name="extend")
    async def extend(self, request: ExtendRequest) -> Receipt:
        """Give the round more time."""
        signed = await self._signature("extend", request)
        rights = await self._rights(request)
        return await self._serve(
            request,
            "gate.extended",
            lambda: chair.extend(self.round, request, rights, workflow.now()),
            signed,
            resolve=request.resolve.isoformat(),
            directory=rights.directory_digest,
        )

    @extend.validator
    def _check_extend(self, request: ExtendRequest) -> None:
        self._validate(request, lambda: chair.check_extend(self.round, request, workflow.now()))

    @workflow.update(name="override")
    async def override(self, request: OverrideRequest) -> Receipt:
        """Decide in the place of the approvers."""
        signed = await self._signature("override", request, convened=False)
        rights = await self._rights(request)
        return await self._serve(
            request,
            "gate.overridden",
            lambda: chair.override(self.round, request, rights, workflow.now()),
            signed,
            convened=False,  # the way out where convening cannot succeed
            outcome=request.outcome.value,
            reason=request.reason,
            directory=rights.directory_digest,
        )

    @override.validator
    def _check_override(self, request: OverrideRequest) -> None:
        self._validate(request, lambda: require_undecided(self.round, "overrides"))

    @workflow.update(name="look_again")
    async def look_again(self, request: LookAgainRequest) -> Receipt:
        """The directory has a new publication: read it again, and say what changed."""
        await self.convened()
        state = self.round
        text = "the directory is known already"
        known = state.convened.directory_digest if state.convened else ""
        if not state.closed and request.directory_digest != known:
            state.clocks.ask_again("directory", "keep", workflow.now(), actor=request.actor)
            text = "the directory is read again"
        # Not remembered: asking twice does no harm, and must not push out the answers to votes.
        return Receipt(workflow_id=self.id, text=text, status=state.status, round=state.round)

    @look_again.validator
    def _check_look_again(self, request: LookAgainRequest) -> None:
        self._validate(request, lambda: require_undecided(self.round, "news"))
