"""A roadmap in the characters of a terminal: a line for each product."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from phasegate.roadmap import Roadmap, RoadmapProduct
from phasegate.roadmap_layout import GATES, GroupBy, grouped
from phasegate.roadmap_scale import Scale, scale_of
from phasegate.roadmap_words import day

BARS = {"done": "─", "current": "█", "ahead": "░"}
MARKS = {
    "go": "◆",
    "conditional": "◆",
    "recycle": "↺",
    "hold": "‖",
    "kill": "✗",
    "abandoned": "×",
    "open": "◈",
    "expected": "◇",
}
STYLES = {
    "done": "dim",
    "current": "blue",
    "ahead": "cyan",
    "market": "green",
    "go": "bold green",
    "conditional": "bold yellow",
    "recycle": "bold yellow",
    "hold": "bold yellow",
    "kill": "bold red",
    "open": "bold magenta",
    "missed": "bold red",
    "today": "red",
    "late": "yellow",
    "heading": "bold",
}
LEGEND = (
    "─ over  █ now  ░ to come  ! missed milestone  ▼ today",
    "◆ gate passed  ↺ recycled  ‖ held  ✗ killed  ◈ open  ◇ expected",
)
DATES = 10 + 2 + 7
"""Columns of the next gate's day and the slip."""


@dataclass(frozen=True)
class Piece:
    text: str
    style: str = ""


Line = tuple[Piece, ...]


def lines(
    roadmap: Roadmap,
    *,
    columns: int,
    names: int | None = None,
    group_by: GroupBy | None = None,
    start: datetime | None = None,
    end: datetime | None = None,
) -> list[Line]:
    """The chart, `columns` wide at least 60; names are cut at `names`, if that is given.

    Each line: the key, the course, the day the next gate is expected, the days it is late.
    """
    longest = max((len(product.key) for product in roadmap.products), default=0)
    wide = max(min(longest, names or longest), len("product"))
    chart = max(columns - wide - DATES - 4, 20)
    scale = scale_of(roadmap, chart, start=start, end=end)
    today = _column(scale, roadmap.as_of)
    found = [_axis(scale, wide, chart), (Piece(" " * (wide + 2 + today) + "▼", STYLES["today"]),)]
    for title, products in grouped(roadmap.products, group_by):
        if group_by:
            found.append((Piece(f"{title} ({len(products)})", STYLES["heading"]),))
        found += [_line(product, scale, wide, today) for product in products]
    return found


def _column(scale: Scale, at: datetime) -> int:
    return min(int(scale.x(at)), int(scale.width) - 1)


def _axis(scale: Scale, wide: int, chart: int) -> Line:
    cells = [" "] * chart
    free = 0
    for tick in scale.ticks(room=9):
        at = int(tick.x)
        if at >= free and at + len(tick.label) <= chart:
            cells[at : at + len(tick.label)] = tick.label
            free = at + len(tick.label) + 1
    return (Piece(f"{'PRODUCT':<{wide}}  {''.join(cells)}  {'NEXT GATE':<10}  SLIP"),)


def _line(product: RoadmapProduct, scale: Scale, wide: int, today: int) -> Line:
    found = product.forecast
    name = product.key if len(product.key) <= wide else product.key[: wide - 1] + "…"
    pieces = [Piece(f"{name:<{wide}}"), Piece("  "), *_pieces(_cells(product, scale, today))]
    late = f"+{found.slip} d" if found.slip else ""
    ended = product.status if product.ended_at else ""
    when = day(found.next_gate_expected) or ended
    return (*pieces, Piece(f"  {when:<10}  "), Piece(late, STYLES["late"]))


def _cells(product: RoadmapProduct, scale: Scale, today: int) -> list[tuple[str, str]]:
    cells = [(" ", "")] * int(scale.width)
    cells[today] = ("│", STYLES["today"])
    for phase in product.forecast.phases:
        start = phase.start or phase.expected_start
        end = phase.end or phase.expected_end or scale.end
        if start is None or end < scale.start or start > scale.end:
            continue
        style = STYLES["market" if phase.in_market and phase.state != "done" else phase.state]
        for column in range(_column(scale, start), _column(scale, end) + 1):
            cells[column] = (BARS[phase.state], style)
    for goal in product.forecast.milestones:
        if goal.state == "missed" and goal.expected and scale.shows(goal.expected):
            cells[_column(scale, goal.expected)] = ("!", STYLES["missed"])
    for gate in product.forecast.gates:
        at = gate.actual or gate.expected
        if at and scale.shows(at):
            state = GATES.get(gate.outcome or "", gate.state)
            cells[_column(scale, at)] = (MARKS[state], STYLES.get(state, ""))
    return cells


def _pieces(cells: list[tuple[str, str]]) -> list[Piece]:
    """Cells of one style beside each other as one piece."""
    found: list[Piece] = []
    for char, style in cells:
        if found and found[-1].style == style:
            found[-1] = Piece(found[-1].text + char, style)
        else:
            found.append(Piece(char, style))
    return found
