"""The time axis of a roadmap: which span it shows, where an instant is on it, and its ticks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from phasegate.forecast_past import later
from phasegate.roadmap import Roadmap

DAY = timedelta(days=1)
SHORTEST = 14 * DAY
LONGEST = 365 * 20 * DAY
"""What lies further away from today than this is drawn at the edge."""

ROOM = 0.04
"""Of the span, beside what is shown, so that marks at an end are whole."""

_UNITS = (("day", 1.0), ("week", 7.0), ("month", 30.4), ("quarter", 91.3), ("year", 365.2))


@dataclass(frozen=True)
class Tick:
    x: float
    label: str


@dataclass(frozen=True)
class Scale:
    """`width` in pixels stands for the time from `start` to `end`."""

    start: datetime
    end: datetime
    width: float

    def x(self, at: datetime) -> float:
        """Where an instant is, at the edge if it lies outside."""
        part = (at - self.start) / (self.end - self.start)
        return round(min(max(part, 0.0), 1.0) * self.width, 2)

    def shows(self, at: datetime) -> bool:
        return self.start <= at <= self.end

    def ticks(self, room: float = 72.0) -> list[Tick]:
        """Starts of days, weeks, months, quarters or years, at least `room` pixels apart."""
        pixels = self.width / ((self.end - self.start) / DAY)
        unit, length = next((u for u in _UNITS if u[1] * pixels >= room), _UNITS[-1])
        step = 1
        while unit == "year" and step * length * pixels < room:
            step += 1
        return [Tick(self.x(at), _label(unit, at)) for at in self._starts(unit, step)]

    def _starts(self, unit: str, step: int) -> Iterator[datetime]:
        first = self.start.replace(hour=0, minute=0, second=0, microsecond=0)
        if unit == "week":
            first -= first.weekday() * DAY
        elif unit in ("month", "quarter", "year"):
            first = first.replace(day=1)
        if unit == "quarter":
            first = first.replace(month=first.month - (first.month - 1) % 3)
        elif unit == "year":
            first = first.replace(month=1, year=first.year - first.year % step)
        at = first
        while at <= self.end:
            if at >= self.start:
                yield at
            at = _next(at, unit, step)


def _next(at: datetime, unit: str, step: int) -> datetime:
    if unit in ("day", "week"):
        return at + (7 * DAY if unit == "week" else DAY)
    months = {"month": 1, "quarter": 3, "year": 12 * step}[unit]
    year, month = divmod(at.year * 12 + at.month - 1 + months, 12)
    return at.replace(year=year, month=month + 1)


def _label(unit: str, at: datetime) -> str:
    if unit == "year":
        return f"{at.year}"
    if unit == "quarter":
        return f"Q{(at.month + 2) // 3} {at.year}"
    return f"{at:%b %Y}" if unit == "month" else f"{at:%d %b}"


def scale_of(
    roadmap: Roadmap,
    width: float,
    *,
    start: datetime | None = None,
    end: datetime | None = None,
) -> Scale:
    """The span of everything there is, today included; `start` and `end` cut it."""
    now = roadmap.as_of.astimezone(UTC)
    first, last = later(now, -LONGEST), later(now, LONGEST)
    known = [min(max(at, first), last) for at in (now, *_instants(roadmap))]
    low, high = start or min(known), end or max(known)
    if high - low < SHORTEST:
        missing = (SHORTEST - max(high - low, timedelta(0))) / 2
        low, high = (low, low + SHORTEST) if start else (low - missing, low - missing + SHORTEST)
    room = (high - low) * ROOM
    return Scale(low if start else low - room, high if end else high + room, width)


def _instants(roadmap: Roadmap) -> Iterator[datetime]:
    for product in roadmap.products:
        for phase in product.forecast.phases:
            yield from filter(
                None,
                (phase.start, phase.end, phase.expected_start, phase.expected_end),
            )
            yield from filter(None, (phase.planned_end,) if phase.slip else ())
        for gate in product.forecast.gates:
            yield from filter(None, (gate.actual, gate.expected))
        for goal in product.forecast.milestones:
            yield from filter(None, (goal.actual, goal.expected, goal.due))
