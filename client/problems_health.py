"""Whether workflows fail on their workers: a release that does not fit, or a lost key."""

from __future__ import annotations

from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from client.checkup import Check

QUERY = "TemporalReportedProblems IS NOT NULL AND ExecutionStatus = 'Running'"
"""Servers from 1.30 on set it after five failed workflow tasks in a row, and take it away after a
good one."""

NAMED = 3


async def examine_problems(client: Client) -> Check | None:
    """Workflows whose tasks fail. None where the server does not know the attribute.

    Raises RPCError.
    """
    name = "workflows"
    try:
        failing = (await client.count_workflows(QUERY)).count
    except RPCError as error:
        if error.status is RPCStatusCode.INVALID_ARGUMENT:
            return None
        raise
    if not failing:
        return Check(check=name, state="ok", what="no workflow fails on its worker")
    first = [run.id async for run in client.list_workflows(QUERY, limit=NAMED)]
    more = f" and {failing - len(first)} more" if failing > len(first) else ""
    return Check(
        check=name,
        state="fail",
        what=f"they fail on their workers, and stand still: {', '.join(first)}{more}",
        mend="look at the worker's log; put the release back that ran before, or give it its keys",
    )
