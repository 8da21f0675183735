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
from phasegate.dependencies import PASSED, Answer, answer_of, target_of
from phasegate.ids import product_id
from phasegate.ports import Finding
from phasegate.views import ProductView

PATIENCE = timedelta(seconds=10)

OF_A_MILESTONE = ("milestone.met", "milestone.waived", "product.phase-entered")
OF_A_GATE = ("gate.decided", "gate.abandoned", "gate.overridden")


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
        answer = answer_of(check, view)
        seen = any(summary.gate == check.gate for summary in view.gates)
        if check.gate is None or seen or answer.finding is Finding.met:
            return answer
        # The rounds of a sunset are its own, and a product forgets old ones: the record has them.
        return await asyncio.to_thread(self._recorded, check) or answer

    def _of_the_past(self, check: ProductCheck) -> Answer:
        """By the ledger alone: it was never started, or Temporal keeps it no longer."""
        with ledger_errors():
            known = self._ledger.head(check.product).seq > 0
        if not known:
            return Answer.cannot_tell(f"there is no product {check.product} yet")
        ended = Answer.never(f"{check.product} has ended without {target_of(check)}")
        return self._recorded(check) or ended

    def _recorded(self, check: ProductCheck) -> Answer | None:
        """That it is met, if the last word of the record on it says so."""
        types = OF_A_GATE if check.gate else OF_A_MILESTONE
        with ledger_errors():
            entries = self._ledger.events(check.product, types=types)
        for entry in reversed(entries):
            said = entry.announcement
            if check.gate and said.data.get("gate") == check.gate:
                outcome = said.data.get("outcome") if said.type != "gate.abandoned" else None
                met = outcome in PASSED
                return Answer.met(f"{target_of(check)} came to {outcome}") if met else None
            if check.milestone and said.data.get("milestone") == check.milestone:
                met = said.type == "milestone.met"
                return Answer.met(f"{target_of(check)} is met") if met else None
            if check.milestone in said.data.get("milestones_before", ()):
                return None  # planned anew since
        return None
