"""Histories as they are committed: one event a line, without whose machine it was."""

from __future__ import annotations

import json
import platform
import re
from pathlib import Path

from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowHistory

TAKEN_UP = EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED


def anonymous(history: str) -> str:
    """Without the process and host that recorded it."""
    text = re.sub(r'("(?:identity|workerInstanceKey)": ?)"[^"]*"', r'\1"recorder"', history)
    text = re.sub(r'"stackTrace": ?"(?:[^"\\\\]|\\\\.)*"', '"stackTrace": ""', text)
    return re.sub(rf'"[^"]*@{re.escape(platform.node())}[^"]*"', '"recorder"', text)


def written(history: WorkflowHistory) -> str:
    """A line for each event, so that two recordings can be compared, and no blanks."""
    events = json.loads(anonymous(history.to_json()))["events"]
    lines = (json.dumps(event, separators=(",", ":"), ensure_ascii=False) for event in events)
    return '{"events":[\n' + ",\n".join(lines) + "\n]}\n"


async def save(client: Client, folder: Path, *, prefix: str = "", query: str = "") -> None:
    """Write the history of every run of a namespace, also of those that are still open."""
    counts: dict[str, int] = {}
    executions = [e async for e in client.list_workflows(query)]
    for execution in sorted(executions, key=lambda e: e.start_time):
        handle = client.get_workflow_handle(execution.id, run_id=execution.run_id)
        name = re.sub(r"[^A-Za-z0-9.-]+", "-", execution.id)
        counts[name] = counts.get(name, 0) + 1
        history = await handle.fetch_history()
        if not any(event.event_type == TAKEN_UP for event in history.events):
            continue  # there is nothing to replay yet, and the SDK would wait for it for ever
        text = written(history)
        (folder / f"{prefix}{name}-{counts[name]}.json").write_text(text, "utf-8")
