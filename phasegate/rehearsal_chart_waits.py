"""Whom gates wait for: days per run as bars, the worst first."""

from __future__ import annotations

from dataclasses import dataclass

from phasegate.rehearsal_chart import GAP, NAMES, NOTES, SIZE, WIDTH, Span, plural, span
from phasegate.rehearsal_view import Bottleneck, Rehearsal
from phasegate.text_width import fit

MOST = 12
"""Bars in one picture; its table has everybody."""

ROW, BAR = 26.0, 12.0
LEVELS = 22.0


@dataclass(frozen=True)
class WaitRow:
    """`all` the days waited; `critical`, of these, those that held a gate up."""

    y: float
    name: str
    all: Span
    critical: Span | None
    note: str
    text: str


@dataclass(frozen=True)
class Level:
    x: float
    label: str


@dataclass(frozen=True)
class WaitsChart:
    height: float
    levels: tuple[Level, ...]
    rows: tuple[WaitRow, ...]
    more: int


def waited_for(found: Rehearsal, kind: str) -> list[Bottleneck]:
    """The people, or the groups, for whom anything waited, in the order of the rehearsal."""
    return [one for one in found.bottlenecks if one.kind == kind and one.days > 0]


def waits_chart(found: Rehearsal, kind: str) -> WaitsChart | None:
    """None where nothing waited for anybody."""
    waits = waited_for(found, kind)
    if not waits:
        return None
    runs = max(found.runs, 1)
    most = max(one.days / runs for one in waits)
    step = _step(most)
    levels = -int(-most // step)
    room = (WIDTH - NAMES - NOTES) / (levels * step)
    shown = waits[:MOST]
    rows = [_row(one, LEVELS + n * ROW, runs, room) for n, one in enumerate(shown)]
    return WaitsChart(
        height=LEVELS + len(rows) * ROW,
        levels=tuple(
            Level(round(NAMES + n * step * room, 2), f"{n * step:g}") for n in range(levels + 1)
        ),
        rows=tuple(rows),
        more=len(waits) - len(shown),
    )


def _step(most: float) -> float:
    """Days, five lines at most: 1, 2 or 5 times a power of ten apart."""
    sizes = (size * 10.0**power for power in range(-4, 7) for size in (1, 2, 5))
    return next(size for size in sizes if most <= size * 5)


def _row(one: Bottleneck, y: float, runs: int, room: float) -> WaitRow:
    whole, critical = one.days / runs, min(one.critical, one.days) / runs
    end = NAMES + whole * room
    return WaitRow(
        y=y,
        name=fit(one.who, NAMES - GAP, SIZE),
        all=span(NAMES, end),
        critical=span(NAMES, NAMES + critical * room) if critical else None,
        note=f"{critical:.1f} of {whole:.1f}",
        text=(
            f"{one.who}: {whole:.1f} days a run waited for, {critical:.1f} of them held a gate up; "
            f"asked {plural(one.asked, 'time')}, late {one.late:,}, silent {one.unanswered:,}"
        ),
    )
