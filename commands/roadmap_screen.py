"""A roadmap on a terminal, or as plain lines in a pipe."""

from __future__ import annotations

import sys
from datetime import datetime

from commands.output import cell, note
from phasegate.roadmap import Roadmap
from phasegate.roadmap_layout import GroupBy
from phasegate.roadmap_text import LEGEND, lines

PIPED = 100
"""Columns in a pipe, where nobody's terminal says how wide it is; keys are whole there."""

NAMES = 24


def print_lines(
    roadmap: Roadmap, group_by: GroupBy | None, start: datetime | None, end: datetime | None
) -> None:
    """The chart on stdout, what its signs mean on stderr."""
    if not sys.stdout.isatty():
        for line in lines(roadmap, columns=PIPED, group_by=group_by, start=start, end=end):
            print("".join(cell_text(piece.text) for piece in line).rstrip())
        return
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False)
    drawn = lines(
        roadmap,
        columns=console.width,
        names=NAMES,
        group_by=group_by,
        start=start,
        end=end,
    )
    for line in drawn:
        text = Text(no_wrap=True, overflow="crop")
        for piece in line:
            text.append(cell_text(piece.text), piece.style)
        console.print(text)
    for signs in LEGEND:
        note(signs)


def cell_text(text: str) -> str:
    """Nothing in it steers a terminal; blanks stay, since columns are made of them."""
    return text if text.isprintable() else cell(text)
