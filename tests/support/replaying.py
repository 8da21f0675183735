"""Replaying what a test has left."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowHandle, WorkflowHistory
from temporalio.worker import Replayer

from client.plugin import phasegate_plugin


async def replay(handle: WorkflowHandle[Any, Any]) -> None:
    """Replay one run. A history that does not replay is kept, and the error says where.

    A run that has not begun has nothing to replay, and the SDK would wait for it for ever.
    """
    history = await handle.fetch_history()
    done = EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED
    if any(event.event_type == done for event in history.events):
        try:
            await Replayer(workflows=[], plugins=[phasegate_plugin()]).replay_workflow(history)
        except Exception as error:
            error.add_note(f"{history.workflow_id} is kept in {_keep(history)}")
            raise


def _keep(history: WorkflowHistory) -> Path:
    """PHASEGATE_UNREPLAYED names the folder; without it, it is one of its own in /tmp."""
    folder = Path(os.environ.get("PHASEGATE_UNREPLAYED") or tempfile.mkdtemp(prefix="unreplayed-"))
    folder.mkdir(parents=True, exist_ok=True)
    kept = folder / f"{history.workflow_id.replace('/', '-')}-{history.run_id}.json"
    kept.write_text(history.to_json())
    return kept
