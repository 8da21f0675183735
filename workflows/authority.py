"""What somebody may do with a product, by the directory as it is at that moment."""

from __future__ import annotations

from datetime import timedelta
from typing import TypeVar

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from phasegate import ports
    from phasegate.base import Wire
    from phasegate.errors import Rejected
    from phasegate.ports import Authority, AuthorityRequest
    from phasegate.pseudonyms import in_use

WITHIN = timedelta(seconds=10)
"""Somebody waits for the answer: a dead ledger refuses after this, and never hangs."""

BRIEFLY = RetryPolicy(
    initial_interval=timedelta(milliseconds=500), backoff_coefficient=2, maximum_attempts=4
)

T = TypeVar("T")


async def ask_briefly(
    activity: str, request: Wire, kind: type[T], summary: str, *, what: str, why: str
) -> T:
    """What the ledger answers, asked from an Update handler. Raises Rejected where it does not.

    `what` cannot be done then, since `why`.
    """
    try:
        found: T = await workflow.execute_activity(
            activity,
            request,
            result_type=kind,
            schedule_to_close_timeout=WITHIN,
            start_to_close_timeout=timedelta(seconds=4),
            retry_policy=BRIEFLY,
            summary=summary,
        )
        return found
    except ActivityError as error:
        if is_cancelled_exception(error):  # a cancel from the Temporal UI is no dead ledger
            raise
        raise Rejected(
            "ledger-unavailable",
            what,
            f"{why}: {str(error.cause or error)[:300]}",
            "phasegate doctor  # nothing was done; ask again",
        ) from error


async def authority_of(
    directory: str, actor: str, *, tier: int, about: str | None = None
) -> Authority:
    """Ask the directory, from an Update handler. Raises Rejected when it cannot be asked.

    The state may have changed, or ended, by the time this returns: the caller checks it again.
    """
    request = AuthorityRequest(directory=directory, actor=actor, tier=tier, about=about)
    return await ask_briefly(
        ports.AUTHORITY,
        request,
        Authority,
        in_use().said(f"what {actor} may do", "what somebody may do"),
        what=f"what {actor} may do cannot be found out",
        why=f"the directory {directory} cannot be read",
    )
