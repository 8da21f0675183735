"""What a product takes from people after asking the directory: changes, waivers, overrides."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from phasegate.changes import (
        changed_fields,
        check_handover,
        check_update,
        hand_over,
        makes_smaller,
        update,
    )
    from phasegate.errors import Forbidden
    from phasegate.gate_requests import OverrideRequest
    from phasegate.lifecycle import Status
    from phasegate.overruling import check_override, override_demand, overrule
    from phasegate.ports import Authority
    from phasegate.product import Product
    from phasegate.requests import (
        Asked,
        ConditionRequest,
        HandoverRequest,
        Receipt,
        UpdateProductRequest,
    )
    from phasegate.signed_words import require_same_place
    from phasegate.signing import Signed
    from phasegate.stewardship import (
        check_condition,
        require_closer,
        require_same,
        require_waiver,
        settle,
    )
    from workflows.authority import authority_of
    from workflows.desk import because
    from workflows.event_desk import EventDesk
    from workflows.phases import learn_reporters
    from workflows.signature_desk import kept, signature_of

T = TypeVar("T")


class StewardDesk(EventDesk):
    """Updates that change what the product is, or what was decided about it."""

    @workflow.query(name="definition")
    def definition(self) -> Product:
        """The definition as it is now."""
        return self.state.product

    # -- the definition and the owner -----------------------------------------------------------

    @workflow.update(name="update")
    async def update_product(self, request: UpdateProductRequest) -> Receipt:
        """Replace the definition. A smaller launch is not for the owner to decide."""
        state = self.state

        def do(found: Authority) -> str:
            before, old = state.definition_digest, state.product
            text = update(state, request, found)
            self.books.announce(
                "product.updated",
                text + because(request.note),
                actor=request.actor,
                changed=changed_fields(old, state.product),
                before=before,
                digest=state.definition_digest,
                product=state.product.model_dump(mode="json"),
            )
            if state.status in (Status.active, Status.on_hold):
                self.watch.start()
            else:
                self.watch.start_in_sunset()
            return text

        new = request.key not in state.handled
        if makes_smaller(state, request):
            receipt = await self._serve_asking(
                request, lambda: check_update(state, request), self._rights(request), do
            )
        else:
            receipt = self.serve(request, lambda: do(Authority()), state.revision)
        if new:
            await self.tell_facts(request.actor)
            await learn_reporters(state)
        return receipt

    @update_product.validator
    def _check_update(self, request: UpdateProductRequest) -> None:
        self.validate(request, lambda: check_update(self.state, request))

    @workflow.update(name="handover")
    async def hand_over_product(self, request: HandoverRequest) -> Receipt:
        """Give the product another owner."""
        state = self.state

        async def ask() -> tuple[Authority, Authority]:
            owner = state.product.owner
            rights = await self._authority(request.actor, about=owner)
            if request.actor != owner and not rights.manages:
                return rights, Authority()
            return rights, await self._authority(request.to)

        def do(found: tuple[Authority, Authority]) -> str:
            owner, before = state.product.owner, state.definition_digest
            text = hand_over(state, request, *found)
            self.books.announce(
                "product.handed-over",
                text,
                actor=request.actor,
                before=before,
                digest=state.definition_digest,
                product=state.product.model_dump(mode="json"),
                **{"from": owner, "to": request.to},
            )
            return text

        new = request.key not in state.handled
        receipt = await self._serve_asking(request, lambda: check_handover(state, request), ask, do)
        if new:
            await self.tell_facts(request.actor)
        return receipt

    @hand_over_product.validator
    def _check_handover(self, request: HandoverRequest) -> None:
        self.validate(request, lambda: check_handover(self.state, request))

    # -- conditions -----------------------------------------------------------------------------

    @workflow.update(name="condition")
    async def condition(self, request: ConditionRequest) -> Receipt:
        """Close a condition of an earlier Conditional Go, or waive it."""
        state = self.state

        def do(found: Authority) -> str:
            condition = check_condition(state, request)
            if request.action == "close":
                require_closer(state, condition, request.actor)
            else:
                require_waiver(state, condition, request.actor, found)
            text = settle(state, condition, request, workflow.now())
            self.books.announce(
                f"condition.{condition.state}",
                f"{text}: {request.note}",
                actor=request.actor,
                condition=condition.id,
                gate=condition.gate,
                link=request.link,
                digest=request.digest,
                directory=found.directory_digest,
            )
            return text

        if request.action == "close":
            receipt = self.serve(request, lambda: do(Authority()))
        else:
            receipt = await self._serve_asking(
                request, lambda: check_condition(state, request), self._rights(request), do
            )
        await self.gates.tell("condition-closed", request.condition)
        await self.sunset.tell("condition-closed", request.condition)
        return receipt

    @condition.validator
    def _check_condition(self, request: ConditionRequest) -> None:
        self.validate(request, lambda: check_condition(self.state, request))

    # -- a gate that stopped the product --------------------------------------------------------

    @workflow.update(name="override")
    async def override(self, request: OverrideRequest) -> Receipt:
        """Put another outcome in the place of the one that the product waits because of."""
        state = self.state

        async def ask() -> tuple[Authority, Signed | Forbidden | None]:
            demand = override_demand(state, request)
            try:
                signed = await signature_of(demand, "override", request.actor, request)
            except Forbidden as refusal:
                return Authority(), refusal
            return await self._authority(request.actor), signed

        def do(answers: tuple[Authority, Signed | Forbidden | None]) -> str:
            found, signed = answers
            if isinstance(signed, Forbidden):  # raised here, where it is recorded
                raise signed
            if signed is not None:
                require_same_place(override_demand(state, request), signed, request, workflow.now())
            stopped = overrule(state, request, found, workflow.now())
            text = f"{stopped.gate} is overridden: {request.outcome} in the place of"
            self.books.announce(
                "gate.overridden",
                f"{text} {stopped.outcome}: {request.reason}",
                actor=request.actor,
                gate=stopped.gate,
                round=stopped.round,
                outcome=request.outcome.value,
                reason=request.reason,
                directory=found.directory_digest,
                **{"from": stopped.outcome, "to": request.outcome.value},
                **kept(signed),
            )
            return f"{text} {stopped.outcome}"

        return await self._serve_asking(request, lambda: check_override(state, request), ask, do)

    @override.validator
    def _check_override(self, request: OverrideRequest) -> None:
        self.validate(request, lambda: check_override(self.state, request))

    # -- asking the directory -------------------------------------------------------------------

    async def _serve_asking(
        self,
        request: Asked,
        check: Callable[[], object],
        ask: Callable[[], Awaitable[T]],
        do: Callable[[T], str],
    ) -> Receipt:
        """The directory answers for this owner and this tier: the answer is good for no other."""
        owner, tier = self.state.product.owner, self.state.product.tier

        def check_again() -> None:
            require_same(self.state, owner, tier)
            check()

        return await self.serve_asking(request, check_again, ask, do, self.state.revision)

    async def _authority(self, actor: str, about: str | None = None) -> Authority:
        state = self.state
        return await authority_of(state.directory, actor, tier=state.product.tier, about=about)

    def _rights(self, request: Asked) -> Callable[[], Awaitable[Authority]]:
        return lambda: self._authority(request.actor)
