"""Which of many histories are kept: as few bytes as go every way that any of them goes."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import coverage
from fingerprint import fingerprint
from goldens import opened, read

Way = tuple[str, int, int]
"""A file of workflows/, and a step from one line of it to another."""


async def ways(paths: Iterable[Path]) -> dict[Path, set[Way]]:
    """The ways through workflows/ that each history goes; what does not replay is left out."""
    measure = coverage.Coverage(
        data_file=None, source=["workflows"], branch=True, config_file=False
    )
    found: dict[Path, set[Way]] = {}
    measure.start()
    try:
        for path in paths:
            measure.switch_context(str(path))
            try:
                with opened(path):
                    await fingerprint(read(path))
            except Exception as error:
                print(f"left out: {path.name}: {str(error)[:90]}")
            else:
                found[path] = set()
    finally:
        measure.stop()
    data = measure.get_data()
    for path, gone in found.items():
        data.set_query_context(str(path))
        for file in data.measured_files():
            gone.update((Path(file).name, *arc) for arc in data.arcs(file) or ())
    return found


LARGEST = 250_000
"""Bytes. What is longer repeats itself."""


def pick(found: dict[Path, set[Way]], gone: set[Way]) -> list[Path]:
    """Greedily, those with the most new ways for their size, beside the ways that are `gone`."""
    left = {path: way for path, way in found.items() if path.stat().st_size <= LARGEST}
    gone, picked = set(gone), []
    while left:
        best = max(left, key=lambda path: (len(left[path] - gone) / path.stat().st_size, str(path)))
        new = left.pop(best) - gone
        if not new:
            break
        gone |= new
        picked.append(best)
    return sorted(picked)
