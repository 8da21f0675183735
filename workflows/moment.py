"""The time, as of the last thing that a workflow's history knows of."""

from __future__ import annotations

from temporalio import workflow


class Moment:
    """The time, and whether a fresh history is suggested, for conditions that a workflow waits on.

    Conditions that ask the workflow itself would be replayed wrongly. The SDK checks them after
    Updates and before what else comes with the same workflow task, also where a validator refused
    the Update. Of that the history has nothing, so that a replay checks them later, and what
    changes by itself wakes the workflow at another point (found on SDK 1.35 by replaying what
    tests/workflows/test_fuzz.py leaves). Therefore time passes only when something happens.
    """

    def __init__(self) -> None:
        self.passes()

    def passes(self) -> None:
        """Take the time anew: something happened, or a timer fired."""
        self.now = workflow.now()
        self.renew = workflow.info().is_continue_as_new_suggested()


def something_happened() -> None:
    """An Update was accepted, a signal came or an activity answered: time passes."""
    moment: Moment | None = getattr(workflow.instance(), "moment", None)
    if moment is not None:
        moment.passes()
