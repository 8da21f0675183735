"""What a round takes from people beside votes: the Updates of its chair."""

from __future__ import annotations

from collections.abc import Callable

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from phasegate import chair, seating
    from phasegate.admission import require_undecided
    from phasegate.errors import Forbidden, Refusal, Rejected
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
    from phasegate.ports import Authority
    from phasegate.requests import Receipt, SubmitRequest
    from workflows.authority import authority_of
    from workflows.desk import Request
    from workflows.refusing import as_failure, count_refusal
    from workflows.vote_desk import VoteDesk


class ChairDesk(VoteDesk):
    """Each Update is checked by the same rules as a vote, answered at once, and recorded."""

    @workflow.update(name="withdraw")
    async def withdraw(self, request: WithdrawRequest) -> Receipt:
        """Take a vote back."""
        return await self._serve(
            request,
            "gate.withdrawn",
            lambda: chair.withdraw(self.round, request),
            on_behalf_of=request.on_behalf_of,
        )

    @withdraw.validator
    def _check_withdraw(self, request: WithdrawRequest) -> None:
        self._validate(request, lambda: chair.check_withdraw(self.round, request))

    @workflow.update(name="delegate")
    async def delegate(self, request: DelegateRequest) -> Receipt:
        """Let somebody act for the actor in this round."""
        found = await self._rights(request, about=request.to)
        return await self._serve(
            request,
            "gate.delegated",
            lambda: seating.delegate(self.round, request, found, workflow.now()),
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
        rights = await self._rights(request, about=request.approver)
        found = await self._rights(request, about=request.to)
        return await self._serve(
            request,
            "gate.reassigned",
            lambda: seating.reassign(self.round, request, rights, found, workflow.now()),
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
        return await self._serve(
            request,
            "gate.attested",
            lambda: chair.attest(self.round, request, workflow.now()),
            criterion=request.criterion,
            state=request.state,
            score=request.score,
            revision=self.round.revision,
        )

    @attest.validator
    def _check_attest(self, request: AttestRequest) -> None:
        self._validate(request, lambda: chair.check_attest(self.round, request))

    @workflow.update(name="needs_work")
    async def needs_work(self, request: NeedsWorkRequest) -> Receipt:
        """Ask the owner for work; the clocks stop."""
        return await self._serve(
            request,
            "gate.needs-work",
            lambda: chair.ask_for_work(self.round, request, workflow.now()),
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
        rights = await self._rights(request)
        return await self._serve(
            request,
            "gate.extended",
            lambda: chair.extend(self.round, request, rights, workflow.now()),
            resolve=request.resolve.isoformat(),
            directory=rights.directory_digest,
        )

    @extend.validator
    def _check_extend(self, request: ExtendRequest) -> None:
        self._validate(request, lambda: chair.check_extend(self.round, request, workflow.now()))

    @workflow.update(name="override")
    async def override(self, request: OverrideRequest) -> Receipt:
        """Decide in the place of the approvers."""
        rights = await self._rights(request)
        return await self._serve(
            request,
            "gate.overridden",
            lambda: chair.override(self.round, request, rights, workflow.now()),
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

    # -- one way for all ------------------------------------------------------------------------

    def _validate(self, request: Request, check: Callable[[], object]) -> None:
        """Raise what is late, before anything enters history. Rights come later."""
        if request.key in self.round.handled or self.round.convened is None:
            return  # a retry is answered again; a round that knows nobody yet judges later
        try:
            check()
        except Refusal as refusal:
            count_refusal(refusal)
            raise as_failure(refusal) from None

    async def _rights(self, request: Request, about: str | None = None) -> Authority:
        """What the directory says now of who asks. A retry is not asked about again."""
        if request.key in self.round.handled:
            return Authority()
        product = self.round.product
        try:
            found = await authority_of(
                product.directory, request.actor, tier=product.tier, about=about
            )
            if self.round.product.tier != product.tier:
                raise Rejected(
                    "changed-meanwhile",
                    f"nothing was done to {self.round.gate.id} of {product.key}",
                    f"it was of tier {product.tier} when the directory was asked, and is no longer",
                    f"phasegate gate show {product.key}/{self.round.gate.id}  # then ask again",
                )
            return found
        except Refusal as refusal:
            raise as_failure(refusal) from None

    async def _serve(
        self,
        request: Request,
        event: str,
        do: Callable[[], str],
        *,
        convened: bool = True,
        **data: object,
    ) -> Receipt:
        """Do it once, remember the answer; what somebody may not do is recorded."""
        if convened:
            await self.convened()
        if known := self.round.handled.get(request.key):
            return known
        try:
            text = do()
        except Forbidden as refusal:
            self.record(request.actor, refusal, channel="update")
            raise as_failure(refusal) from None
        except Refusal as refusal:
            count_refusal(refusal)
            raise as_failure(refusal) from None
        if event == "gate.extended":
            data["respond"] = self.dates(self.round.verdict(workflow.now()).pending)
        with self.books.answering(request.key):
            self.say(event, text, actor=request.actor, **data)
            self.settle()
        return self.answer(request.key, text)
