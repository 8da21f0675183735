"""Where a log line comes from, in the same fields whoever wrote it."""

from __future__ import annotations

import re
from collections.abc import Mapping, MutableMapping
from typing import Any

from temporalio import activity, workflow

_PRODUCT = re.compile(r"product/([^/]+)(?:/gate/([^/]+)|/sunset)?")
_COURIER = re.compile(r"courier/.+/([^/]+)")

_CONTEXTS = ("temporal_workflow", "temporal_activity")
"""Where the SDK's own loggers put what they know."""

Event = MutableMapping[str, Any]


def placed(logger: Any, method: str, event: Event) -> Event:
    """The line with what is known of its place; what it says itself stays."""
    for name, value in _known(event).items():
        if value:
            event.setdefault(name, value)
    if isinstance(id := event.get("workflow_id"), str):
        for name, value in place_of(id).items():
            event.setdefault(name, value)
    for context in _CONTEXTS:
        event.pop(context, None)
    return event


def place_of(workflow_id: str) -> dict[str, str]:
    """The product that a workflow is about, and the gate if it is a round's."""
    if found := _PRODUCT.fullmatch(workflow_id):
        return {"product": found[1], **({"gate": found[2]} if found[2] else {})}
    if found := _COURIER.fullmatch(workflow_id):
        return {"product": found[1]}
    return {}


def _known(event: Event) -> dict[str, Any]:
    if workflow.in_workflow():
        here = workflow.info()
        return {
            "workflow": here.workflow_type,
            "workflow_id": here.workflow_id,
            "run_id": here.run_id,
        }
    if activity.in_activity():
        info = activity.info()
        return {
            "activity": info.activity_type,
            "workflow_id": info.workflow_id,
            "run_id": info.workflow_run_id,
            "attempt": info.attempt,
        }
    about: Mapping[str, Any] = next(
        (event[c] for c in _CONTEXTS if isinstance(event.get(c), Mapping)), {}
    )
    return {
        "workflow": about.get("workflow_type"),
        "workflow_id": about.get("workflow_id"),
        "run_id": about.get("run_id") or about.get("workflow_run_id"),
        "activity": about.get("activity_type"),
        "attempt": about.get("attempt"),
    }
