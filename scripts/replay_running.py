"""Replay what runs in a namespace with the code of this checkout: before each release.

    python scripts/replay_running.py
    python scripts/replay_running.py --query "WorkflowType = 'Sunset'" --limit 0 --keep /tmp/broken

Reads histories and changes nothing. The connection and the key ring are those of every command
(TEMPORAL_ADDRESS, TEMPORAL_PROFILE, PHASEGATE_KEYS_FILE). Exits with 1 if one does not replay, with
2 if the query cannot be used, and with 3 if it finds nothing: that shows nothing of a release.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import re
import sys
from pathlib import Path
from shlex import quote

sys.path.insert(0, str(Path(__file__).parents[1]))

from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowExecution
from temporalio.service import RPCError, RPCStatusCode
from temporalio.worker import Replayer

from client.connection import connect
from client.leaving import leave
from client.plugin import phasegate_plugin
from client.runtime import core_runtime
from phasegate.errors import EngineError
from workflows.every import WORKFLOWS

TYPES = ", ".join(f"'{each.__name__}'" for each in WORKFLOWS)
OPEN = f"ExecutionStatus = 'Running' AND WorkflowType IN ({TYPES})"
FAILED, USAGE, NOTHING = 1, 2, 3
AT_ONCE = 8
"""Histories read and replayed at the same time."""


async def replay(client: Client, execution: WorkflowExecution, keep: Path | None) -> str:
    """Why this run does not replay; nothing if it does."""
    handle = client.get_workflow_handle(execution.id, run_id=execution.run_id)
    history = await handle.fetch_history()
    done = EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED
    if not any(event.event_type == done for event in history.events):
        return ""  # it has not begun, and the SDK would wait for it for ever
    replayer = Replayer(workflows=[], plugins=[phasegate_plugin()], runtime=core_runtime())
    result = await replayer.replay_workflow(history, raise_on_replay_failure=False)
    if result.replay_failure is None:
        return ""
    if keep is not None:
        name = f"{execution.id.replace('/', '-')}-{execution.run_id}.json"
        (keep / name).write_text(history.to_json(), "utf-8")
    said = str(result.replay_failure)
    found = re.search(r'message: "(\[TMPRL[^"]*)"', said)  # the rest is the failure of its task
    return found[1] if found else said


async def replay_all(client: Client, query: str, limit: int, keep: Path | None) -> int:
    """Replay what the query finds, and tell of what does not; the exit code. Raises RPCError."""
    free, broken, seen = asyncio.Semaphore(AT_ONCE), 0, 0

    async def one(execution: WorkflowExecution) -> None:
        nonlocal broken
        async with free:
            if why := await replay(client, execution, keep):
                broken += 1
                print(f"{execution.id} (run {execution.run_id}) does not replay:\n  {why}")

    found = client.list_workflows(query, limit=limit or None)
    await found.fetch_next_page()  # a query that cannot be used is refused here
    async with asyncio.TaskGroup() as group:
        async for execution in found:
            seen += 1
            group.create_task(one(execution))
    if not seen:
        print(f"NOTHING WAS REPLAYED: the query finds no workflow: {query}", file=sys.stderr)
        return NOTHING
    print(f"{seen} replayed, {broken} of them do not replay", file=sys.stderr)
    if 0 < limit <= seen:
        print(
            "older ones were left out by --limit, if there are any; 0 is for all", file=sys.stderr
        )
    return FAILED if broken else 0


async def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--query", default=OPEN, help="which workflows (default: all that run)")
    parser.add_argument("--limit", type=int, default=1000, help="at most so many; 0 for all")
    parser.add_argument("--keep", type=Path, help="a folder for histories that do not replay")
    given = parser.parse_args()
    logging.disable(logging.CRITICAL)  # what does not replay is told of once
    if given.keep:
        given.keep.mkdir(parents=True, exist_ok=True)
    try:
        client = await connect()
    except EngineError as error:
        print(f"{error.what}\n{error.why}\nhint: {error.hint}", file=sys.stderr)
        return FAILED
    try:
        return await replay_all(client, given.query, given.limit, given.keep)
    except RPCError as error:
        if error.status is not RPCStatusCode.INVALID_ARGUMENT:
            raise
        print(
            f"--query {given.query!r} cannot be used\n{error.message}\n"
            f"hint: temporal workflow count --query {quote(given.query)}",
            file=sys.stderr,
        )
        return USAGE


if __name__ == "__main__":
    leave(asyncio.run(main()))
