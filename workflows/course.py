"""The course of a product: what each outcome of a gate means for it, and the phases it enters."""

from __future__ import annotations

from typing import Any

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from phasegate.coming_back import come_back
    from phasegate.lifecycle import Status
    from phasegate.migrating import convene_anew
    from phasegate.milestones import roadmap_of, start_again
    from phasegate.revival import remains
    from phasegate.sittings import GateReport, Kind
    from workflows.desk import because
    from workflows.migration_desk import MigrationDesk
    from workflows.phases import read_phase


class Course(MigrationDesk):
    """Follows the outcomes of gates from phase to phase."""

    async def renew(self) -> None:
        """Continue as new."""
        raise NotImplementedError

    def say(self, type: str, text: str, **data: Any) -> None:
        data = {"phase": self.state.phase_id, **data}
        self.books.announce(type, text, **data)

    # -- outcomes -------------------------------------------------------------------------------

    async def follow(self, kind: Kind, report: GateReport) -> None:
        """Go on, go back, wait or stop: what each outcome means for the product."""
        state = self.state
        assert state.brief is not None
        phase = state.brief.phase
        match report.outcome:
            case "go" | "conditional-go" if kind == "review":
                self._plan_next_review()
            case "go" | "conditional-go":
                await self.enter_next_phase()
            case "hold":
                self.hold(report.why, actor=report.gate, gate=report.gate)
                state.submitted_by = state.product.owner if kind == "phase" else None
            case "kill" if kind == "review" and phase.gate and state.invested_from is None:
                self.say("product.sunset-proposed", f"{report.gate} asks for the sunset")
                state.review_due = None
                state.submitted_by = state.product.owner
            case "kill" if state.invested_from is not None:
                await self._end_investment(report)
            case "kill" if phase.in_market and state.brief.has_sunset:
                self.start_sunset(f"{report.gate} decided kill")
            case "kill":
                self._be_killed(f"{report.gate} decided kill: {report.why}")
            case "recycle" if kind == "review" and phase.review and phase.review.invest:
                await self._invest(phase.review.invest, report)
            case None if state.reopening:
                convene_anew(state, kind, workflow.now())
            case _ if kind == "review":
                self._plan_next_review()
            case _:  # recycled, or abandoned: back to work, and the owner brings it back
                state.needs_submit = True
                self.say("product.back-to-work", f"{report.gate}: {report.why}")
                if state.review_due is None:
                    self._plan_next_review()
        self.publish()

    def _plan_next_review(self) -> None:
        assert self.state.brief is not None
        review = self.state.brief.phase.review
        if review:
            self.state.review_due = review.every.after(workflow.now())
            when = f"{self.state.review_due:%Y-%m-%d}"
            self.say("product.review-planned", f"{review.gate.id} comes again on {when}")

    # -- phases ---------------------------------------------------------------------------------

    async def enter_next_phase(self) -> None:
        state = self.state
        assert state.brief is not None
        if state.brief.next:
            await self.enter(state.brief.next)
            if state.brief.phase.in_market or state.phase_id == state.invested_from:
                state.invested_from = None  # the next generation is in the market
            await self.renew()
        elif state.brief.has_sunset:
            self.start_sunset(f"{state.brief.phase.title} is over")
        else:
            self.finish(Status.completed, f"{state.policy.name} ends here, without a sunset")

    async def enter(self, phase: str | None) -> None:
        """Enter a phase. While somebody invests in a product, milestones start again."""
        state, now = self.state, workflow.now()
        state.entering = True
        state.brief = await read_phase(state, phase)
        here = state.brief.phase
        state.entering, state.entered_at = False, now
        state.needs_submit, state.submitted_by, state.owned_here = False, None, []
        state.review_due = here.review.first.after(now) if here.review else None
        before: dict[str, Any] = {}
        if state.invested_from is not None:
            before["milestones_before"] = start_again(state.milestones, here, state.product)
        known = {milestone.id for milestone in state.milestones}
        planned = roadmap_of(here, state.product, state.first_dates)
        state.milestones += [m for m in planned if m.id not in known]
        self.say("product.phase-entered", f"{state.product.name} enters {here.title}", **before)
        self.publish()

    # -- investing in a product that is in the market -------------------------------------------

    async def _invest(self, phase: str, report: GateReport) -> None:
        """A review sends the product back to an earlier phase, for its next generation."""
        state = self.state
        state.invested_from = state.phase_id
        text = f"{report.gate} leads back to {phase}: {report.why}"
        self.say("product.investing", text, gate=report.gate, to=phase)
        await self.enter(phase)
        await self.renew()

    async def _end_investment(self, report: GateReport) -> None:
        """A kill on the way ends the investment: the product itself is in the market."""
        state = self.state
        assert state.invested_from is not None
        text = f"{report.gate} decided kill: back to {state.invested_from}"
        self.say("product.investment-ended", text, gate=report.gate, to=state.invested_from)
        back, state.invested_from = state.invested_from, None
        await self.enter(back)
        self._plan_next_review()
        await self.renew()

    # -- the end --------------------------------------------------------------------------------

    def start_sunset(self, why: str) -> None:
        self.state.status = Status.sunsetting
        self.state.review_due = None
        self.say(
            "product.sunsetting",
            f"{self.state.product.name} leaves the market: {why}",
            sunset=self.state.sunsets + 1,
        )
        self.publish()

    async def go_back_to_market(self) -> None:
        """The sunset was aborted: the product is where it was, with everything it had."""
        state, report = self.state, self.state.sunset
        assert report is not None
        lapsed = come_back(state, workflow.now())
        self.say(
            "product.back-in-market",
            f"{state.product.name} is in the market again: its sunset was aborted"
            + because(report.why),
            actor=report.by,
            sunset=state.sunsets,
            reason=report.why,
        )
        for condition in lapsed:
            self.say(
                "condition.waived",
                f"{condition.id} is waived: {condition.note}",
                actor=report.by,
                condition=condition.id,
                gate=condition.gate,
            )
        self._plan_next_review()
        self.sunset.forget()
        self.publish()
        await self.renew()

    def finish(self, status: Status, text: str, **data: Any) -> None:
        self.state.status = status
        self.state.ended_at = workflow.now()
        self.say(f"product.{status}", text, **data)
        self.publish()

    def _be_killed(self, text: str) -> None:
        """The record keeps the state: a killed product can be revived when its history is gone."""
        self.state.status, self.state.ended_at = Status.killed, workflow.now()
        self.finish(Status.killed, text, lifecycle=remains(self.state))
