"""The time, as of the last thing that a workflow's history knows of."""

from __future__ import annotations

from temporalio import workflow


class Moment:
    """The time, and whether to go on in a fresh history, for conditions that a workflow waits on.

    Conditions that ask the workflow itself would be replayed wrongly. The SDK checks them after
    Updates and before what else comes with the same workflow task, also where a validator refused
    the Update. Of that the history has nothing, so that a replay checks them later, and what
    changes by itself wakes the workflow at another point (found on SDK 1.35 by replaying what
    tests/workflows/test_fuzz.py leaves). Therefore time passes only when something happens.

    Who follows releases goes on in a fresh history also where another build of the worker has
    become the current one: it is the next run that moves. `newer` says so to those who do not.
    """

    def __init__(self, *, follows_releases: bool = True) -> None:
        self._follows = follows_releases
        self._asked = False
        self.passes()

    def passes(self) -> None:
        """Take the time anew: something happened, or a timer fired."""
        info = workflow.info()
        self.now = workflow.now()
        self.newer = info.is_target_worker_deployment_version_changed()
        self.renew = (
            info.is_continue_as_new_suggested() or self._asked or (self._follows and self.newer)
        )

    def ask(self) -> None:
        """Somebody wants a fresh history."""
        self._asked = True
        self.passes()


def something_happened() -> None:
    """An Update was accepted, a signal came or an activity answered: time passes."""
    moment: Moment | None = getattr(workflow.instance(), "moment", None)
    if moment is not None:
        moment.passes()
