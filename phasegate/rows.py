"""Rows of lists: products, gates, the inbox. Scripts rely on these names: add, don't rename."""

from __future__ import annotations

from pydantic import Field

from phasegate.base import Instant, Wire
from phasegate.views import MilestoneView


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


class MilestoneRow(MilestoneView):
    """A milestone in a list, with what is expected of it as of now."""

    actual: Instant | None = Field(None, description="when it was met")
    slip: int | None = Field(
        None, description="days later than first planned; negative only of what is met"
    )
    at_risk: bool = False


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
    assurance: str = Field("claimed", description="signed where it takes only what is signed")
    workflow_id: str = ""
    ui_url: str = ""
