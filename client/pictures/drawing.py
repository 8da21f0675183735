"""Roadmaps as a page of HTML and as SVG: the laid-out chart in the words of a format."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from client.pictures.theme import DARK, LIGHT
from phasegate.roadmap import Roadmap
from phasegate.roadmap_chart import Arrow, Bar, Chart, Density
from phasegate.roadmap_words import day, of_gate, of_milestone, of_phase, slip_words
from phasegate.text_width import fit

_NO_TEXT = re.compile(
    r"[^\t\n\r\x20-\u2029\u202f-\u2065\u206a-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
)
"""What XML 1.0 has no place for (section 2.2), escaped or not; and what would turn round the text
that follows (Unicode Standard Annex 9, explicit directional formatting characters)."""

LETTERS = {
    "go": "G",
    "conditional": "C",
    "recycle": "R",
    "hold": "H",
    "kill": "K",
    "abandoned": "A",
    "open": "?",
    "expected": "",
}
ZOOMS = (1, 2, 4)
"""How many times wider the page can show its chart."""

NAMES = 230.0
"""Pixels for the names of products, left of an SVG."""


@dataclass(frozen=True)
class Picture:
    """How x is written: in percent where the page can be zoomed, else in pixels from `left`."""

    chart: Chart
    fluid: bool
    left: float = 0
    top: float = 0

    @property
    def label(self) -> float:
        return 12 if self.chart.density.row > 40 else 9.5

    @property
    def full(self) -> str:
        return "100%" if self.fluid else f"{self.left + self.chart.width:g}"

    def labels(self, bar: Bar) -> list[tuple[str, str]]:
        """What of a bar's label fits, and the classes that show it: zoomed, there is more room."""
        beside = bar.beside
        found: dict[str, str] = {}
        for zoom in ZOOMS if self.fluid else ZOOMS[:1]:
            room = (bar.room + beside) * zoom - beside if bar.room else 0
            label = fit(bar.label, room, self.label)
            found[label] = found.get(label, "") + f" z{zoom}"
        everywhere = len(found) == 1
        return [("" if everywhere else z, label) for label, z in found.items() if label]

    def x(self, x: float) -> str:
        return f"{x / self.chart.width * 100:.3f}%" if self.fluid else f"{self.left + x:.2f}"

    def w(self, width: float) -> str:
        return f"{width / self.chart.width * 100:.3f}%" if self.fluid else f"{width:.2f}"


def curve(arrow: Arrow, left: float = 0, top: float = 0) -> str:
    """From what is waited for, down or up to what waits."""
    x1, x2, y1, y2 = arrow.x1 + left, arrow.x2 + left, arrow.y1 + top, arrow.y2 + top
    bend = (y2 - y1) * 0.5
    return f"M{x1:g} {y1:g}C{x1:g} {y1 + bend:g} {x2:g} {y2 - bend:g} {x2:g} {y2:g}"


def head(arrow: Arrow, density: Density) -> str:
    """The point of an arrow, just outside of the mark it leads to."""
    side = -1 if arrow.y1 < arrow.y2 else 1
    tip = side * (density.radius + 1)
    return f"M0 {tip:g}L-3.5 {tip + side * 6:g}L3.5 {tip + side * 6:g}Z"


def _clean(value: Any) -> Any:
    """Names are anybody's: nothing in them may break a document."""
    return _NO_TEXT.sub("\N{REPLACEMENT CHARACTER}", value) if type(value) is str else value


@cache
def environment() -> Environment:
    """Templates in which whatever anybody wrote is escaped."""
    found = Environment(
        loader=PackageLoader("client.pictures"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_clean,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.globals.update(
        fit=fit,
        letters=LETTERS,
        zooms=ZOOMS,
        curve=curve,
        head=head,
        day=day,
        of_phase=of_phase,
        of_gate=of_gate,
        of_milestone=of_milestone,
        slip_words=slip_words,
    )
    return found


def _variable(name: str) -> str:
    return f"var(--{name})"


def _literal(colours: Mapping[str, str]) -> Callable[[str], str]:
    return colours.__getitem__


def html(roadmap: Roadmap, chart: Chart, *, title: str = "Roadmap") -> str:
    """One self-contained page: nothing is loaded from anywhere, and no script is needed."""
    script = _source("script.js")
    digest = b64encode(sha256(script.encode()).digest()).decode()
    return environment().get_template("roadmap.html.jinja").render(
        roadmap=roadmap,
        chart=chart,
        pic=Picture(chart, fluid=True),
        title=title,
        light=LIGHT,
        dark=DARK,
        c=_variable,
        tab=Markup('tabindex="0"'),  # a constant
        script=Markup(script),  # noqa: S704  # ours
        script_digest=digest,
    )  # fmt: skip


def svg(
    roadmap: Roadmap, chart: Chart, *, title: str = "Roadmap", colours: Mapping[str, str] = LIGHT
) -> str:
    """A picture for slides, with names and a legend; its colours are fixed."""
    return environment().get_template("roadmap.svg.jinja").render(
        roadmap=roadmap,
        chart=chart,
        pic=Picture(chart, fluid=False, left=NAMES, top=62),
        title=title,
        c=_literal(colours),
        names=NAMES,
        tab="",
    )  # fmt: skip


def _source(name: str) -> str:
    loader = environment().loader
    assert loader is not None
    return loader.get_source(environment(), name)[0]
