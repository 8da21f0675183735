"""Forecasts of products, from what they show of themselves, their policies and their records.

Reckoned here and not in workflows: what is expected changes with the day, and no history should.
"""

from __future__ import annotations

import asyncio
from datetime import datetime

from client.asking import query
from client.engine import Engine
from client.sunsets import show as show_sunset
from phasegate.errors import EngineError, Rejected
from phasegate.forecast import WAITING, forecast
from phasegate.forecast_past import PhaseEntry
from phasegate.forecast_sunset import SUNSET, with_plan, with_sunset
from phasegate.forecast_view import Forecast
from phasegate.ids import gate_id
from phasegate.migrated import MIGRATED, Renamings
from phasegate.policy import Policy
from phasegate.rows import MilestoneRow
from phasegate.sunset_layout import lay_out
from phasegate.views import GateView, ProductView

ENTERED, SUNSETTING = "product.phase-entered", "product.sunsetting"
BACK = "product.back-in-market"


class Forecaster:
    """Forecasts of many products; a policy is read once."""

    def __init__(self, engine: Engine, now: datetime) -> None:
        self.engine = engine
        self.now = now
        self._policies: dict[str, Policy] = {}

    async def foresee(self, view: ProductView) -> Forecast:
        """One product's course. Raises LedgerError where its policy or record cannot be read."""
        policy, entries = await asyncio.to_thread(self._read, view)
        resolve_due = await self._resolve_due(view)
        found = forecast(policy, view, self.now, entries=entries, resolve_due=resolve_due)
        if entries and entries[-1].phase == SUNSET:
            try:
                sunset = await show_sunset(self.engine, view.key)
            except EngineError:  # it is being planned, or Temporal keeps it no longer
                return found
            if sunset.number != max(view.sunsets, 1):  # the one before, until this one begins
                return found
            return with_sunset(found, sunset, self.now)
        return self._with_plan(found, policy, view)

    def _with_plan(self, found: Forecast, policy: Policy, view: ProductView) -> Forecast:
        """With the sunset that its owner has planned, where that is possible still."""
        if policy.sunset is None or view.adjustments is None or view.status not in WAITING:
            return found
        notice = view.adjustments.notice
        passed = notice is not None and notice < self.now  # then it is given as early as can be
        adjustments = view.adjustments.model_copy(update={"notice": None if passed else notice})
        try:
            layout = lay_out(
                policy.sunset, adjustments, maturity=view.maturity, now=self.now, product=view.key
            )
        except Rejected:
            return found
        return with_plan(found, layout)

    def _read(self, view: ProductView) -> tuple[Policy, list[PhaseEntry]]:
        digest = view.policy_digest
        if digest not in self._policies:
            self._policies[digest] = self.engine.ledger.documents.read_policy(digest)
        types = (ENTERED, SUNSETTING, BACK, MIGRATED)
        told = [entry.announcement for entry in self.engine.ledger.events(view.key, types=types)]
        entries, names = [], Renamings(told)
        for event in told:
            names.passes(event)
            phase = SUNSET if event.type == SUNSETTING else event.data.get("phase")
            if phase and event.type != MIGRATED:
                entries.append(PhaseEntry(phase=names.called(phase), at=event.at))
        return self._policies[digest], entries

    async def _resolve_due(self, view: ProductView) -> datetime | None:
        """By when the open round is to be decided; None while it is being convened."""
        if view.gate is None or view.round is None or view.ended_at is not None:
            return None
        try:
            round = await query(
                self.engine.workflow(gate_id(view.key, view.gate)), "show", GateView
            )
        except EngineError:  # it is closing, or just being started
            return None
        return round.resolve_due if round.round == view.round else None


def milestone_rows(view: ProductView, found: Forecast | None) -> list[MilestoneRow]:
    """A product's milestones with what is expected of each, where that is known."""
    known = {m.id: m for m in found.milestones if not m.ahead} if found else {}
    rows = []
    for milestone in view.milestones:
        row = MilestoneRow(**milestone.model_dump(), actual=milestone.met_at)
        if foreseen := known.get(milestone.id):
            row.expected, row.slip = foreseen.expected, foreseen.slip
            row.at_risk = foreseen.at_risk
        rows.append(row)
    return rows
