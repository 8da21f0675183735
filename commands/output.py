"""Printing: one document, as a table for people or in a machine's format. Only data on stdout."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from commands.progress import hush

if TYPE_CHECKING:
    from rich.console import Console

    from commands.options import Format

_STEERS = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)
"""Controls (ECMA-48), what turns the direction of writing, and halves of characters."""

Data = BaseModel | dict[str, Any] | Sequence[BaseModel | dict[str, Any]]


@dataclass(frozen=True)
class Fields:
    """Labels and values; empty values are left out. What is `loud` must not be overlooked."""

    rows: Sequence[tuple[str, object]]
    loud: bool = False


@dataclass(frozen=True)
class Grid:
    """A table."""

    columns: Sequence[str]
    rows: Sequence[Sequence[object]]
    title: str = ""


Block = Fields | Grid


def dense(columns: Sequence[str], rows: Sequence[Sequence[object]], title: str = "") -> Grid:
    """A table without the columns that no row fills."""
    kept = [n for n, _ in enumerate(columns) if n == 0 or any(cell(row[n]) for row in rows)]
    return Grid([columns[n] for n in kept], [[row[n] for n in kept] for row in rows], title)


STYLES = {
    "go": "green", "met": "green", "done": "green", "ok": "green", "active": "green",
    "conditional-go": "yellow", "at-risk": "yellow", "on-hold": "yellow", "hold": "yellow",
    "recycle": "yellow", "warn": "yellow", "waiting": "yellow", "sunsetting": "yellow",
    "waiting-on-owner": "yellow", "taken": "green", "refused": "red",
    "kill": "red", "killed": "red", "missed": "red", "fail": "red", "overdue": "red",
    "cannot-pass": "red", "cancelled": "red",
    "stuck": "red", "unknown": "red", "held": "yellow", "waiting-for-plan": "yellow",
    "aborting": "yellow", "aborted": "yellow",
}  # fmt: skip
"""Colours repeat what a word says already, and only on a terminal."""


def emit(data: Data, blocks: Callable[[], Iterable[Block]], form: Format) -> None:
    """Print `data` for machines, or the `blocks` that show it to people."""
    hush()
    if form == "table":
        _print_blocks([block for block in blocks() if block.rows])
        return
    plain = plain_data(data)
    if form == "jsonl":
        for item in plain if isinstance(plain, list) else [plain]:
            print(json_text(item), flush=True)
    elif form == "json":
        print(json_text(plain, indent=2))
    else:
        _print_yaml(plain)


def note(text: str) -> None:
    """Something beside the data, for the person at the terminal."""
    hush()
    print(harmless(text), file=sys.stderr)


def json_text(plain: Any, indent: int | None = None) -> str:
    """JSON that can be looked at: what steers a terminal is escaped, and all else as it is."""
    text = json.dumps(plain, ensure_ascii=False, indent=indent)
    return _STEERS.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def harmless(text: str) -> str:
    """Lines of text, with nothing in them that steers a terminal."""
    return _STEERS.sub("\N{REPLACEMENT CHARACTER}", text.replace("\r\n", "\n"))


def plain_data(data: Data) -> Any:
    """JSON values: instants in ISO 8601, UTC, with a Z."""
    if isinstance(data, BaseModel):
        return data.model_dump(mode="json")
    if isinstance(data, dict):
        return {key: _plain_value(value) for key, value in data.items()}
    return [plain_data(item) for item in data]


def _plain_value(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    return [_plain_value(item) for item in value] if isinstance(value, list) else value


def cell(value: object) -> str:
    """A value as people read it, on one line, with nothing in it that steers a terminal."""
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case datetime():
            return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
        case list() | tuple():
            return ", ".join(map(cell, value))
    text = " ".join(str(value).split())
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)


def _print_yaml(plain: Any) -> None:
    from ruamel.yaml import YAML

    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = False
    yaml.allow_unicode = True
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    yaml.width = 10_000
    yaml.dump(plain, sys.stdout)


def _print_blocks(blocks: Sequence[Block]) -> None:
    if sys.stdout.isatty():
        from rich.console import Console

        console = Console(highlight=False)
        for number, block in enumerate(blocks):
            if number:
                console.print()
            _print_rich(console, block)
        return
    for number, block in enumerate(blocks):
        if number:
            print()
        for line in _plain_lines(block):
            print(line)


def show_beside(blocks: Iterable[Block]) -> None:
    """Show blocks on stderr: what somebody is asked about must not end up among the data."""
    for block in blocks:
        if block.rows:
            for line in _plain_lines(block):
                note(line)


def _plain_lines(block: Block) -> Iterable[str]:
    """Aligned columns, whole values, no colour: for pipes and files."""
    if isinstance(block, Fields):
        shown = [(label, cell(value)) for label, value in block.rows]
        width = max(len(label) for label, _ in shown) + 2
        yield from (f"{label:<{width}}{value}" for label, value in shown if value)
        return
    from rich.cells import cell_len

    rows = [[column.upper() for column in block.columns]]
    rows += [[cell(value) for value in row] for row in block.rows]
    widths = [max(map(cell_len, column)) for column in zip(*rows, strict=True)]
    if block.title:
        yield f"{block.title}:"
    for row in rows:
        padded = (
            text + " " * (width - cell_len(text)) for text, width in zip(row, widths, strict=True)
        )
        yield "  ".join(padded).rstrip()


def _print_rich(console: Console, block: Block) -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    if isinstance(block, Fields):
        table = Table(box=None, show_header=False, pad_edge=False)
        table.add_column(style="bold red" if block.loud else "dim", no_wrap=True)
        table.add_column(overflow="fold")
        for label, value in block.rows:
            if text := cell(value):
                style = "bold red" if block.loud else STYLES.get(text, "")
                table.add_row(label, Text(text, style=style))
    else:
        title = Text(block.title, style="bold") if block.title else None
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False, title=title, title_justify="left")
        for number, column in enumerate(block.columns):
            # The first column is the name that the next command needs: it stays in one piece.
            table.add_column(column, overflow="fold", no_wrap=number == 0)
        for row in block.rows:
            texts = (cell(value) for value in row)
            table.add_row(*(Text(text, style=STYLES.get(text.split(" ")[0], "")) for text in texts))
    console.print(table)
