"""What the engine shows of a sunset. Scripts rely on these names: add, don't rename."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from phasegate.adjusting import Adjustments
from phasegate.base import Instant, Wire
from phasegate.legal_hold import LegalHold
from phasegate.sunset_ports import CustomersSummary


class TaskView(Wire):
    id: str
    title: str
    kind: str
    state: str = Field(
        description="planned, waiting (for a person, or a gate's votes), running, stuck, unknown, "
        "held (by a legal hold), done, skipped, dropped (by an abort), undoing or undone"
    )
    at: Instant
    done_at: Instant | None = None
    why: str = ""
    digest: str = ""
    marks: str = Field("", description="of a public date: what it is in the words of OpenEoX")
    effect: str = Field("", description="reversible, irreversible or deletion, of what it does")
    by: str = Field("", description="the group that answers for it; empty means the owner")
    needs: list[str] = Field([], description="the tasks that it waits for, beside its day")
    overdue_at: Instant | None = None
    overdue: bool = False
    begun_at: Instant | None = None
    stuck_since: Instant | None = None
    confirmed_by: str = ""
    proof: dict[str, Any] = Field({}, description="facts that show that it was done")
    gate: str = Field("", description="the gate's own id, of a gate")
    point_of_no_return: bool = False
    asks_for: list[str] = Field([], description="the facts that a confirmation has to give")
    undo: str = Field("", description="how it would be undone: http, command, manual …; or empty")
    waits_for: list[str] = Field([], description="the people who can bring it on now")
    undo_state: str = Field("", description="of what undoes it, once the sunset is aborted")


class Aborting(Wire):
    """Somebody brings the product back into the market."""

    by: str
    reason: str
    at: Instant


class SunsetView(Wire):
    schema_version: int = 1
    product: str
    status: str
    notice_at: Instant
    workflow_id: str
    ui_url: str = ""
    tasks: list[TaskView]
    number: int = Field(1, description="the how-manieth sunset of the product")
    adjustments: Adjustments = Field(
        Adjustments(), description="what the product changed in its policy's plan"
    )
    dates: dict[str, Instant] = Field({}, description="public dates, by what each marks")
    moved: list[str] = Field([], description="what of the plan was moved, and why")
    needs_plan: str = Field("", description="why it waits for another plan, if it does")
    customers: CustomersSummary | None = None
    legal_holds: list[LegalHold] = []
    aborting: Aborting | None = Field(None, description="who aborts it, why and since when")
    beyond_return: bool = Field(False, description="the point of no return is passed")
    waiting_for: str = Field("", description="what it waits for, in a sentence")


class PastSunsetView(Wire):
    """A sunset that was aborted; the ledger has all of it."""

    number: int
    ended_at: Instant
    by: str = ""
    why: str = ""
