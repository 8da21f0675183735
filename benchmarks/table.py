"""The table of the bar, from the JSON of the parts: for the terminal, and as Markdown.

`python -m benchmarks.table [FOLDER]` prints Markdown; with --into it goes into
docs/performance.md, with the plots, if all parts are there.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.harness import ROOT

Found = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Row:
    """One line of the bar. The verdict is pass, miss, or why there is none."""

    what: str
    target: str
    found: str
    verdict: str


def load(folder: Path) -> dict[str, Any]:
    """What the parts found, by part."""
    found = {}
    for path in sorted(folder.glob("*.json")):
        if path.stem != "results":
            with suppress(ValueError):
                found[path.stem] = json.loads(path.read_text(encoding="utf-8"))
    return found


def said(figures: Mapping[str, float], unit: str = "", digits: int = 2) -> str:
    """A median with its spread."""
    median, low, high = (f"{figures[name]:.{digits}f}" for name in ("median", "min", "max"))
    return f"{median}{unit} ({low}–{high})"


def bar(found: Found) -> list[Row]:
    """Every line of the bar; what was not measured says so."""
    return [
        _row(found, part, what, target, look)
        for part, what, target, look in (
            (
                "votes",
                "votes per second through a gate, against a workflow that only counts",
                "≥ 0.85",
                _votes,
            ),
            (
                "gate_cost",
                "history events of a three-vote gate, with its product's share",
                "≤ 45",
                _events,
            ),
            ("portfolio", "inbox of one approver, 10,000 products open", "< 1 s", _inbox),
            ("portfolio", "memory of the worker, 10,000 products open", "≤ 1 GiB", _memory),
            (
                "portfolio",
                "kill -9 of the worker, 100 gates open: first vote after restart",
                "≤ 2 s",
                _restart,
            ),
            ("cli", "phasegate --help, against temporal --help", "≤ 3.5 ×", _help),
            ("rehearsal", "ten years of a product rehearsed", "< 10 s", _rehearsed),
        )
    ] + [
        Row(
            "kill -9 at any moment, 100 times over 200 lifecycles",
            "no vote lost, none twice",
            "",
            "shown by make chaos",
        ),
        Row(
            "phasegate/: branch coverage, mutation score",
            "100 %, ≥ 90 %",
            "",
            "shown by make mutation",
        ),
    ]


Look = Callable[[Mapping[str, Any]], tuple[str, bool]]


def _row(found: Found, part: str, what: str, target: str, look: Look) -> Row:
    measured = found.get(part)
    if measured is None:
        return Row(what, target, "", "not measured")
    try:
        told, met = look(measured["figures"])
    except (KeyError, ValueError):
        why = "not at this size" if measured["state"] == "done" else measured["state"]
        return Row(what, target, "", f"not measured: {why}")
    if measured["state"] != "done":  # of fewer rounds, or before the last size
        told += f" (of a part that is not whole: {measured['state']})"
    return Row(what, target, told, "pass" if met else "miss")


def _votes(figures: Mapping[str, Any]) -> tuple[str, bool]:
    ratio = figures["against counting"]["per_second"]
    return said(ratio), ratio["median"] >= 0.85


def _events(figures: Mapping[str, Any]) -> tuple[str, bool]:
    sums = [each["whole"]["events"] for each in figures.values() if isinstance(each, dict)]
    text = f"{min(sums)} to {max(sums)}"
    return text, max(sums) <= figures["bar"]


def _inbox(figures: Mapping[str, Any]) -> tuple[str, bool]:
    reading = figures["10000 reading"]
    whole = said(reading["phasegate inbox"], " s")
    return f"{said(reading['inbox'], ' s')}; the command: {whole}", reading["inbox"]["max"] < 1


def _memory(figures: Mapping[str, Any]) -> tuple[str, bool]:
    used = max(figures[f"10000 memory{when}"]["worker MiB"] for when in ("", " after reading"))
    return f"{used:.0f} MiB", used <= 1024


def _restart(figures: Mapping[str, Any]) -> tuple[str, bool]:
    first = figures["100 restart"]["first"]
    return said(first, " s"), first["median"] <= 2


def _help(figures: Mapping[str, Any]) -> tuple[str, bool]:
    ratio = figures["phasegate --help, ratio"]
    return said(ratio, " ×"), ratio["median"] <= 3.5


def _rehearsed(figures: Mapping[str, Any]) -> tuple[str, bool]:
    seconds = figures["ten years"]
    return said(seconds, " s", 1), seconds["median"] < 10


def terminal(rows: list[Row]) -> str:
    """The bar as lines; what has no verdict says why."""
    wide = [max(len(cell) for cell in column) for column in zip(*map(_cells, rows), strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(_cells(row), wide, strict=True)).rstrip()
        for row in rows
    )


def _cells(row: Row) -> tuple[str, str, str, str]:
    verdict = row.verdict.upper() if row.verdict in ("pass", "miss") else "-"
    return verdict, row.what, row.target, row.found or row.verdict


def markdown(found: Found) -> Iterator[str]:
    """The bar, and then every figure of every part."""
    yield "| what | target | found | |\n|---|---|---|---|"
    for row in bar(found):
        yield f"| {row.what} | {row.target} | {row.found} | {row.verdict} |"
    for part, measured in found.items():
        yield f"\n### {part}\n"
        yield f"{_when(measured)}\n"
        if measured["state"] != "done":
            yield f"({measured['state']}: {measured.get('why', '')})\n"
        yield from _part(measured["figures"])
    machine: Mapping[str, Any] = next(
        (each["machine"] for each in found.values() if "machine" in each), {}
    )
    same = {name: value for name, value in machine.items() if name not in EACH and value != ""}
    yield "\n" + "; ".join(f"{name}: {value}" for name, value in same.items())


EACH = ("at", "commit", "load")
"""What differs from part to part: some may be measured again, and the others stay."""


def _when(measured: Mapping[str, Any]) -> str:
    on = measured.get("machine", {})
    said = [f"{name}: {on[name]}" for name in EACH if on.get(name)]
    return "; ".join([*said, f"rounds: {measured['rounds']}"] if "rounds" in measured else said)


def _part(figures: Mapping[str, Any]) -> Iterator[str]:
    yield "| figure | median or value | least–greatest |\n|---|---|---|"
    for name, value in _flat(figures):
        if isinstance(value, Mapping):
            yield f"| {name} | {value['median']:g} | {value['min']:g}–{value['max']:g} |"
        else:
            yield f"| {name} | {value} | |"


DETAILS = {"actions_by_kind", "runs"}
"""They are in the JSON."""


def _flat(figures: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in figures.items():
        if name in DETAILS:
            continue
        if isinstance(value, Mapping) and "median" not in value:
            yield from _flat(value, f"{prefix}{name}: ")
        else:
            yield f"{prefix}{name}", value


BEGIN, END = "<!-- figures: make bench && python -m benchmarks.table --into -->", "<!-- end -->"


def put_into(page: Path, text: str) -> None:
    """Replace what is between the marks of a page. Raises ValueError where there are none."""
    said = page.read_text(encoding="utf-8")
    before, begin, rest = said.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"{page} has no place for figures: {BEGIN} … {END}")
    page.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{after}", encoding="utf-8")


def pictures(folder: Path, docs: Path) -> str:
    """Bring the plots into the documentation; the Markdown that shows them."""
    shown = []
    for path in sorted(folder.glob("*.svg")):
        name = f"images/performance-{path.name}"
        shutil.copy(path, docs / name)
        shown.append(f"![{path.stem}, by number of products]({name})")
    return "\n\n".join(shown)


def missing(found: Found, page: Path) -> list[str]:
    """Parts that a page has figures of, and these have not."""
    _, _, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    lines = rest.partition(END)[0].splitlines()
    return [
        part for line in lines if (part := line.removeprefix("### ")) != line and part not in found
    ]


if __name__ == "__main__":
    words = [word for word in sys.argv[1:] if word != "--into"]
    place, docs = Path(words[0]) if words else ROOT / "dist" / "bench", ROOT / "docs"
    parts, page = load(place), docs / "performance.md"
    written = "\n".join(markdown(parts))
    if "--into" in sys.argv:
        if lacking := missing(parts, page):
            sys.exit(
                f"error: {place} has no {', '.join(lacking)}, and {page.name} would lose its "
                f"figures; measure it first: BENCH_ONLY={','.join(lacking)} make bench"
            )
        put_into(page, f"{written}\n\n{pictures(place, docs)}".strip())
    else:
        print(written)
