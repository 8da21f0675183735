"""The next date of a product that somebody should know of."""

from __future__ import annotations

from datetime import datetime

from phasegate.lifecycle import Lifecycle, Status


def next_due(state: Lifecycle) -> datetime | None:
    """What the phase, open conditions, the review or the sunset wait for; nothing after the end.

    A milestone of a phase that the product has left is nothing to wait for.
    """
    if state.status.is_final:
        return None
    return _earliest(state, left=False)


def due_in_lists(state: Lifecycle) -> datetime | None:
    """The same as a search attribute. A run that began before left phases stopped to count goes
    on counting them: its history may not get other commands than it had."""
    if state.status.is_final or state.ahead_only:
        return next_due(state)
    return _earliest(state, left=True)


def _earliest(state: Lifecycle, *, left: bool) -> datetime | None:
    worked_on = [] if state.status is Status.sunsetting else state.here()
    milestones = state.milestones if left else worked_on
    dates = [m.due for m in milestones if m.due and not m.state.settled]
    dates += [c.due for c in state.open_conditions() if c.due]
    dates += [state.review_due] if state.review_due else []
    dates += [state.sunset.next_due] if state.sunset and state.sunset.next_due else []
    return min(dates, default=None)
