"""Customers as files and feeds have them: CSV with a header, or a JSON list. Pure.

Everything that is wrong is said at once, each with its line or its place in the list, and then
nothing is taken.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from phasegate.customer_values import value_of
from phasegate.customers import FACTS, Row
from phasegate.problems import DocumentError, Problem
from phasegate.wording import shown

COLUMNS = ("id", "name", "email", "contract_until", *FACTS, "note")

MOST_ROWS = 200_000
LARGEST = 32 * 1024 * 1024
"""Bytes of a file or feed."""

MOST_PROBLEMS = 50
"""Problems that are said one by one; the rest is a number."""


class CustomersError(DocumentError):
    """A file or feed of customers cannot be used. `total` counts also what is not listed."""

    def __init__(self, problems: Sequence[Problem], total: int) -> None:
        super().__init__(tuple(problems))
        self.total = total
        count = "1 problem" if total == 1 else f"{total} problems"
        first = f"; the first {len(problems)}" if total > len(problems) else ""
        self.what = f"{problems[0].source} has {count}, and nothing of it is taken{first}"
        self.hint = "phasegate customer import --help  # columns and what they take"


@dataclass
class _Reading:
    """What one file gave so far."""

    source: str
    now: datetime
    place: Callable[[int], str]
    rows: list[Row] = field(default_factory=list)
    places: dict[str, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    total: int = 0

    def wrong(self, at: int, column: str, message: str) -> None:
        self.total += 1
        if len(self.problems) < MOST_PROBLEMS:
            path = (column,) if column else ()
            self.problems.append(Problem(self.source, at, 1, path, message, "customers"))

    def take(self, at: int, values: Mapping[str, str]) -> None:
        """One customer: `at` is its line, or its place in the list."""
        if len(self.rows) >= MOST_ROWS:
            self.wrong(at, "", f"is beyond the {MOST_ROWS} customers that one import takes")
            return
        before, row = self.total, {name: self._read(at, name, values) for name in COLUMNS}
        known = row["id"]
        if self.total > before or known is None:
            return
        if known in self.places:
            self.wrong(at, "id", f"{shown(known)} is there already: {self._first(known)}")
            return
        self.places[known] = at
        self.rows.append(Row(**row))

    def _first(self, known: str) -> str:
        return self.place(self.places[known])

    def _read(self, at: int, name: str, values: Mapping[str, str]) -> Any:
        try:
            return value_of(name, values.get(name, ""), self.now)
        except ValueError as error:
            self.wrong(at, name, str(error))
            return None

    def finished(self) -> list[Row]:
        """The rows. Raises CustomersError."""
        if self.problems:
            raise CustomersError(self.problems, self.total)
        return self.rows


def read_csv(data: bytes, source: str, now: datetime) -> list[Row]:
    """Customers of a CSV file (UTF-8, with or without a byte order mark; `,`, `;` or tabs).

    Lines are those of the file, also behind quoted line breaks. Facts are not of the future: `now`
    says when that begins. Raises CustomersError with every problem.
    """
    reading = _Reading(source, now, lambda line: f"line {line}")
    lines = _decoded(data, reading)
    if reading.problems:
        return reading.finished()
    header = next((n for n, line in enumerate(lines) if line.strip()), None)
    if header is None:
        reading.wrong(1, "", "is empty: needs a header with the columns, id among them")
        return reading.finished()
    # strict: a quote that is not closed would take the rest of the file for one value.
    table = csv.reader(iter(lines[header:]), delimiter=_delimiter(lines[header]), strict=True)
    columns: list[str] | None = None
    for line, cells in _records(table, header, reading):
        if columns is None:
            if reading.problems:
                break
            columns = _columns(cells, line, reading)
            if columns is None:
                break
        elif len(cells) != len(columns):
            values = "1 value" if len(cells) == 1 else f"{len(cells)} values"
            reading.wrong(line, "", f"has {values}, and the header {len(columns)} columns")
        else:
            reading.take(line, dict(zip(columns, cells, strict=True)))
    return reading.finished()


def read_json(data: bytes, source: str, now: datetime) -> list[Row]:
    """Customers of a JSON list of objects; their places count from 1. Raises CustomersError."""
    reading = _Reading(source, now, lambda n: f"number {n}")
    try:
        found = json.loads(data)
    except (ValueError, RecursionError) as error:
        line = getattr(error, "lineno", 1)
        reading.wrong(line, "", f"is no JSON: {getattr(error, 'msg', 'it cannot be read')}")
        return reading.finished()
    if not isinstance(found, list):
        reading.wrong(1, "", "needs a list of customers")
        return reading.finished()
    for n, item in enumerate(found, 1):
        if not isinstance(item, dict):
            reading.wrong(n, "", "needs an object with an id")
        elif unknown := [name for name in item if name not in COLUMNS]:
            reading.wrong(n, "", f"unknown: {shown(unknown[0])}; known: {', '.join(COLUMNS)}")
        elif odd := [k for k, v in item.items() if not isinstance(v, str | bool | int | None)]:
            reading.wrong(n, odd[0], "needs text, or true or false")
        else:
            reading.take(n, {name: _plain(value) for name, value in item.items()})
    return reading.finished()


def _plain(value: str | bool | int | None) -> str:
    if value is None:
        return ""
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)


def _decoded(data: bytes, reading: _Reading) -> list[str]:
    """The lines as text. A line ends where spreadsheets end it: CR LF, LF or CR."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        reading.wrong(1, "", "is UTF-16: save it as CSV UTF-8")
        return []
    lines = []
    for n, line in enumerate(data.removeprefix(b"\xef\xbb\xbf").splitlines(keepends=True), 1):
        try:
            lines.append(line.decode())
        except UnicodeDecodeError as error:
            byte = f"byte {error.start + 1} (0x{line[error.start]:02x})"
            reading.wrong(n, "", f"{byte} is no UTF-8: save it as CSV UTF-8")
    return lines


def _delimiter(header: str) -> str:
    """Spreadsheets of many countries write semicolons."""
    return max(",;\t", key=header.count)


def _records(table: Any, skipped: int, reading: _Reading) -> Iterator[tuple[int, list[str]]]:
    """Records with the line that each begins at; blank ones are left out."""
    while True:
        line = skipped + table.line_num + 1
        try:
            cells = next(table)
        except StopIteration:
            return
        except csv.Error as error:
            why = str(error)
            if "unexpected end" in why:
                why = "a quote is opened here, and not closed to the end of the file"
            reading.wrong(line, "", why)
            continue
        if any(cell.strip() for cell in cells):
            yield line, cells


def _columns(cells: list[str], line: int, reading: _Reading) -> list[str] | None:
    names = [cell.strip().lower() for cell in cells]
    for name in names:
        if name not in COLUMNS:
            message = f"unknown column {shown(name)}; known: {', '.join(COLUMNS)}"
            reading.wrong(line, "", message)
    for name in dict.fromkeys(names):
        if names.count(name) > 1:
            reading.wrong(line, "", f"the column {shown(name)} is there {names.count(name)} times")
    if "id" not in names:
        reading.wrong(line, "", "the column id is missing")
    return None if reading.problems else names
