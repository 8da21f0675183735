"""Where everything of a roadmap is drawn: from dates to rows and coordinates, in pixels.

Knows no format. The same roadmap always gives the same chart: today is `as_of`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Literal, TypeVar

from phasegate.forecast_view import GateForecast, MilestoneForecast, PhaseForecast
from phasegate.roadmap import Dependency, Roadmap, RoadmapProduct
from phasegate.roadmap_chart import (
    COMFORTABLE,
    COMPACT,
    GROUP,
    Arrow,
    Bar,
    Chart,
    Density,
    Ghost,
    Heading,
    Mark,
    Row,
)
from phasegate.roadmap_scale import Scale, scale_of
from phasegate.roadmap_words import of_gate, of_milestone, of_phase, slip_words

GroupBy = Literal["owner", "policy", "status"]
T = TypeVar("T")

GATES = {"go": "go", "conditional-go": "conditional", "recycle": "recycle", "hold": "hold"}
GATES |= {"kill": "kill", "abandoned": "abandoned"}
BESIDE = 3
"""Pixels between a label and a gate."""

WORST = ("missed", "at-risk", "planned", "met", "waived")
COMFORTABLE_UP_TO = 20


def lay_out(
    roadmap: Roadmap,
    *,
    width: float = 1200,
    group_by: GroupBy | None = None,
    density: Density | None = None,
    start: datetime | None = None,
    end: datetime | None = None,
) -> Chart:
    """Place every product in a row; `density` by their number if it is not given."""
    scale = scale_of(roadmap, width, start=start, end=end)
    few = len(roadmap.products) <= COMFORTABLE_UP_TO
    density = density or (COMFORTABLE if few else COMPACT)
    headings, rows, y = list[Heading](), list[Row](), 0.0
    for title, products in grouped(roadmap.products, group_by):
        if group_by:
            headings.append(Heading(title, y, len(products)))
            y += GROUP
        for product in products:
            rows.append(_row(product, y, scale, density))
            y += density.row
    return Chart(
        width=width,
        height=y,
        density=density,
        today=scale.x(roadmap.as_of),
        ticks=tuple(scale.ticks()),
        headings=tuple(headings),
        rows=tuple(rows),
        arrows=tuple(_arrows(roadmap, rows, scale, density)),
    )


def grouped(
    products: Sequence[RoadmapProduct], by: GroupBy | None
) -> list[tuple[str, list[RoadmapProduct]]]:
    if by is None:
        return [("", list(products))]
    groups: dict[str, list[RoadmapProduct]] = {}
    for product in products:
        groups.setdefault(str(getattr(product, by)), []).append(product)
    return sorted(groups.items())


def _row(product: RoadmapProduct, y: float, scale: Scale, density: Density) -> Row:
    found = product.forecast
    ghosts = [ghost for phase in found.phases if (ghost := _ghost(phase, scale))]
    gates = [(at, gate) for gate in found.gates if (at := gate.actual or gate.expected)]
    goals = [(at, goal) for goal in found.milestones if (at := place_of(goal))]
    diamonds = tuple(_diamonds(gates, scale, density.diamond * 1.5))
    taken = [mark.x for mark in diamonds]
    bars = [bar for phase in found.phases if (bar := _bar(phase, scale, taken, density.diamond))]
    return Row(
        product=product,
        y=y,
        slip=slip_words(found.slip),
        bars=tuple(bars),
        ghosts=tuple(ghosts),
        diamonds=diamonds,
        dots=tuple(_dots(goals, scale, density.radius * 2.4)),
    )


def place_of(goal: MilestoneForecast) -> datetime | None:
    """Where a milestone is drawn: when it was met, is expected, or was due."""
    return goal.actual or goal.expected or goal.due


def _bar(phase: PhaseForecast, scale: Scale, taken: Sequence[float], diamond: float) -> Bar | None:
    start = phase.start or phase.expected_start
    end = phase.end or phase.expected_end or scale.end
    if start is None or end < scale.start or start > scale.end:
        return None
    x, to = scale.x(start), scale.x(end)
    state = f"{phase.state}-market" if phase.in_market else phase.state
    unknown = phase.end is None and phase.expected_end is None
    until = min([to, *(at for at in taken if at > x + 1)])
    beside = 2 * (diamond + BESIDE)
    room = max(round(until - x - beside, 2), 0.0)
    width = max(round(to - x, 2), 1.5)
    return Bar(x, width, state, phase.title, of_phase(phase), room, beside, unknown)


def _ghost(phase: PhaseForecast, scale: Scale) -> Ghost | None:
    end = phase.end or phase.expected_end
    if not phase.slip or phase.slip < 0 or phase.planned_end is None or end is None:
        return None
    x = scale.x(phase.planned_end)
    width = round(scale.x(end) - x, 2)
    return Ghost(x, width) if width >= 1 else None


def _near(items: list[tuple[datetime, T]], scale: Scale, room: float) -> Iterator[list[T]]:
    """What lies within `room` pixels of the first of its group, in order of time."""
    group, first = list[T](), 0.0
    for at, item in sorted(items, key=lambda pair: pair[0]):
        if not scale.shows(at):
            continue
        x = scale.x(at)
        if group and x - first >= room:
            yield group
            group = []
        if not group:
            first = x
        group.append(item)
    if group:
        yield group


def _diamonds(
    gates: list[tuple[datetime, GateForecast]], scale: Scale, room: float
) -> Iterator[Mark]:
    for group in _near(gates, scale, room):
        last = group[-1]
        state = GATES.get(last.outcome or "", last.state)
        text = "; ".join(f"{gate.title}: {of_gate(gate)}" for gate in group)
        label = last.title if len(group) == 1 else f"{len(group)} gates, last {last.title}"
        at = last.actual or last.expected
        assert at is not None
        yield Mark(scale.x(at), state, label, text, len(group))


def _dots(
    goals: list[tuple[datetime, MilestoneForecast]], scale: Scale, room: float
) -> Iterator[Mark]:
    for group in _near(goals, scale, room):
        state = min((_state(goal) for goal in group), key=WORST.index)
        text = "; ".join(f"{goal.title}: {of_milestone(goal)}" for goal in group)
        places = [scale.x(at) for goal in group if (at := place_of(goal))]
        x = round(sum(places) / len(places), 2)
        late = [scale.x(g.planned) for g in group if g.planned and g.slip and g.slip > 0]
        tail = min(late, default=None)
        label = group[0].title if len(group) == 1 else f"{len(group)} milestones"
        yield Mark(x, state, label, text, len(group), tail if tail and tail < x - 1 else None)


def _state(goal: MilestoneForecast) -> str:
    return "at-risk" if goal.at_risk and goal.state == "planned" else goal.state


def _arrows(
    roadmap: Roadmap, rows: Sequence[Row], scale: Scale, density: Density
) -> Iterator[Arrow]:
    """Dependencies of which both ends are drawn."""
    places = {row.product.key: row for row in rows}
    for wait in roadmap.dependencies:
        row, other = places[wait.product], places.get(wait.on_product)
        goal = next(
            g for g in row.product.forecast.milestones if g.id == wait.milestone and g.waits_for
        )
        at = place_of(goal)
        if other is None or wait.at is None or at is None:
            continue
        if scale.shows(at) and scale.shows(wait.at):
            drawn = density.dot if _is_milestone(other, wait) else density.bar_top + density.bar / 2
            late = not wait.met and goal.due is not None and wait.at > goal.due
            yield Arrow(
                x1=scale.x(wait.at),
                y1=other.y + drawn,
                x2=scale.x(at),
                y2=row.y + density.dot,
                late=late,
                text=f"{row.product.key}/{goal.id} waits for {wait.on_product}/{wait.on}",
                ends=(other.product.key, row.product.key),
            )


def _is_milestone(row: Row, wait: Dependency) -> bool:
    return any(goal.id == wait.on for goal in row.product.forecast.milestones)
