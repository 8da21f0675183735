"""Going on in a fresh history, which may be carried on by a newer build of the worker.

Workers that belong to a deployment pin what they run (`client/versioning.py`): a run ends by the
code that began it, and it is the next run that moves.
"""

from __future__ import annotations

from typing import Any, NoReturn

from temporalio import workflow
from temporalio.common import RawValue

with workflow.unsafe.imports_passed_through():
    from workflows.moment import Moment
    from workflows.refusing import NO_INPUT


def go_on(state: Any, **more: Any) -> NoReturn:
    """Continue as new, on the build that is current; without it, the next run would stay pinned."""
    workflow.continue_as_new(
        state,
        initial_versioning_behavior=workflow.ContinueAsNewVersioningBehavior.AUTO_UPGRADE,
        **more,
    )


def history_is_full() -> bool:
    """Whether a short-lived workflow with more to do should do it in a fresh history."""
    info = workflow.info()
    return info.is_continue_as_new_suggested() or info.is_target_worker_deployment_version_changed()


class Renewable:
    """Goes on in a fresh history when it is asked.

    What waits for a year is woken by nothing else: it would keep its old build needed for as long.
    """

    moment: Moment

    @workflow.signal(
        name="renew", description="Go on in a fresh history, on the current build; no input"
    )
    def renew_when_asked(self, raw: RawValue = NO_INPUT) -> None:
        self.moment.ask()
