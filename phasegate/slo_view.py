"""What `report slo` shows. Scripts rely on these names: add, don't rename.

Durations are calendar days of 24 hours, weekends and holidays among them; time on hold counts for
nothing. Spreads are of what came to its end in the period; `open`, `here` and `waiting` are of its
last instant.
"""

from __future__ import annotations

from pydantic import Field

from phasegate.base import Instant, Wire
from phasegate.figures import Counts, Spread


class PhaseSlo(Wire):
    """How long products stay in a phase: those that left it for the next in the period."""

    policy: str
    phase: str
    days: Spread = Spread()
    broken_off: int = Field(0, description="stays that a kill, a cancel or an abort ended")
    here: int = Field(0, description="products in it at the end of the period")


class GateSlo(Wire):
    """The rounds of a gate: opened or ended in the period."""

    policy: str
    gate: str
    opened: int = 0
    decided: int = 0
    abandoned: int = 0
    open: int = Field(0, description="undecided at the end of the period")
    days: Spread = Field(Spread(), description="from opening to decision, of those decided")
    outcomes: dict[str, int] = Field({}, description="what they came to, overrides included")
    recycled: int = 0
    recycle_rate: float | None = Field(None, description="recycled of decided rounds, 0 to 1")
    rounds_needed: Counts = Field(
        Counts(), description="rounds up to a pass or a kill, of those that came to one"
    )
    escalations: int = 0
    overrides: int = 0


class GroupSlo(Wire):
    """How fast a group answers. It answers with the first vote of anybody who sits for it."""

    group: str
    asked: int = Field(0, description="asked, or asked anew, in the period")
    answered: int = 0
    in_time: int = Field(0, description="answers within the respond deadline")
    late: int = Field(0, description="answers after it")
    never: int = Field(0, description="rounds that ended after the deadline without an answer")
    not_needed: int = Field(0, description="rounds that ended before the deadline without one")
    waiting: int = Field(0, description="not yet answered at the end of the period")
    overdue: int = Field(0, description="of these past their deadline")
    days: Spread = Field(Spread(), description="from asking to answer, of those answered")
    in_time_share: float | None = Field(None, description="in_time of in_time, late and never")


class ConditionSlo(Wire):
    promised: int = Field(0, description="in the period")
    closed: int = 0
    waived: int = 0
    open: int = Field(0, description="at the end of the period")
    overdue: int = Field(0, description="of these past their day")
    days_to_close: Spread = Field(Spread(), description="of those closed in the period")


class Slo(Wire):
    """One period, over all products that are meant."""

    schema_version: int = 1
    since: Instant
    until: Instant
    products: int = 0
    rounds_decided: int = 0
    recycled: int = 0
    recycle_rate: float | None = None
    escalations: int = 0
    overrides: int = 0
    phases: list[PhaseSlo] = []
    gates: list[GateSlo] = []
    groups: list[GroupSlo] = []
    conditions: ConditionSlo = ConditionSlo()
