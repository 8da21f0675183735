"""How figures grow with the number of open products, as SVG: both axes by powers of ten."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 640, 380, 64, 190, 44, 48
COLOURS = ("#0b62a4", "#b3472e", "#3d7a35", "#7a4fa3", "#8a6d1a")
STYLE = (
    "text{font:12px system-ui,sans-serif;fill:currentColor}.t{font-size:15px;font-weight:600}"
    "svg{color:#222;background:#fff}.g{stroke:currentColor;stroke-opacity:.15}"
    "@media(prefers-color-scheme:dark){svg{color:#ddd;background:#16181b}}"
)


@dataclass(frozen=True)
class Line:
    name: str
    points: Sequence[tuple[float, float]]
    dashed: bool = False


@dataclass(frozen=True)
class Plot:
    file: str
    title: str
    unit: str
    lines: Sequence[Line]


def plots_of(figures: Mapping[str, Any], reports: Mapping[str, Any]) -> Iterator[Plot]:
    """Every plot that these figures are enough for."""
    yield Plot(
        "reading.svg",
        "Reading, by open products",
        "s",
        [
            _line(figures, "reading", "inbox"),
            _line(figures, "reading", "inbox floor", dashed=True),
            _line(figures, "reading", "list of all"),
            _line(figures, "reading", "list of all floor", dashed=True),
            _line(figures, "roadmap", "seconds", name="roadmap"),
        ],
    )
    yield Plot(
        "memory.svg",
        "Memory of the worker, by open products",
        "MiB",
        [
            _line(figures, "memory", "worker MiB", name="worker"),
            _line(figures, "memory", "bare worker MiB", name="bare worker", dashed=True),
        ],
    )
    yield Plot(
        "restart.svg",
        "Votes after kill -9 of the worker, by open gates",
        "s",
        [
            _line(figures, "restart", "first"),
            _line(figures, "restart", "last of ten"),
            _line(figures, "restart", "first, from the kill"),
        ],
    )
    yield Plot(
        "reports.svg",
        "Reports, by products in the ledger",
        "s",
        [
            _line(reports, "reports", "portfolio"),
            _line(reports, "reports", "slo"),
            _line(reports, "reports", "floor", name="reading the rows", dashed=True),
        ],
    )


def _line(
    figures: Mapping[str, Any], group: str, figure: str, *, name: str = "", dashed: bool = False
) -> Line:
    points = []
    for key, found in figures.items():
        size, _, rest = key.partition(" ")
        if rest == group and figure in found:
            value = found[figure]
            points.append((float(size), value["median"] if isinstance(value, dict) else value))
    return Line(name or figure, sorted(point for point in points if point[1] > 0), dashed)


def draw(found: Mapping[str, Mapping[str, Any]], folder: Path) -> list[Path]:
    """Write every plot that has at least two sizes; their files."""
    figures, reports = (found.get(p, {}).get("figures", {}) for p in ("portfolio", "reports"))
    drawn = []
    for plot in plots_of(figures, reports):
        lines = [line for line in plot.lines if len(line.points) > 1]
        if lines:
            path = folder / plot.file
            path.write_text(svg(Plot(plot.file, plot.title, plot.unit, lines)), encoding="utf-8")
            drawn.append(path)
    return drawn


def svg(plot: Plot) -> str:
    """The picture. Each line is named at its end."""
    xs = [x for line in plot.lines for x, _ in line.points]
    ys = [y for line in plot.lines for _, y in line.points]
    across = _scale(xs, LEFT, WIDTH - RIGHT)
    up = _scale(ys, HEIGHT - BOTTOM, TOP)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-label="{escape(plot.title)}"><style>{STYLE}</style>',
        f'<text class="t" x="{LEFT}" y="22">{escape(plot.title)}</text>',
    ]
    for tick in _powers(ys):
        y = up(tick)
        parts.append(f'<path class="g" d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{tick:g}</text>')
    for tick in sorted(set(xs)):
        x = across(tick)
        parts.append(f'<path class="g" d="M{x:.1f} {TOP}V{HEIGHT - BOTTOM}"/>')
        label = f'<text x="{x:.1f}" y="{HEIGHT - BOTTOM + 20}" text-anchor="middle">'
        parts.append(f"{label}{tick:,.0f}</text>")
    parts.append(f'<text x="{LEFT - 8}" y="{TOP - 8}" text-anchor="end">{plot.unit}</text>')
    ends = _apart([up(line.points[-1][1]) for line in plot.lines])
    for number, line in enumerate(plot.lines):
        colour, dash = COLOURS[number % len(COLOURS)], ' stroke-dasharray="5 4"'
        path = " ".join(f"{across(x):.1f},{up(y):.1f}" for x, y in line.points)
        parts.append(
            f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"'
            f"{dash if line.dashed else ''}/>"
        )
        parts += [
            f'<circle cx="{across(x):.1f}" cy="{up(y):.1f}" r="3" fill="{colour}"/>'
            for x, y in line.points
        ]
        said = f"{line.name}: {line.points[-1][1]:.3g} {plot.unit}"
        parts.append(
            f'<text x="{WIDTH - RIGHT + 10}" y="{ends[number] + 4:.1f}" style="fill:{colour}">'
            f"{escape(said)}</text>"
        )
    return "\n".join([*parts, "</svg>\n"])


def _powers(values: Sequence[float]) -> list[float]:
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    return [10.0**power for power in range(low, max(high, low + 1) + 1)]


class _scale:
    def __init__(self, values: Sequence[float], start: float, end: float) -> None:
        ticks = _powers(values)
        self._low, self._high = math.log10(ticks[0]), math.log10(ticks[-1])
        self._start, self._end = start, end

    def __call__(self, value: float) -> float:
        share = (math.log10(value) - self._low) / (self._high - self._low)
        return self._start + share * (self._end - self._start)


def _apart(places: Sequence[float], gap: float = 16) -> list[float]:
    """The same places, moved so that no two labels overlap."""
    moved, last = [0.0] * len(places), -math.inf
    for index in sorted(range(len(places)), key=lambda index: places[index]):
        last = max(places[index], last + gap)
        moved[index] = last
    return moved
