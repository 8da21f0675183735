"""A roadmap as Mermaid `gantt` text (https://mermaid.js.org/syntax/gantt.html).

Mermaid knows no way to quote a name: `:` ends it, `,` separates what follows, `#` and `%` begin a
comment, `;` ends a line. Names are therefore written with characters that look alike.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from phasegate.forecast_view import GateForecast, MilestoneForecast, PhaseForecast
from phasegate.roadmap import Roadmap, RoadmapProduct
from phasegate.roadmap_layout import place_of
from phasegate.roadmap_scale import Scale, scale_of
from phasegate.roadmap_words import OUTCOMES

LOOK_ALIKE = str.maketrans(
    {
        ":": "\N{RATIO}",
        ",": "\N{SINGLE LOW-9 QUOTATION MARK}",
        ";": "\N{REVERSED SEMICOLON}",
        "#": "\N{MUSIC SHARP SIGN}",
        "%": "\N{FULLWIDTH PERCENT SIGN}",
        "<": "\N{SINGLE LEFT-POINTING ANGLE QUOTATION MARK}",
        ">": "\N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK}",
        '"': "\N{RIGHT DOUBLE QUOTATION MARK}",
        "\\": "\N{FULLWIDTH REVERSE SOLIDUS}",
    }
)
LONGEST = 80


def safe(name: str) -> str:
    """A name that Mermaid takes: one line, nothing that it reads as syntax, 80 characters."""
    text = "".join(char if char.isprintable() else " " for char in name)
    text = " ".join(text.translate(LOOK_ALIKE).split())
    return text if len(text) <= LONGEST else text[: LONGEST - 1].rstrip() + "…"


def mermaid(
    roadmap: Roadmap,
    *,
    title: str = "Roadmap",
    start: datetime | None = None,
    end: datetime | None = None,
) -> str:
    """The Gantt chart as text: a section for each product, bars for phases, milestones for gates
    and milestones. `crit` marks what is late. `start` and `end` cut it."""
    scale = scale_of(roadmap, 1, start=start, end=end)
    lines = [
        "gantt",
        f"    title {safe(title)} as of {_day(roadmap.as_of)}",
        "    dateFormat YYYY-MM-DD",
        "    axisFormat %Y-%m",
    ]
    for product in roadmap.products:
        lines.append(f"    section {safe(product.name) or product.key}")
        lines += [f"    {line}" for line in _product(product, scale)]
    return "\n".join(lines) + "\n"


def _product(product: RoadmapProduct, scale: Scale) -> Iterator[str]:
    found = product.forecast
    for phase in found.phases:
        yield from _phase(phase, scale)
    for gate in found.gates:
        yield from _gate(gate, scale)
    for goal in found.milestones:
        yield from _milestone(goal, scale)


def _phase(phase: PhaseForecast, scale: Scale) -> Iterator[str]:
    start = phase.start or phase.expected_start
    end = phase.end or phase.expected_end or scale.end
    if start is None or end < scale.start or start > scale.end:
        return
    start, end = max(start, scale.start), min(end, scale.end)
    tags = {"done": ["done"], "current": ["active"], "ahead": []}[phase.state]
    if phase.state != "done" and phase.slip:
        tags.append("crit")
    days = max((end.date() - start.date()) / timedelta(days=1), 1)
    yield _task(f"Phase {phase.title}", [*tags, _day(start), f"{days:.0f}d"])


def _gate(gate: GateForecast, scale: Scale) -> Iterator[str]:
    at = gate.actual or gate.expected
    if at is None or not scale.shows(at):
        return
    came = OUTCOMES.get(gate.outcome or "", "")
    tags = ["milestone", *(["done"] if gate.state == "decided" else [])]
    if gate.slip and gate.slip > 0 and gate.state != "decided":
        tags.append("crit")
    yield _task(f"Gate {gate.title}" + (f" ({came})" if came else ""), [*tags, _day(at), "0d"])


def _milestone(goal: MilestoneForecast, scale: Scale) -> Iterator[str]:
    at = place_of(goal)
    if at is None or not scale.shows(at):
        return
    tags = ["milestone", *(["done"] if goal.state in ("met", "waived") else [])]
    if goal.at_risk:
        tags.append("crit")
    yield _task(f"Milestone {goal.title}", [*tags, _day(at), "0d"])


def _task(name: str, fields: list[str]) -> str:
    return f"{safe(name)} :{', '.join(fields)}"


def _day(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%d")
