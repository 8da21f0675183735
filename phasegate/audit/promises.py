"""Conditions of a Conditional Go: no later gate passes while one of them is open."""

from __future__ import annotations

from collections.abc import Sequence

from phasegate.audit.past import Past
from phasegate.audit.sitting import Sitting
from phasegate.votes import Outcome


def check_promises(sittings: Sequence[Sitting], past: Past) -> None:
    """Every condition that was promised before a round opened was settled before it passed."""
    promised: list[tuple[Sitting, str]] = []
    for sitting in sorted(_passed(sittings), key=lambda one: one.telling.said[-1].at):
        view, end = sitting.view, sitting.telling.end
        assert view is not None
        assert end is not None
        opened = view.opened_at or end.at
        for other, condition in promised:
            assert other.telling.end is not None
            if other.telling.end.at >= opened or view.override is not None:
                continue
            settled = past.settled.get(condition) or past.settled.get(_rest(condition))
            if settled is None or settled > end.at:
                text = f"it passed, and the condition {condition} of {other.place.gate} was open"
                sitting.place.differ(end, text)
        if view.outcome == Outcome.conditional_go:
            promised += [(sitting, condition.id) for condition in view.conditions]


def _passed(sittings: Sequence[Sitting]) -> list[Sitting]:
    return [
        sitting
        for sitting in sittings
        if sitting.view is not None
        and sitting.telling.end is not None
        and sitting.view.outcome in (Outcome.go, Outcome.conditional_go)
    ]


def _rest(condition: str) -> str:
    """Where there are too many, the last ones are kept as one (phasegate.room)."""
    return f"{condition.rpartition('-')[0]}-rest"
