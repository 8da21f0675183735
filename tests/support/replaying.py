"""Replaying what a test has left."""

from __future__ import annotations

from typing import Any

from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowHandle
from temporalio.worker import Replayer

from client.plugin import phasegate_plugin


async def replay(handle: WorkflowHandle[Any, Any]) -> None:
    """Replay one run. Raises NondeterminismError. A run that has not begun has nothing to replay,
    and the SDK would wait for it for ever."""
    history = await handle.fetch_history()
    done = EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED
    if any(event.event_type == done for event in history.events):
        await Replayer(workflows=[], plugins=[phasegate_plugin()]).replay_workflow(history)
