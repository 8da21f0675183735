"""Starting a child that outlives its parent's runs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any

from temporalio import workflow
from temporalio.common import TypedSearchAttributes
from temporalio.exceptions import ApplicationError, WorkflowAlreadyStartedError

from workflows.bookkeeping import Value, attribute_pairs

CLOSING = timedelta(seconds=1)
LONGEST = timedelta(seconds=30)


async def start_child(
    name: str, state: Any, *, id: str, summary: str, attributes: Mapping[str, Value]
) -> workflow.ChildWorkflowHandle[Any, Any]:
    """Start a child that is abandoned on the parent's close.

    With the default policy the parent's continue-as-new terminates an open gate. The previous
    round of the same id may still be closing (a report by signal comes before its end), so a taken
    id is waited for rather than an error.
    """
    pause = CLOSING
    while True:
        try:
            return await workflow.start_child_workflow(
                name,
                state,
                id=id,
                parent_close_policy=workflow.ParentClosePolicy.ABANDON,
                static_summary=summary,
                search_attributes=TypedSearchAttributes(attribute_pairs(attributes)),
            )
        except WorkflowAlreadyStartedError:
            await workflow.sleep(pause, summary=f"{id} is still closing")
            pause = min(2 * pause, LONGEST)


async def quietly(ask: Callable[[], Awaitable[None]]) -> bool:
    """Ask something of a workflow that may have ended meanwhile; False if it has."""
    try:
        await ask()
    except ApplicationError:
        workflow.logger.info("the workflow asked has ended")
        return False
    return True
