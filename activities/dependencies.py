"""Asking another product whether what a milestone waits for has come, and when it will."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

from temporalio import activity
from temporalio.client import WorkflowQueryFailedError, WorkflowQueryRejectedError
from temporalio.service import RPCError, RPCStatusCode

from activities.errors import ledger_errors, unchanged
from ledger import Ledger
from phasegate import ports
from phasegate.check import ProductCheck
from phasegate.dependencies import Answer, answer_of, target_of
from phasegate.ids import product_id
from phasegate.ports import Finding
from phasegate.views import ProductView

PATIENCE = timedelta(seconds=10)

SETTLING = ("milestone.met", "milestone.waived", "gate.decided")


class DependencyActivities:
    """The other product's workflow is asked, and the ledger where that has gone."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    @activity.defn(name=ports.CHECK_PRODUCT)
    async def check_product(self, query: ports.DependencyQuery) -> ports.MilestoneFinding:
        """Ask once. Returns what differs from what is known; else raises, to be asked again.

        Errors: unchanged (retried after `check.every`), ledger-unavailable (retried).
        """
        found = await self._ask(query.check)
        told = (found.why, found.expected) != (query.why, query.expected)
        if found.finding is not query.known or (told and found.finding is Finding.not_met):
            return ports.MilestoneFinding(
                finding=found.finding, why=found.why, at=datetime.now(UTC), expected=found.expected
            )
        raise unchanged(
            f"milestone {query.milestone} of {query.product} is still {found.finding.value}: "
            f"{found.why}",
            query.check.every.approximate,
        )

    async def _ask(self, check: ProductCheck) -> Answer:
        handle = activity.client().get_workflow_handle(product_id(check.product))
        try:
            async with asyncio.timeout(PATIENCE.total_seconds()):
                view = await handle.query("show", result_type=ProductView)
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                return Answer.cannot_tell(f"{check.product} cannot be asked: {error.message}")
            return await asyncio.to_thread(self._of_the_past, check)
        except (TimeoutError, WorkflowQueryFailedError, WorkflowQueryRejectedError) as error:
            return Answer.cannot_tell(f"{check.product} gave no answer: {error or 'in time'}")
        return answer_of(check, view)

    def _of_the_past(self, check: ProductCheck) -> Answer:
        """By the ledger: the product was never started, or Temporal keeps it no longer."""
        with ledger_errors():
            settled = self._ledger.events(check.product, types=SETTLING)
            known = self._ledger.head(check.product).seq > 0
        if not known:
            return Answer.cannot_tell(f"there is no product {check.product} yet")
        for entry in reversed(settled):
            said = entry.announcement
            if check.milestone and said.data.get("milestone") == check.milestone:
                if said.type == "milestone.met":
                    return Answer.met(f"{target_of(check)} is met")
                break
            if check.gate and said.data.get("gate") == check.gate:
                if said.data.get("outcome") in ("go", "conditional-go"):
                    return Answer.met(f"{target_of(check)} came to {said.data['outcome']}")
                break
        return Answer.never(f"{check.product} has ended without {target_of(check)}")
