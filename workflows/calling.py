"""Asking activities that nearly always answer at once, and must in the end.

They are regular activities. Local ones cost one event instead of six, but a workflow cannot be
replayed where a query or an Update came while one ran (found on SDK 1.35 by replaying the histories
that tests/workflows/test_fuzz.py leaves): the SDK then closes the workflow task and takes up the
local activity in the next, and in a replay it makes one task of the two.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, TypeVar

from temporalio import workflow
from temporalio.common import RetryPolicy

with workflow.unsafe.imports_passed_through():
    from workflows.moment import something_happened

PATIENT = RetryPolicy(
    initial_interval=timedelta(seconds=1),
    backoff_coefficient=2,
    maximum_interval=timedelta(minutes=1),
)
"""For activities that must succeed in the end: a dead ledger heals, a lifecycle waits."""

T = TypeVar("T")


async def ask(name: str, request: Any, result: type[T], summary: str) -> T:
    """What the activity answers, whenever it does."""
    answer: T = await workflow.execute_activity(
        name,
        request,
        result_type=result,
        start_to_close_timeout=timedelta(seconds=30),
        retry_policy=PATIENT,
        summary=summary,
    )
    something_happened()
    return answer
