"""What a product takes about its sunset before one begins; while one runs, that takes it."""

from __future__ import annotations

from typing import TypeVar

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from phasegate import ports
    from phasegate.base import Wire
    from phasegate.planning_ahead import (
        check_before_sunset,
        check_hold,
        check_plan,
        described,
        hold_ahead,
        plan_ahead,
        require_same_policy,
    )
    from phasegate.requests import (
        CustomersRequest,
        LegalHoldRequest,
        PlanSunsetRequest,
        Receipt,
    )
    from phasegate.stewardship import require_owner_or_team
    from phasegate.sunset_ports import LOOK_AT_CUSTOMERS, CustomersQuery, CustomersSummary
    from workflows.authority import ask_briefly
    from workflows.desk import because
    from workflows.steward_desk import StewardDesk

T = TypeVar("T")


class PlanningDesk(StewardDesk):
    """The plan is kept, and checked against the policy's by the same rules as in the sunset."""

    @workflow.update(name="plan_sunset")
    async def plan_sunset(self, request: PlanSunsetRequest) -> Receipt:
        """Adjust the policy's sunset for this product."""
        state = self.state
        policy = state.policy.digest

        def do(found: tuple[ports.SunsetBrief, CustomersSummary]) -> str:
            brief, customers = found
            require_same_policy(state, policy)
            layout = plan_ahead(state, request, brief, customers, workflow.now())
            end = layout.marked("end-of-life")
            self.books.announce(
                "product.sunset-planned",
                f"if {state.product.name} leaves the market: {described(layout)}",
                actor=request.actor,
                notice_at=layout.notice_at.isoformat(),
                end_of_life=end.at.isoformat() if end else None,
                adjustments=request.adjustments.model_dump(mode="json", exclude_defaults=True),
            )
            return f"the sunset of {state.key} is planned: {described(layout)}"

        async def ask() -> tuple[ports.SunsetBrief, CustomersSummary]:
            return await self._read_sunset(), await self._count_customers()

        return await self.serve_asking(request, lambda: check_plan(state, request), ask, do)

    @plan_sunset.validator
    def _check_plan(self, request: PlanSunsetRequest) -> None:
        self.validate(request, lambda: check_plan(self.state, request))

    @workflow.update(name="legal_hold")
    async def legal_hold(self, request: LegalHoldRequest) -> Receipt:
        """Place a legal hold, or lift it: a sunset that begins has those that are placed."""
        state = self.state

        def do(found: ports.SunsetBrief) -> str:
            hold_ahead(state, request, found, workflow.now())
            word = "lifted" if request.lift else "placed"
            text = f"the legal hold {request.matter} is {word}"
            self.books.announce(
                f"sunset.legal-hold-{word}",
                text + because(request.reason),
                actor=request.actor,
                matter=request.matter,
                reason=request.reason,
            )
            return text

        return await self.serve_asking(
            request, lambda: check_hold(state, request), self._read_sunset, do
        )

    @legal_hold.validator
    def _check_legal_hold(self, request: LegalHoldRequest) -> None:
        self.validate(request, lambda: check_hold(self.state, request))

    @workflow.update(name="customers")
    async def customers(self, request: CustomersRequest) -> Receipt:
        """Record that the customers are not what they were: a sunset will ask for them."""
        state = self.state

        def do() -> str:
            require_owner_or_team(state, request.actor, "change the customers of")
            text = request.text or "the customers are not what they were"
            self.books.announce(
                "sunset.customers", text, actor=request.actor, digest=request.digest
            )
            return text

        return self.serve(request, do)

    @customers.validator
    def _check_customers(self, request: CustomersRequest) -> None:
        what = f"the customers of {self.state.key} are not looked at here"
        self.validate(request, lambda: check_before_sunset(self.state, what))

    async def _read_sunset(self) -> ports.SunsetBrief:
        """The policy's plan and its people."""
        state = self.state
        request = ports.SunsetRequest(policy_digest=state.policy.digest, directory=state.directory)
        return await self._read(
            ports.READ_SUNSET, request, ports.SunsetBrief, "the policy's sunset"
        )

    async def _count_customers(self) -> CustomersSummary:
        """Those of the sunset to come: what they were promised bounds its end of life."""
        request = CustomersQuery(product=self.state.key, sunset=self.state.sunsets + 1)
        return await self._read(
            LOOK_AT_CUSTOMERS, request, CustomersSummary, "until when customers have contracts"
        )

    async def _read(self, activity: str, request: Wire, kind: type[T], what: str) -> T:
        """Ask the ledger. Raises Rejected where it does not answer: somebody waits."""
        return await ask_briefly(
            activity,
            request,
            kind,
            what,
            what=f"the sunset of {self.state.key} cannot be looked at",
            why=f"{what} cannot be read",
        )
