"""The customers of a product on its way out: how many there are, and what follows from it."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from phasegate import sunset_ports
    from phasegate.retirement_plan import follow_contracts
    from phasegate.sunset import CUSTOMERS_SETTLED
    from phasegate.sunset_ports import CustomersQuery, CustomersSummary
    from workflows.calling import PATIENT
    from workflows.sunset_acts import SunsetActs


class SunsetCustomers(SunsetActs):
    """Has customers counted, however many changes of them are told; they are in no history."""

    def __init__(self) -> None:
        super().__init__()
        self._looking: asyncio.Task[None] | None = None

    def collect_count(self) -> None:
        """Forget a count that has ended; a fault in it stops the run where it is seen."""
        if self._looking and self._looking.done():
            self._looking.result()
            self._looking = None

    def has_counted(self) -> bool:
        return self._looking is None or self._looking.done()

    def look_soon(self) -> None:
        """Count them, if they have changed and are not being counted."""
        state = self.state
        if self._looking is None and state.customers_seen < state.customers_asked:
            self._looking = asyncio.create_task(self._count())

    async def look_at_customers(self) -> None:
        """Count the customers until nothing of them has changed meanwhile; the open gate hears."""
        self.state.customers_asked += 1
        wanted = self.state.customers_asked
        self.stir()
        await workflow.wait_condition(
            lambda: (
                self.state.customers_seen >= wanted
                and self.state.customers_seen == self.state.customers_asked
            )
        )

    async def _count(self) -> None:
        """Have them counted; many changes meanwhile are one more look."""
        state = self.state
        seen, said = state.customers_asked, list(state.customers_told)
        found = await workflow.execute_activity(
            sunset_ports.LOOK_AT_CUSTOMERS,
            CustomersQuery(product=state.product.key, sunset=state.number),
            result_type=CustomersSummary,
            start_to_close_timeout=timedelta(minutes=2),
            retry_policy=PATIENT,
            summary="how many customers are open",
        )
        before, word = state.customers, state.customers_word
        state.customers, state.customers_seen = found, seen
        state.customers_told = [text for text in state.customers_told if text not in said]
        if before != found or said if before else found.total:
            self.books.announce(
                "sunset.customers",
                self.customers_said(),
                counts=found.model_dump(mode="json", exclude={"digest", "contracts_until"}),
                digest=found.digest,
                said=said,
            )
        self._follow_contracts(before is None or before.contracts_until != found.contracts_until)
        if state.customers_word != word:
            await self.gates.tell("milestone", CUSTOMERS_SETTLED, state.customers_word)
        self.stir()

    def _follow_contracts(self, changed: bool) -> None:
        """No contract is cut short: the end is moved, or its owner told to move it, once."""
        if self.state.notice_at is None or self.state.aborting:
            return
        moved, problem = follow_contracts(self.state, workflow.now())
        if moved:
            text = f"a contract runs longer: {'; '.join(moved[:5])}"
            self.books.announce("sunset.replanned", text, **self.planned(), changed=moved[:100])
        if problem and changed:
            self.books.announce("sunset.contract-cut-short", problem, why=problem)

    def customers_said(self) -> str:
        found = self.state.customers
        if found is None or not found.total:
            return "no customers are known"
        settled = found.total - found.open
        return f"{found.open} of {found.total} customers are open, {settled} are settled"
