"""`phasegate roadmap`: the courses of products beside one another, and what is expected."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from commands.options import Key, Output

if TYPE_CHECKING:
    from datetime import datetime

    from phasegate.roadmap import Roadmap
    from phasegate.roadmap_chart import Chart


@dataclass(frozen=True)
class Look:
    """How it is drawn."""

    group_by: Literal["owner", "policy", "status"] | None
    density: Literal["comfortable", "compact"] | None
    start: datetime | None
    end: datetime | None
    title: str


async def roadmap(
    *keys: Key,
    status: Annotated[str | None, Parameter(help="Only products of this status")] = None,
    owner: Annotated[str | None, Parameter(help="Only products of this owner")] = None,
    policy: Annotated[str | None, Parameter(help="Only products under this policy")] = None,
    everything: Annotated[
        bool, Parameter(name="--all", negative=(), help="Also those that have ended")
    ] = False,
    as_of: Annotated[
        str | None, Parameter(help="A day to come: what will be late if nothing is met by then")
    ] = None,
    start: Annotated[str | None, Parameter(name="--from", help="Draw from this day on")] = None,
    end: Annotated[str | None, Parameter(name="--until", help="Draw up to this day")] = None,
    group_by: Annotated[
        Literal["owner", "policy", "status"] | None, Parameter(help="Products under headings")
    ] = None,
    density: Annotated[
        Literal["comfortable", "compact"] | None,
        Parameter(help="Of rows; by the number of products if unset"),
    ] = None,
    title: Annotated[str, Parameter(help="Above the picture")] = "Roadmap",
    html: Annotated[str | None, Parameter(help="One page of HTML that needs nothing else")] = None,
    svg: Annotated[str | None, Parameter(help="A picture for slides")] = None,
    png: Annotated[str | None, Parameter(help="A picture for slides, as pixels")] = None,
    mermaid: Annotated[
        bool, Parameter(negative=(), help="Print a Mermaid gantt instead, for Markdown")
    ] = False,
    output: Output = "table",
) -> None:
    """Phases, gates and milestones of products over time: as they were, are, and are expected.

    A Gantt chart in the terminal; everything there is with -o json; files with --html, --svg and
    --png. Running products, unless keys, --status or --all say otherwise.
    """
    from datetime import UTC, datetime

    from client.engine import Engine
    from client.roadmaps import Wanted, gather
    from commands.output import note
    from commands.parsing import key_of
    from commands.progress import working
    from commands.times import ahead_of, instant_of

    now = datetime.now(UTC)
    seen = ahead_of(as_of, "--as-of", now) if as_of else now
    look = Look(
        group_by,
        density,
        instant_of(start, "--from", day="starts") if start else None,
        instant_of(end, "--until") if end else None,
        title,
    )
    _in_order(look)
    wanted = Wanted(tuple(map(key_of, keys)), status, owner, policy, everything)
    engine = await Engine.connect()
    with working("reading products") as progress:
        found = await gather(engine, wanted, seen, progress)
    for missing in found.missing:
        note(f"left out: {missing.key}, {missing.why}")
    files = {"--html": html, "--svg": svg, "--png": png}
    if any(files.values()):
        with working("drawing"):
            written = _draw(found, look, files)
        for file in written:
            note(f"wrote {file}")
        if output == "table":
            return
    if mermaid:
        from phasegate.mermaid import mermaid as text_of

        print(text_of(found, title=title, start=look.start, end=look.end), end="")
        return
    _print(found, look, output)


def _in_order(look: Look) -> None:
    from client.usage import UsageError

    if look.start and look.end and look.start >= look.end:
        what = "--from and --until leave nothing to draw"
        raise UsageError(
            what, "--from has to be the earlier day", "--from 2027-01-01 --until 2028-01-01"
        )


def _print(found: Roadmap, look: Look, output: Output) -> None:
    from commands.output import emit, note
    from commands.roadmap_screen import print_lines

    if output == "jsonl":
        emit(found.products, list, output)
    elif output != "table":
        emit(found, list, output)
    elif found.products:
        print_lines(found, look.group_by, look.start, look.end)
    if not found.products:
        note("no products; start one with: phasegate product start FILE")


def _draw(found: Roadmap, look: Look, files: dict[str, str | None]) -> list[str]:
    """Draw what is asked for; the files that were written. Raises UsageError."""
    from client.pictures import drawing
    from client.pictures.png import png
    from phasegate.roadmap_chart import COMFORTABLE, COMPACT
    from phasegate.roadmap_layout import lay_out

    density = {"comfortable": COMFORTABLE, "compact": COMPACT, None: None}[look.density]
    chart: Chart = lay_out(
        found, group_by=look.group_by, density=density, start=look.start, end=look.end
    )
    kinds: dict[str, Callable[[], bytes]] = {
        "--html": lambda: drawing.html(found, chart, title=look.title).encode(),
        "--svg": lambda: drawing.svg(found, chart, title=look.title).encode(),
        "--png": lambda: png(drawing.svg(found, chart, title=look.title)),
    }
    written = []
    for option, file in files.items():
        if file:
            _write(option, file, kinds[option]())
            written.append(file)
    return written


def _write(option: str, file: str, data: bytes) -> None:
    from pathlib import Path

    from client.usage import UsageError

    try:
        Path(file).write_bytes(data)
    except OSError as error:
        raise UsageError(
            f"{option} {file} cannot be written",
            error.strerror or str(error),
            f"{option} roadmap.html",
        ) from error
