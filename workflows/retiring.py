"""How a product runs its sunset: a child, and its progress by signal."""

from __future__ import annotations

from typing import Any

from temporalio import workflow
from temporalio.common import RawValue

with workflow.unsafe.imports_passed_through():
    from phasegate.adjusting import Adjustments
    from phasegate.events import Outbox
    from phasegate.facts import ProductFacts
    from phasegate.ids import sunset_id
    from phasegate.lifecycle import Lifecycle
    from phasegate.pseudonyms import in_use
    from phasegate.retirement import Retirement
    from phasegate.sittings import OpenerAction, OpenerNote, Sittings
    from phasegate.sunset_report import SunsetReport
    from workflows.children import quietly, start_child
    from workflows.refusing import read_signal


class SunsetKeeper:
    """Starts one sunset at a time, and knows how it stands."""

    def __init__(self, state: Lifecycle) -> None:
        self.state = state
        self._child: workflow.ChildWorkflowHandle[Any, Any] | None = None
        self._starting = False

    async def start(self) -> None:
        """Start the sunset unless it runs already (it outlives the product's runs)."""
        state = self.state
        if state.sunset_token:
            await self.tell("ping")  # in a new run: is it still there?
            return
        state.sunset_token = str(workflow.uuid4())
        state.sunsets += 1
        workflow_id = sunset_id(state.key)
        facts = state.facts("")
        promised = [condition.id for condition in state.open_conditions()]
        self._starting = True
        self._child = await start_child(
            "Sunset",
            Retirement(
                product=facts,
                approvers=state.product.approvers,
                reports_to=workflow.info().workflow_id,
                token=state.sunset_token,
                number=state.sunsets,
                adjustments=state.adjustments or Adjustments(),
                maturity=state.product.maturity,
                legal_holds=list(state.legal_holds),
                sittings=Sittings(rounds=dict(state.sittings.rounds)),
                open_conditions=promised,
                outbox=Outbox(source=f"{workflow_id}/{state.sunset_token[:8]}", product=state.key),
            ),
            id=workflow_id,
            summary=in_use().said(f"{state.product.name}: sunset", "sunset"),
            attributes={
                "PhasegateStatus": "sunsetting",
                "PhasegateProduct": state.key,
                "PhasegateOwner": in_use().person(state.product.owner),
                "PhasegatePolicy": state.policy.name,
                "PhasegatePhase": "sunset",
            },
        )
        self._starting = False
        await self._catch_up(facts, promised)

    async def _catch_up(self, facts: ProductFacts, promised: list[str]) -> None:
        """Tell it what changed while it was being started, and could not be told."""
        still = [condition.id for condition in self.state.open_conditions()]
        for settled in (condition for condition in promised if condition not in still):
            await self.tell("condition-closed", settled)
        if self.state.facts("") != facts:
            await self.tell("facts", facts=self.state.facts(""), actor=self.state.product.owner)

    def take(self, raw: RawValue) -> bool:
        """Keep a report; False if it does not come from the sunset we started."""
        return self.state.take_sunset(read_signal(raw, SunsetReport), workflow.now())

    async def tell(
        self,
        action: OpenerAction,
        about: str = "",
        state: str = "",
        *,
        facts: ProductFacts | None = None,
        actor: str = "",
    ) -> None:
        """Tell the sunset, if there is one, what has changed."""
        if self.state.sunset_token and not self._starting and not self.ended():
            note = OpenerNote(
                token=self.state.sunset_token,
                action=action,
                condition=about,
                state=state,
                facts=facts,
                actor=actor,
            )
            handle = workflow.get_external_workflow_handle(sunset_id(self.state.key))
            told = await quietly(lambda: handle.signal("opener_note", note))
            if not told and not self.ended():
                self.state.sunset = self._lost()

    def ended(self) -> bool:
        """Whether it has reported its end, or was ended from outside without a report."""
        report, child = self.state.sunset, self._child
        if (report is None or not report.ended) and child is not None and child.done():
            self.state.sunset = self._last_word(child)
        return bool(self.state.sunset and self.state.sunset.ended)

    def _last_word(self, child: workflow.ChildWorkflowHandle[Any, Any]) -> SunsetReport:
        if not child.cancelled() and child.exception() is None:
            return SunsetReport.model_validate(child.result())
        return self._lost()

    def _lost(self) -> SunsetReport:
        text = "the sunset was ended from outside phasegate"
        return SunsetReport(token=self.state.sunset_token, text=text, ended="cancelled")

    def retired(self) -> bool:
        """Whether the sunset was carried through, and not stopped from outside."""
        return bool(self.state.sunset and self.state.sunset.ended == "retired")

    def aborted(self) -> bool:
        """Whether it was undone, and the product is in the market again."""
        return bool(self.state.sunset and self.state.sunset.ended == "aborted")

    def forget(self) -> None:
        """The one that has ended says nothing of the next."""
        self._child = None

    async def stop(self) -> None:
        if self.state.sunset_token and not self.ended():
            handle = workflow.get_external_workflow_handle(sunset_id(self.state.key))
            await quietly(handle.cancel)
