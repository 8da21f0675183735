"""How a workflow holds a gate: a child for the round, whose result is its report."""

from __future__ import annotations

import asyncio
from typing import Any

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from phasegate import ports
    from phasegate.events import Outbox
    from phasegate.facts import ProductFacts
    from phasegate.gate import Gate
    from phasegate.gate_view import lost_round_view
    from phasegate.ids import gate_id
    from phasegate.pseudonyms import in_use
    from phasegate.review import Round
    from phasegate.search import review_attributes
    from phasegate.sittings import GateReport, Kind, OpenerAction, OpenerNote, OpenGate, Sittings
    from workflows.bookkeeping import Books
    from workflows.calling import ask
    from workflows.children import quietly, start_child
    from workflows.vote_desk import ReviewStart


class Gatekeeper:
    """Holds gates for a product or a sunset, one round at a time."""

    def __init__(self, sittings: Sittings, books: Books) -> None:
        self.sittings = sittings
        self.books = books
        self._child: workflow.ChildWorkflowHandle[Any, Any] | None = None
        self._starting = False
        self._gone = False
        self._search: asyncio.Task[None] | None = None

    async def open(
        self,
        gate: Gate,
        kind: Kind,
        facts: ProductFacts,
        *,
        submitter: str,
        open_conditions: list[str],
    ) -> OpenGate:
        """Start the next round of the gate."""
        workflow_id = gate_id(facts.key, gate.id)
        sitting = self.sittings.begin(
            gate.id,
            kind,
            workflow_id=workflow_id,
            token=str(workflow.uuid4()),
            submitter=submitter,
        )
        sitting.since = workflow.now()
        state = Round(
            product=facts,
            gate=gate,
            round=sitting.round,
            submitter=submitter,
            open_conditions=open_conditions,
            had_a_hand=dict.fromkeys(facts.former_owners, "owned the product in this phase"),
        )
        start = ReviewStart(
            round=state,
            outbox=Outbox(source=f"{workflow_id}/{sitting.round}", product=facts.key),
            reports_to=workflow.info().workflow_id,
            token=sitting.token,
        )
        self._starting, self._gone = True, False
        self._child = await start_child(
            "GateReview",
            start,
            id=workflow_id,
            summary=in_use().said(
                f"{facts.name}: {gate.title}, round {sitting.round}",
                f"{gate.id}, round {sitting.round}",
            ),
            attributes=review_attributes(facts, gate.id, in_use()),
        )
        self._starting = False
        return sitting

    async def rejoin(self) -> None:
        """In a new run, which does not see the open round complete: ask it to report by signal."""
        if self.sittings.open:
            await self.tell("ping")

    def reported(self) -> bool:
        """Whether the open round has reported, or has ended without (somebody terminated it)."""
        sitting = self.sittings.open
        if sitting is None:
            return False
        ended = self._gone or (self._child is not None and self._child.done())
        return sitting.report is not None or ended

    @property
    def starting(self) -> bool:
        """Whether a round is being started, and cannot be told anything yet."""
        return self._starting

    def overridden(self) -> bool:
        """Whether the open round has reported what somebody decided in the approvers' place."""
        report = (self.sittings.open and self.sittings.open.report) or _result(self._child)
        return bool(report and report.override)

    def close(self) -> GateReport:
        """Close the round that has reported; one that ended without counts as abandoned."""
        self.last_word()
        self._child = None
        return self.sittings.end()

    def last_word(self) -> GateReport:
        """What the round that has reported said; it is kept until that is closed."""
        sitting = self.sittings.open
        assert sitting is not None
        if sitting.report is None:
            sitting.report = _result(self._child) or self._lost(sitting)
        return sitting.report

    def _lost(self, sitting: OpenGate) -> GateReport:
        """It cannot tell the ledger that it ended, so its opener does."""
        why, now = "the round was ended from outside phasegate", workflow.now()
        view = lost_round_view(self.books.outbox.product, sitting, why, now)
        self.books.announce(
            "gate.abandoned",
            f"{sitting.gate}: {why}",
            gate=sitting.gate,
            round=sitting.round,
            view=view.model_dump(mode="json"),
        )
        return GateReport(
            gate=sitting.gate,
            round=sitting.round,
            token=sitting.token,
            outcome=None,
            why=why,
            decided_at=now,
        )

    async def tell(
        self,
        action: OpenerAction,
        about: str = "",
        state: str = "",
        *,
        facts: ProductFacts | None = None,
        actor: str = "",
    ) -> None:
        """Tell the open round, if there is one.

        A round that cannot be told has ended, and its report may have missed this run: the ledger
        has it, or it was ended from outside.
        """
        sitting = self.sittings.open
        if sitting is None or self._starting:
            return
        handle = workflow.get_external_workflow_handle(sitting.workflow_id)
        note = OpenerNote(
            token=sitting.token,
            action=action,
            condition=about,
            state=state,
            facts=facts,
            actor=actor,
        )
        told = await quietly(lambda: handle.signal("opener_note", note))
        if not told:  # so that no Update waits for the search
            self._search = asyncio.create_task(self._look_up(sitting))

    async def _look_up(self, sitting: OpenGate) -> None:
        """A round ends only when its outbox is in the ledger, so the ledger knows how it ended."""
        answer = await ask(
            ports.READ_ROUND,
            ports.RoundRequest(
                product=self.books.outbox.product,
                gate=sitting.gate,
                round=sitting.round,
                since=sitting.since,
            ),
            ports.RoundAnswer,
            f"how {sitting.gate} ended",
        )
        if self.sittings.open is not sitting or sitting.report is not None:
            return
        if answer.report:
            sitting.report = answer.report.model_copy(update={"token": sitting.token})
        else:
            self._gone = True

    async def stop(self) -> None:
        """Cancel the open round: the lifecycle it belongs to is ending."""
        if self.sittings.open is None:
            return
        handle = workflow.get_external_workflow_handle(self.sittings.open.workflow_id)
        await quietly(handle.cancel)


def _result(child: workflow.ChildWorkflowHandle[Any, Any] | None) -> GateReport | None:
    """What a round that ended properly returned."""
    if child is None or not child.done() or child.cancelled() or child.exception() is not None:
        return None
    return GateReport.model_validate(child.result())
