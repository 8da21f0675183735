"""One round of a gate as the record tells of it: asked, answered, escalated, decided."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from phasegate.askings import Askings, instant_in
from phasegate.events import Announcement
from phasegate.pauses import Pauses

PASSES = ("go", "conditional-go")
ENDS = ("gate.decided", "gate.abandoned")
ROUND_EVENTS = (
    "gate.opened",
    "gate.step",
    "gate.seats",
    "gate.dates",
    "gate.changed",
    "gate.key-revoked",
    "gate.vote",
    "gate.extended",
    "gate.reassigned",
    "gate.escalated",
    "gate.needs-work",
    "gate.resubmitted",
    "gate.overridden",
    *ENDS,
)


@dataclass
class PastRound:
    """What happened to a round. `outcome` is a vote's word, None while it is open or abandoned."""

    gate: str
    round: int
    opened_at: datetime
    ended_at: datetime | None = None
    outcome: str | None = None
    why: str = ""
    resolve_due: datetime | None = None
    escalated: list[datetime] = field(default_factory=list)
    overridden_at: datetime | None = None
    overruled_at: datetime | None = None
    work: Pauses = field(default_factory=Pauses)
    askings: Askings = field(default_factory=Askings)
    conditions: list[dict[str, Any]] = field(default_factory=list)

    @property
    def decided(self) -> bool:
        return self.ended_at is not None and self.outcome is not None

    @property
    def abandoned(self) -> bool:
        return self.ended_at is not None and self.outcome is None

    def tell(self, event: Announcement) -> None:
        """Take one of ROUND_EVENTS.

        What follows an end was said after a reset: the round goes on, and has another end.
        """
        data, at = event.data, event.at
        if event.type == "gate.overridden" and "from" in data:
            return self._overrule(data, at)
        if event.type in ENDS:
            return self._end(event)
        if self.ended_at is not None:
            self.ended_at = self.outcome = self.overruled_at = None
        match event.type:
            case "gate.opened":
                self.resolve_due = instant_in(data.get("resolve_due"))
                self.askings.ask(data, at)
            case "gate.step":
                self.askings.ask(data, at)
            case "gate.seats":
                self.askings.join(data, at)
            case "gate.dates":
                self.askings.date(data, at)
            case "gate.changed" | "gate.key-revoked":
                self.askings.ask_again(data.get("voided"), at)
            case "gate.vote":
                self.askings.answer(data.get("on_behalf_of") or event.actor, at)
            case "gate.extended":
                self.resolve_due = instant_in(data.get("resolve")) or self.resolve_due
                self.askings.date(data, at)
            case "gate.reassigned":
                self.askings.give(str(data.get("approver")), str(data.get("to")))
            case "gate.escalated":
                self.escalated.append(at)
                if "escalations" in data:  # its clock starts again, and no event says until when
                    self.resolve_due = None
            case "gate.needs-work":
                self.work.begin(at)
            case "gate.resubmitted":
                self.move(self.work.end(at), at)
            case _:  # overridden: the decision follows
                self.overridden_at = at

    def move(self, by: timedelta, at: datetime) -> None:
        """Its clocks stood still for so long; the days that are not told yet move by that."""
        self.askings.move(by, at)
        if self.resolve_due is not None and self.ended_at is None:
            self.resolve_due += by

    def abandon(self, at: datetime) -> None:
        """Its product has ended, and the round said nothing more."""
        self.ended_at = at
        self.askings.end(at)

    def _end(self, event: Announcement) -> None:
        """The last end of a round is the one that counts; its view says how it came to that."""
        view = event.data.get("view")
        view = view if isinstance(view, dict) else {}
        self.opened_at = instant_in(view.get("opened_at")) or self.opened_at
        self.ended_at = instant_in(view.get("decided_at")) or event.at
        outcome = view.get("outcome") or event.data.get("outcome")
        self.outcome = str(outcome) if outcome and event.type == "gate.decided" else None
        self.why = str(view.get("why") or "")
        override = view.get("override")
        self.overridden_at = instant_in(override.get("at")) if override else None
        self.overruled_at = None
        self.conditions = view.get("conditions") or [] if self.outcome == "conditional-go" else []
        self.work.end(self.ended_at)
        self.askings.end(self.ended_at)

    def _overrule(self, data: dict[str, Any], at: datetime) -> None:
        """Another outcome in the place of the one that stopped the product."""
        self.outcome, self.overruled_at = str(data.get("to")), at
        self.ended_at = self.ended_at or at
