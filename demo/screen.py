"""What the demo shows: a scrolling story, one live line per product, and the table at the end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from demo.inputs import Inputs
from demo.timeline import Timeline
from demo.wording import Line, words
from phasegate.events import Announcement
from phasegate.views import GateView

PIPED_WIDTH = 140
"""Lines of a file are as long as they need to be, within reason."""

OUTCOMES = {
    "go": "bold green",
    "conditional-go": "bold yellow",
    "recycle": "bold magenta",
    "hold": "bold blue",
    "kill": "bold red",
}


COLOURS = ("blue", "magenta")


@dataclass
class Track:
    """One product's live line."""

    name: str
    timeline: Timeline
    colour: str
    now: str = "starting"


class Screen:
    """Rich on a terminal, plain lines elsewhere."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(highlight=False)
        if not self.console.is_terminal:
            self.console.width = PIPED_WIDTH
        self._tracks: dict[str, Track] = {}
        self._footer = ""

    def say(self, text: str, style: str = "") -> None:
        self.console.print(Text(text, style=style), soft_wrap=True)

    def footer(self, text: str) -> None:
        """A line to keep in sight below the live ones."""
        self._footer = text

    def follow(self, inputs: Inputs) -> None:
        """Give a product its live line."""
        colour = COLOURS[len(self._tracks) % len(COLOURS)]
        name = short(inputs.product.name)
        self._tracks[inputs.product.key] = Track(name, inputs.timeline, colour)

    @contextmanager
    def live(self) -> Iterator[None]:
        """Show the live lines until the block ends (on a terminal only)."""
        if not self.console.is_terminal:
            yield
            return
        with Live(
            get_renderable=self._lines,
            console=self.console,
            refresh_per_second=8,
            transient=True,
        ):
            yield

    def tell(self, inputs: Inputs, event: Announcement) -> None:
        """One line of the story, dated as it really was."""
        track = self._tracks[event.product]
        line = words(event, inputs)
        if line is None:
            return
        if line.now:
            track.now = line.now
        self.console.print(_story(track, line, event.at), soft_wrap=True)

    def _lines(self) -> RenderableType:
        table = Table.grid(padding=(0, 2))
        for track in self._tracks.values():
            timeline = track.timeline
            now = min(timeline.real(datetime.now(UTC)), timeline.ends)
            seconds = (timeline.played(now) - timeline.curtain).total_seconds()
            table.add_row(
                Text(track.name, style=f"bold {track.colour}"),
                Text(f"{now:%Y-%m-%d}", style="cyan"),
                ProgressBar(timeline.seconds, max(seconds, 0), width=20),
                Text(track.now, overflow="ellipsis", no_wrap=True),
            )
        return Group("", table, Text(self._footer, style="dim"))

    def gates(self, rounds: list[tuple[Inputs, GateView]]) -> None:
        """The table of every gate."""
        table = Table(title="Every gate, read back from the ledger", title_justify="left")
        for heading in ("product", "gate", "round", "who, what, when", "outcome", "decided"):
            table.add_column(heading, overflow="fold")
        for inputs, view in rounds:
            timeline = inputs.timeline
            table.add_row(
                short(inputs.product.name),
                view.gate,
                str(view.round),
                _said(view, timeline),
                Text(view.outcome or "abandoned", style=OUTCOMES.get(view.outcome or "", "red")),
                _day(timeline, view.decided_at) if view.decided_at else "",
                end_section=True,
            )
        self.console.print(table)


def short(name: str) -> str:
    """A product's name without what follows a colon."""
    return name.partition(":")[0]


def _said(view: GateView, timeline: Timeline) -> Text:
    """Votes and refused attempts of a round, in the order they came."""
    lines: list[tuple[datetime, str, str]] = []
    for vote in view.votes:
        changed = "" if vote.state == "standing" else f" ({vote.state})"
        by = ", by signal" if vote.channel == "signal" else ""
        lines.append((vote.at, f"{vote.approver}  {vote.vote}{changed}{by}", ""))
    for refusal in view.refused:
        what = "signal refused" if refusal.channel == "signal" else "refused"
        lines.append((refusal.at, f"{refusal.actor}  {what}", "red"))
    return Text("\n").join(
        Text(f"{_day(timeline, when)}  {what}", style=style) for when, what, style in sorted(lines)
    )


def _story(track: Track, line: Line, played: datetime) -> Text:
    day, name = _day(track.timeline, played), f"{track.name:<10}"
    text = Text.assemble((day, "cyan"), "  ", (name, f"bold {track.colour}"), "  ")
    return text.append(line.text, style=line.style)


def _day(timeline: Timeline, played: datetime) -> str:
    return f"{timeline.real(played):%Y-%m-%d}"
