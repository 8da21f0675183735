"""Rows of lists: products, gates, the inbox. Scripts rely on these names: add, don't rename."""

from __future__ import annotations

from phasegate.base import Instant, Wire


class ProductRow(Wire):
    """A product in a list, from its search attributes."""

    schema_version: int = 1
    key: str
    status: str
    owner: str
    policy: str
    phase: str | None
    gate: str | None
    next_due: Instant | None
    workflow_id: str
    ui_url: str


class GateRow(Wire):
    """A gate in a list."""

    schema_version: int = 1
    product: str
    gate: str
    round: int | None
    status: str
    outcome: str | None
    respond_due: Instant | None
    workflow_id: str
    ui_url: str


class InboxRow(Wire):
    """What waits on one approver."""

    schema_version: int = 1
    product: str
    gate: str
    round: int
    revision: str
    step: int
    group: str
    since: Instant
    respond_due: Instant
    resolve_due: Instant
    overdue: bool
    on_behalf_of: str | None = None
    workflow_id: str = ""
    ui_url: str = ""
