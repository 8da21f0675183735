"""How a round serves what people ask of it beside votes: once, answered at once, and recorded."""

from __future__ import annotations

from collections.abc import Callable

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from phasegate.admission import require_undecided
    from phasegate.errors import Forbidden, Refusal, Rejected
    from phasegate.gate_requests import Spoken
    from phasegate.ports import Authority
    from phasegate.requests import Receipt, SubmitRequest
    from phasegate.signed_words import require_still
    from phasegate.signing import Action, Signed
    from workflows.authority import authority_of
    from workflows.desk import Request
    from workflows.opener_desk import OpenerDesk
    from workflows.refusing import as_failure, count_refusal
    from workflows.signature_desk import kept


class RoundDesk(OpenerDesk):
    """One way for all Updates beside votes."""

    def _validate(self, request: Request, check: Callable[[], object]) -> None:
        """Raise what is late, before anything enters history. Rights come later."""
        if request.key in self.round.handled or self.round.convened is None:
            return  # a retry is answered again; a round that knows nobody yet judges later
        try:
            check()
        except Refusal as refusal:
            count_refusal(refusal)
            raise as_failure(refusal) from None

    async def _signature(
        self, action: Action, request: Spoken, *, convened: bool = True
    ) -> Signed | None:
        """The signature on it, where one is needed or given. It is looked at before anybody's
        rights are, since those may change while it is checked."""
        if request.key in self.round.handled:
            return None  # a retry is answered again
        if convened:
            await self.convened()
        try:
            require_undecided(self.round, "requests")
            return await self.signature(action, request.actor, request)
        except Forbidden as refusal:
            self.record(request.actor, refusal, channel="update")
            raise as_failure(refusal) from None
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
            count_refusal(refusal)
            raise as_failure(refusal) from None

    async def _serve(
        self,
        request: Spoken | SubmitRequest,
        event: str,
        do: Callable[[], str],
        signed: Signed | None = None,
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
            if signed is not None:
                assert isinstance(request, Spoken)
                require_still(self.round, request.actor, request, signed, workflow.now())
            text = do()
        except Forbidden as refusal:
            self.record(request.actor, refusal, channel="update")
            raise as_failure(refusal) from None
        except Refusal as refusal:
            count_refusal(refusal)
            raise as_failure(refusal) from None
        if signed is not None:
            assert isinstance(request, Spoken)
            self.hear_signed(request.actor, request)
        if event == "gate.extended":
            data["respond"] = self.dates(self.round.verdict(workflow.now()).pending)
        if event == "gate.attested":
            data["revision"] = self.round.revision
        with self.books.answering(request.key):
            self.say(event, text, actor=request.actor, **data, **kept(signed))
            self.settle()
        return self.answer(request.key, text)
