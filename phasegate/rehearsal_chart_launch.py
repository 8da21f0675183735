"""The launch date over all runs, as a histogram with its percentiles."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from phasegate.rehearsal_chart import WIDTH, Axis, plural
from phasegate.rehearsal_view import Rehearsal
from phasegate.roadmap_scale import Scale, Tick
from phasegate.roadmap_words import day

LEFT = 44.0
ASIDE = 130.0
"""Right of the dates: room for the last marker's words, and for the runs that never launch."""

TOP, BASE, HEIGHT = 70.0, 250.0, 274.0
MOST = 40
_STEPS = (1, 2, 7, 14, 28, 56, 91, 182, 365)
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Column:
    """Runs launched from `first` to `last`, both days included; `by` then, in all."""

    x: float
    width: float
    y: float
    height: float
    first: datetime | None
    last: datetime | None
    runs: int
    by: int
    text: str


@dataclass(frozen=True)
class Marker:
    """A percentile: a line down from its words, which stand right of its top."""

    x: float
    y: float
    label: str


@dataclass(frozen=True)
class Level:
    y: float
    label: str


@dataclass(frozen=True)
class LaunchChart:
    """`never` are the runs that do not launch; it stands apart from the dates."""

    columns: tuple[Column, ...]
    never: Column | None
    markers: tuple[Marker, ...]
    levels: tuple[Level, ...]
    ticks: tuple[Tick, ...]
    right: float


def launch_chart(found: Rehearsal) -> LaunchChart | None:
    """None where no run launches, or there is only one: neither is a distribution."""
    dates = sorted(life.launched_at for life in found.lives if life.launched_at)
    if not dates or found.runs < 2:
        return None
    step = _step(dates[-1] - dates[0])
    start = dates[0].astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    counts = [0] * ((dates[-1] - start) // step + 1)
    for at in dates:
        counts[(at - start) // step] += 1
    axis = _axis(start, step, len(counts))
    missing = found.runs - len(dates)
    most = max(*counts, missing)
    columns, by = list[Column](), 0
    for n, runs in enumerate(counts):
        by += runs
        if runs:
            columns.append(_column(axis, start + n * step, step, runs, by, most))
    return LaunchChart(
        columns=tuple(columns),
        never=_never(missing, most, found.until) if missing else None,
        markers=_markers(found, axis),
        levels=_levels(most),
        ticks=axis.ticks(),
        right=axis.right,
    )


def _step(length: timedelta) -> timedelta:
    """Days, weeks, months, quarters or years, as it takes to have at most MOST columns or so."""
    fits = (step * _DAY for step in _STEPS if length <= MOST * step * _DAY)
    return next(fits, _STEPS[-1] * _DAY * (length // (MOST * _STEPS[-1] * _DAY) + 1))


def _axis(start: datetime, step: timedelta, columns: int) -> Axis:
    """Whole columns, with room beside them so that few of them are not as broad as a page."""
    beside = max(12 - columns, 1) * step / 2
    end = start + columns * step + beside
    return Axis(Scale(start - beside, end, WIDTH - LEFT - ASIDE), LEFT)


def _column(axis: Axis, first: datetime, step: timedelta, runs: int, by: int, most: int) -> Column:
    x, until = axis.x(first), first + step
    last = until - _DAY
    height = _height(runs, most)
    days = day(first) if last <= first else f"{day(first)} to {day(last)}"
    return Column(
        x=round(x + 0.5, 2),
        width=round(axis.x(until) - x - 1, 2),
        y=round(BASE - height, 2),
        height=height,
        first=first,
        last=last,
        runs=runs,
        by=by,
        text=f"{days}: {plural(runs, 'run')}",
    )


def _height(runs: int, most: int) -> float:
    return round(max(runs / most * (BASE - TOP), 1.5), 2)


def _never(runs: int, most: int, until: datetime) -> Column:
    height = _height(runs, most)
    text = f"{plural(runs, 'run')} not launched by {day(until)}"
    x = WIDTH - ASIDE + 50
    return Column(x, 50, round(BASE - height, 2), height, None, None, runs, runs, text)


def _markers(found: Rehearsal, axis: Axis) -> tuple[Marker, ...]:
    """Each one's words a line below those of the one before, so that no line crosses words."""
    named = (("P50", found.launch.p50), ("P80", found.launch.p80), ("P95", found.launch.p95))
    return tuple(
        Marker(axis.x(at), 14.0 + 16 * n, f"{name} {day(at)}")
        for n, (name, at) in enumerate(named)
        if at
    )


def _levels(most: int) -> tuple[Level, ...]:
    """Whole runs, four lines at most: 1, 2 or 5 times a power of ten apart."""
    sizes = (size * 10**power for power in range(9) for size in (1, 2, 5))
    step = next(size for size in sizes if most <= size * 4)
    places = range(0, most + 1, step)
    return tuple(Level(round(BASE - n / most * (BASE - TOP), 2), f"{n:,}") for n in places)
