"""The weekly letter on the whole portfolio, from the record and from what is open."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from phasegate.base import Instant, Wire
from phasegate.concern import Standing
from phasegate.events import Announcement
from phasegate.letters import Letter, one_line
from phasegate.markdown import day

SHOWN = 50
"""Lines of a section; the rest is counted."""

_ENDINGS = ("product.killed", "product.completed", "product.retired", "product.cancelled")
_LATE = ("milestone.at-risk", "milestone.missed")
_SETTLED = ("milestone.met", "milestone.waived", "milestone.planned")
_OVERDUE = ("condition.overdue", "condition.escalated")
_KEPT = ("condition.closed", "condition.waived")

TYPES = (
    "product.started",
    "product.updated",
    "product.handed-over",
    "product.revived",
    "gate.decided",
    *_ENDINGS,
    *_LATE,
    *_SETTLED,
    *_OVERDUE,
    *_KEPT,
)
"""What of the record the letter is made of."""


class OpenGate(Wire):
    """A gate that is open, as lists show it."""

    product: str
    gate: str
    owner: str = ""
    due: Instant | None = None

    def line(self) -> str:
        return f"{self.product}/{self.gate}, due {day(self.due)}, owner {self.owner}"


class Week(Wire):
    """What the record says at the end of a week, a line each."""

    decided: list[str] = []
    late: list[str] = []
    overdue: list[str] = []
    decided_on: list[str] = []
    """Products of which a gate was decided."""
    heads: list[str] = []
    """Where their records stand, as `phasegate audit head` writes it."""

    def add(self, key: str, events: Iterable[Announcement], since: datetime) -> None:
        """Add a product, by its announcements of TYPES, oldest first."""
        product = Standing()
        late: dict[str, str] = {}
        promises: dict[str, str] = {}
        decided: list[str] = []
        ended = False
        for event in events:
            product = product.after(event)
            name = str(event.data.get("milestone") or event.data.get("condition") or "")
            if event.type in _LATE:
                late[name] = event.text
            elif event.type in _SETTLED:
                late.pop(name, None)
            elif event.type in _OVERDUE:
                promises[name] = event.text
            elif event.type in _KEPT:
                promises.pop(name, None)
            elif event.type == "gate.decided" and event.at >= since:
                decided.append(event.text)
            elif event.type in _ENDINGS:
                ended = True
            elif event.type == "product.revived":
                ended = False
        if decided:
            self.decided_on.append(key)
        title = f"{product.name or key} ({key})"
        self.decided += [f"{title}: {one_line(text)}" for text in decided]
        if not ended:
            self.late += [f"{title}: {one_line(text)}" for text in late.values()]
            self.overdue += [f"{title}: {one_line(text)}" for text in promises.values()]


class Portfolio(Wire):
    """Everything the letter says. `open` and `overdue` may be fewer than were counted."""

    week: str
    """As ISO 8601 counts them: 2026-W48."""
    counted: int
    """Gates that are open."""
    counted_overdue: int
    open: list[OpenGate]
    overdue: list[OpenGate]
    record: Week


def week_name(at: datetime) -> str:
    """The week of an instant, as ISO 8601 has it."""
    year, week, _ = at.isocalendar()
    return f"{year}-W{week:02}"


def week_number(at: datetime) -> int:
    """The same as a number that counts up."""
    year, week, _ = at.isocalendar()
    return year * 100 + week


def portfolio_letter(found: Portfolio) -> Letter:
    """The letter, what is late first."""
    record = found.record
    subject = (
        f"Portfolio {found.week}: {found.counted} gates open, {found.counted_overdue} overdue, "
        f"{len(record.late)} milestones late, {len(record.decided)} decisions"
    )
    sections = (
        ("Gates that are overdue", found.counted_overdue, [g.line() for g in found.overdue]),
        ("Conditions that are overdue", len(record.overdue), record.overdue),
        ("Milestones at risk or missed", len(record.late), record.late),
        ("Decided this week", len(record.decided), record.decided),
        ("Gates that are open and in time", _in_time(found), [g.line() for g in found.open]),
    )
    parts = [_section(title, count, lines) for title, count, lines in sections]
    if record.heads:  # of these none is left out: they are what a record is compared with
        keep = "Heads of their records (keep this letter: phasegate audit verify --head reads it)"
        parts.append("\n".join([f"{keep}:", *record.heads]))
    return Letter(subject, "\n\n".join([*parts, "More: phasegate product list"]) + "\n")


def _in_time(found: Portfolio) -> int:
    return max(found.counted - found.counted_overdue, len(found.open))


def _section(title: str, count: int, lines: Sequence[str]) -> str:
    shown = [f"* {line}" for line in lines[:SHOWN]]
    if count > len(shown):
        shown.append(f"… and {count - len(shown)} more")
    return "\n".join([f"{title}: {count or 'none'}", *shown])
