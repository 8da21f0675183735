"""Conditions of earlier gates: promises with an owner and a date, and the clocks over them."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta
from typing import Literal

from pydantic import Field

from phasegate.base import Instant
from phasegate.requests import ConditionRequest
from phasegate.views import ConditionView

WEEK = timedelta(days=7)
"""How long before its day a condition is reminded of, and how often once the day has passed."""

Turn = Literal["reminder", "overdue", "escalated"]


class Condition(ConditionView):
    """A condition as its product keeps it: what is shown of it, and when its clocks act."""

    remind_at: Instant | None = None
    escalate_at: Instant | None = None
    escalations: int = 0
    promised_by: str = Field("", description="its first owner; a handover gives it another")

    @classmethod
    def promised(cls, view: ConditionView, now: datetime, gate: str = "") -> Condition:
        """Take up a condition that a gate decided on."""
        condition = cls.model_validate(view.model_dump())
        condition.gate, condition.promised_by = view.gate or gate, view.owner
        if condition.due and condition.due > now:
            condition.remind_at = condition.due - min(WEEK, (condition.due - now) / 2)
        return condition

    def next_turn(self) -> datetime | None:
        """When a clock of this condition acts next."""
        if self.state != "open" or self.due is None:
            return None
        return self.escalate_at if self.overdue else self.remind_at or self.due

    def turn(self, now: datetime) -> Turn | None:
        """Let the clock act, and say what it did."""
        turn = self.next_turn()
        if self.due is None or turn is None or now < turn:
            return None
        self.remind_at = None
        if now < self.due:
            return "reminder"
        said: Turn = "escalated" if self.overdue else "overdue"
        self.escalations += int(self.overdue)
        self.overdue, self.escalate_at = True, now + WEEK
        return said

    def shift(self, by: timedelta) -> None:
        """Move the date of an open condition: its product stood still for so long."""
        if self.state != "open":
            return
        with suppress(OverflowError):  # 9999-12-31, which means never, stays where it is
            self.due = self.due + by if self.due else None
            self.remind_at = self.remind_at + by if self.remind_at else None
            self.escalate_at = self.escalate_at + by if self.escalate_at else None

    def lapse(self, by: str, note: str, now: datetime) -> None:
        """It is owed to nobody any more: what it was promised for is over."""
        self.state, self.closed_by, self.closed_at, self.note = "waived", by, now, note

    def settle(self, request: ConditionRequest, now: datetime) -> str:
        """Close or waive it, keep what shows that, and say so."""
        self.state = "closed" if request.action == "close" else "waived"
        self.closed_by, self.closed_at, self.note = request.actor, now, request.note
        self.link, self.digest = request.link, request.digest
        return f"{self.id} is {self.state}"
