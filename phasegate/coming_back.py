"""A product is in the market again: its sunset was aborted."""

from __future__ import annotations

from datetime import datetime

from phasegate.lifecycle import Lifecycle, Status
from phasegate.promises import Condition
from phasegate.room import settled_within
from phasegate.sunset_views import PastSunsetView

PAST_KEPT = 20
"""Aborted sunsets kept in state; the ledger has all of them."""


def come_back(state: Lifecycle, now: datetime) -> list[Condition]:
    """Go on in the phase that the sunset began in; the conditions that lapse with the sunset.

    Milestones, conditions of the product's own gates, evidence and who had a hand in it are as
    they were. The plan goes, since it was this sunset's; legal holds stay, since they are not. The
    phase's gate waits for its owner: nothing has changed that would make it open by itself.
    """
    report = state.sunset
    assert report is not None
    ended = PastSunsetView(number=state.sunsets, ended_at=now, by=report.by, why=report.why)
    state.past_sunsets = [*state.past_sunsets, ended][-PAST_KEPT:]
    lapsed = _lapse(state, [condition.id for condition in report.conditions], now)
    state.sittings.rounds |= report.rounds
    state.legal_holds = report.legal_holds
    state.sunset, state.sunset_token, state.adjustments = None, "", None
    state.status, state.entered_at = Status.active, now
    state.needs_submit, state.submitted_by = True, None
    return lapsed


def _lapse(state: Lifecycle, ids: list[str], now: datetime) -> list[Condition]:
    """What the gates of the sunset were promised is owed to nobody any more."""
    assert state.sunset is not None
    lapsed = [condition for condition in state.open_conditions() if condition.id in ids]
    for condition in lapsed:
        by = state.sunset.by or state.product.owner
        condition.lapse(by, "the sunset that it was promised for is aborted", now)
    state.conditions = settled_within(state.conditions)
    return lapsed
