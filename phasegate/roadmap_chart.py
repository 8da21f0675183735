"""A roadmap that is laid out: rows, bars and marks with coordinates in pixels."""

from __future__ import annotations

from dataclasses import dataclass

from phasegate.roadmap import RoadmapProduct
from phasegate.roadmap_scale import Tick


@dataclass(frozen=True)
class Density:
    """Heights within a row, and the size of marks."""

    name: str
    row: float
    bar_top: float
    bar: float
    ghost_top: float
    ghost: float
    dot: float
    radius: float
    diamond: float


COMFORTABLE = Density("comfortable", 52, 8, 20, 30, 4, 42, 5, 9)
COMPACT = Density("compact", 32, 4, 14, 19, 3, 26, 4, 7)
GROUP = 30.0


@dataclass(frozen=True)
class Bar:
    """A stay in a phase. `open` bars have no end that anybody knows. `room` is what a label has
    `beside` the gates that stand on the bar, which take the rest."""

    x: float
    width: float
    state: str
    label: str
    text: str
    room: float
    beside: float
    open: bool = False


@dataclass(frozen=True)
class Ghost:
    """What a slip costs: from where something was planned to where it is expected or came."""

    x: float
    width: float


@dataclass(frozen=True)
class Mark:
    """Gates (diamonds) or milestones (dots) at one place; several if they are too near."""

    x: float
    state: str
    label: str
    text: str
    count: int = 1
    tail: float | None = None


@dataclass(frozen=True)
class Row:
    product: RoadmapProduct
    y: float
    slip: str
    bars: tuple[Bar, ...]
    ghosts: tuple[Ghost, ...]
    diamonds: tuple[Mark, ...]
    dots: tuple[Mark, ...]


@dataclass(frozen=True)
class Heading:
    title: str
    y: float
    count: int


@dataclass(frozen=True)
class Arrow:
    """From what is waited for to what waits. `late`: it comes after the other is due."""

    x1: float
    y1: float
    x2: float
    y2: float
    late: bool
    text: str
    ends: tuple[str, str]


@dataclass(frozen=True)
class Chart:
    width: float
    height: float
    density: Density
    today: float
    ticks: tuple[Tick, ...]
    headings: tuple[Heading, ...]
    rows: tuple[Row, ...]
    arrows: tuple[Arrow, ...]
