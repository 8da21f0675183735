"""Asking activities that nearly always answer at once: locally first, then patiently."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, TypeVar

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import FailureError, is_cancelled_exception

PATIENT = RetryPolicy(
    initial_interval=timedelta(seconds=1),
    backoff_coefficient=2,
    maximum_interval=timedelta(minutes=1),
)
"""For activities that must succeed in the end: a dead ledger heals, a lifecycle waits."""

AT_ONCE = timedelta(seconds=1)
"""How long a local call may take. While it runs, the answers to Updates wait for it."""

ONCE = RetryPolicy(maximum_attempts=1)

LONGEST_DETOUR = 64

T = TypeVar("T")


class Caller:
    """Local calls cost one event in the history, regular ones six, but they may wait.

    A local call that fails is made again as a regular one, and so are those after it until one has
    succeeded: a dead ledger delays a vote once. Where local calls go on failing, as with a ledger
    that is slow and not dead, ever more regular ones lie between them.
    """

    def __init__(self) -> None:
        self._detour = 0  # regular calls to make before a local one is tried again
        self._next = 1

    @property
    def late(self) -> bool:
        """Whether calls are not answered at once at present."""
        return self._detour > 0

    async def __call__(self, name: str, request: Any, result: type[T], summary: str) -> T:
        if not self.late:
            try:
                answer: T = await workflow.execute_local_activity(
                    name,
                    request,
                    result_type=result,
                    schedule_to_close_timeout=AT_ONCE,
                    retry_policy=ONCE,
                    summary=summary,
                )
            except FailureError as error:  # of a local activity it may come unwrapped
                if is_cancelled_exception(error):
                    raise
                self._detour, self._next = self._next, min(2 * self._next, LONGEST_DETOUR)
            else:
                self._next = 1
                return answer
        answer = await workflow.execute_activity(
            name,
            request,
            result_type=result,
            start_to_close_timeout=timedelta(seconds=30),
            retry_policy=PATIENT,
            summary=summary,
        )
        self._detour = max(self._detour - 1, 0)
        return answer
