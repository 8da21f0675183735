"""A product, the kettle, and its gate as people see them, for tests that need no engine."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from phasegate.views import GateView, ProductView

START = datetime(2027, 3, 1, 9, tzinfo=UTC)  # a Monday


def product(**more: Any) -> ProductView:
    given: dict[str, Any] = {
        "key": "kettle", "name": "Kettle", "owner": "olga", "status": "active", "phase": "build",
        "gate": None, "round": None, "policy": "tiny 1", "policy_digest": "", "milestones": [],
        "conditions": [], "next_due": None, "revision": "", "workflow_id": "",
        "entered_at": START, "ends_with": "launch",
    }  # fmt: skip
    return ProductView.model_validate({**given, **more})


def gate(**more: Any) -> GateView:
    given: dict[str, Any] = {
        "product": "kettle", "gate": "launch", "title": "Launch", "round": 1, "revision": "r1",
        "status": "open", "outcome": None, "cannot_pass": False, "step": 1, "opened_at": START,
        "decided_at": None, "workflow_id": "", "requirements": [], "votes": [], "pending": [],
        "criteria": [], "conditions": [], "refused": [], "respond_due": None, "resolve_due": None,
    }  # fmt: skip
    return GateView.model_validate({**given, **more})
