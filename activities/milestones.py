"""Asking a real system whether a milestone is met."""

from __future__ import annotations

from datetime import UTC, datetime

from temporalio import activity

from activities.asking import Answer, asked
from activities.connecting import CannotTell
from activities.errors import unchanged
from activities.extensions import custom
from activities.measuring import OBSERVED, count
from phasegate import ports
from phasegate.check import CustomCheck
from phasegate.measures import CHECKS
from phasegate.ports import Finding


@activity.defn(name=ports.CHECK_MILESTONE)
async def check_milestone(query: ports.MilestoneQuery) -> ports.MilestoneFinding:
    """Ask once. Returns the first answer, and what differs from `query.known`; else raises, to be
    retried after `every`.

    The wait between two polls is Temporal's retry delay, so that the history does not grow with
    the polls. Whatever goes wrong on the way is "cannot tell", never "met".

    Errors: unchanged (retried after `check.every`, or after what the system asks for if that is
    longer).
    """
    found = await _find(query)
    count(CHECKS, kind=query.check.kind, result=found.finding.value)
    told = found.finding is not Finding.cannot_tell
    OBSERVED.checked(query.product, query.milestone, told=told)
    if found.finding is not query.known or not query.told:
        return ports.MilestoneFinding(
            finding=found.finding, why=found.why, at=datetime.now(UTC), wait=found.wait
        )
    every = query.check.every.approximate
    raise unchanged(
        f"milestone {query.milestone} of {query.product} is still {found.finding.value}: "
        f"{found.why}",
        max(every, found.wait or every),
    )


async def _find(query: ports.MilestoneQuery) -> Answer:
    try:
        if query.problem:
            raise CannotTell(f"{query.problem}; phasegate product update {query.product} FILE")
        if isinstance(query.check, CustomCheck):
            return await custom(query, query.check)
        return await asked(query.check)
    except CannotTell as error:
        return Answer(Finding.cannot_tell, error.why, error.wait)
