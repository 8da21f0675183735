"""When each gate decides over all runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from phasegate.rehearsal_chart import (
    AXIS,
    GAP,
    NAMES,
    NOTES,
    SIZE,
    Axis,
    Span,
    axis_over,
    percent,
    plural,
    span,
)
from phasegate.rehearsal_sums import PASSES
from phasegate.rehearsal_view import DateSpread, GateRehearsed, Rehearsal
from phasegate.roadmap_scale import Tick
from phasegate.roadmap_words import day
from phasegate.text_width import fit

ROW, BAND = 34.0, 10.0
BOLD = SIZE * 1.15
"""Letters that stand out are as broad as some of this size."""


@dataclass(frozen=True)
class Band:
    """From the first run to the last (`whole`), P50 to P80 and P80 to P95, and P50 itself. Where
    too few runs came to it, `open`: what is after the last known percentile (`late`) reaches the
    edge, for the rest is later than every date."""

    y: float
    whole: Span
    middle: float | None
    likely: Span | None
    late: Span | None
    open: bool


@dataclass(frozen=True)
class GateRow:
    """`passed` only where that comes later than the first decision."""

    gate: GateRehearsed
    y: float
    name: str
    decided: Band | None
    passed: Band | None
    note: str
    text: str


@dataclass(frozen=True)
class GatesChart:
    height: float
    right: float
    ticks: tuple[Tick, ...]
    rows: tuple[GateRow, ...]


def gates_chart(found: Rehearsal, gates: Sequence[GateRehearsed]) -> GatesChart | None:
    """Of these gates, a row each; None where no run came to any of them."""
    came = {gate.gate: _came(found, gate) for gate in gates}
    instants = [at for pair in came.values() for dates in pair for at in dates]
    instants += [at for gate in gates for at in (gate.opened.p50,) if at]
    if not instants:
        return None
    axis = axis_over(instants)
    rows = [
        _row(gate, AXIS + n * ROW, axis, came[gate.gate], found.runs)
        for n, gate in enumerate(gates)
    ]
    return GatesChart(AXIS + len(rows) * ROW, axis.right, axis.ticks(), tuple(rows))


def _came(found: Rehearsal, gate: GateRehearsed) -> tuple[list[datetime], list[datetime]]:
    """When its first round decided, and when it first passed, in each run that came to it."""
    decided, passed = list[datetime](), list[datetime]()
    for life in found.lives:
        rounds = [one for one in life.rounds if one.gate == gate.gate]
        if rounds and rounds[0].decided_at:
            decided.append(rounds[0].decided_at)
        through = (one.decided_at for one in rounds if one.decided_at and one.outcome in PASSES)
        passed += [at for at in (next(through, None),) if at]
    return sorted(decided), sorted(passed)


def _row(
    gate: GateRehearsed,
    y: float,
    axis: Axis,
    came: tuple[list[datetime], list[datetime]],
    runs: int,
) -> GateRow:
    decided, passed = came
    later = gate.passed != gate.decided and gate.passed.n > 0
    top = y + (ROW - BAND) / 2 - (BAND / 2 + 1 if later else 0)
    return GateRow(
        gate=gate,
        y=y,
        name=fit(gate.title, NAMES - GAP, SIZE),
        decided=_band(gate.decided, decided, top, axis) or _undecided(gate, top, axis),
        passed=_band(gate.passed, passed, top + BAND + 2, axis) if later else None,
        note=fit(_note(gate, runs), NOTES - GAP, BOLD if gate.stuck else SIZE),
        text=f"{gate.title}: {_words(gate)}",
    )


def _band(spread: DateSpread, came: Sequence[datetime], y: float, axis: Axis) -> Band | None:
    if not came:
        return None
    x50, x80, x95 = (axis.x(at) if at else None for at in (spread.p50, spread.p80, spread.p95))
    unsure = spread.p95 is None
    last = axis.right if unsure else axis.x(came[-1])
    whole = span(axis.x(came[0]), last, edge=axis.right)
    known = x50 if x80 is None else x80
    likely = None if x50 is None or x80 is None else span(x50, x80, edge=axis.right)
    late = span(known, axis.right if x95 is None else x95, edge=axis.right) if known else None
    return Band(round(y, 2), whole, x50, likely, late, unsure)


def _undecided(gate: GateRehearsed, y: float, axis: Axis) -> Band | None:
    """Of a gate that was opened and that no run decided."""
    at = gate.opened.p50
    if at is None:
        return None
    return Band(round(y, 2), span(axis.x(at), axis.right, edge=axis.right), None, None, None, True)


def _note(gate: GateRehearsed, runs: int) -> str:
    """Shares of all runs, as where they get stuck is told."""
    if not gate.runs:
        return "not reached"
    undecided = gate.runs - gate.decided.n
    for word, n in (("stuck", gate.stuck), ("open", undecided)):
        if n:
            return f"{word} {percent(n, runs)}"
    return f"reached {percent(gate.runs, runs)}" if gate.runs < runs else ""


def _words(gate: GateRehearsed) -> str:
    if not gate.runs:
        return "no run came to it"
    dates = gate.decided
    named = (("P50", dates.p50), ("P80", dates.p80), ("P95", dates.p95))
    said = ", ".join(f"{name} {day(at)}" for name, at in named if at)
    where = [
        plural(gate.runs, "run") + " came to it",
        f"first decision {said}" if said else "",
        f"{plural(gate.stuck, 'run')} stuck" if gate.stuck else "",
    ]
    return "; ".join(filter(None, where))
