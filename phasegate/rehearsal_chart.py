"""What the pictures of a rehearsal share: their frame, its time axis, and rows with names.

Pixels, of a frame WIDTH wide that a page may show smaller or larger. Knows no format.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from phasegate.roadmap_scale import ROOM, SHORTEST, Scale, Tick

WIDTH = 900.0
NAMES = 200.0
"""For what a row is called, left of what it shows."""

NOTES = 110.0
"""For a few words, right of what a row shows."""

SIZE = 12.0
"""Of texts."""

GAP = 8.0
AXIS = 24.0
"""The height of the axis above its rows."""


@dataclass(frozen=True)
class Axis:
    """A time axis from `left` to `right`."""

    scale: Scale
    left: float

    @property
    def right(self) -> float:
        return self.left + self.scale.width

    def x(self, at: datetime) -> float:
        """Where an instant is, at the edge if it lies outside."""
        return round(self.left + self.scale.x(at), 2)

    def ticks(self) -> tuple[Tick, ...]:
        """Without its label where that would not end before the right edge."""
        fits = self.scale.width - 64
        return tuple(
            Tick(round(self.left + tick.x, 2), tick.label if tick.x <= fits else "")
            for tick in self.scale.ticks()
        )


def axis_over(
    instants: Iterable[datetime], *, left: float = NAMES, right: float = WIDTH - NOTES
) -> Axis:
    """An axis for all of these, one at least, with a little room at both ends."""
    found = sorted(instants)
    low, high = found[0], found[-1]
    missing = max(SHORTEST - (high - low), SHORTEST * 0) / 2
    low, high = low - missing, high + missing
    room = (high - low) * ROOM
    return Axis(Scale(low - room, high + room, right - left), left)


@dataclass(frozen=True)
class Span:
    """Something from one place to another; what is too short to be seen is made visible."""

    x: float
    width: float

    @property
    def end(self) -> float:
        return self.x + self.width


def span(x1: float, x2: float, *, least: float = 2.0, edge: float = WIDTH) -> Span:
    """From x1 to x2, at least `least` wide, and not beyond `edge`."""
    width = max(x2 - x1, least)
    return Span(round(min(x1, edge - width), 2), round(width, 2))


def percent(part: int, whole: int) -> str:
    """`12 %`; what is some but less than one, or not quite all, is never said to be 0 or 100 %."""
    if not part or part == whole:
        return "100 %" if part else "0 %"
    share = part / whole * 100
    if share < 1:
        return "<1 %"
    return ">99 %" if share > 99 else f"{share:.0f} %"


def plural(n: int, one: str, many: str = "") -> str:
    return f"{n:,} {one if n == 1 else many or one + 's'}"
