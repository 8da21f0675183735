"""Figures over many durations: how many, the median, the 90th percentile, the longest.

Percentiles are nearest rank: of n values in order, the p-th is the one at place ceil(p/100 · n), as
RFC 2330, section 11.3, defines it. It is always a value that occurred, and the same in whatever
order the values came.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta

from pydantic import Field

from phasegate.base import Wire

DAY = timedelta(days=1)


class Spread(Wire):
    """How durations are spread, in calendar days (24 hours); null where there are none."""

    n: int = 0
    median: float | None = Field(None, description="nearest rank")
    p90: float | None = Field(None, description="the 90th percentile, nearest rank")
    max: float | None = None


class Counts(Wire):
    """How counts are spread; null where there are none."""

    n: int = 0
    median: int | None = Field(None, description="nearest rank")
    p90: int | None = Field(None, description="the 90th percentile, nearest rank")
    max: int | None = None


def rank(n: int, percent: int) -> int:
    """The index of the nearest rank among n sorted values, of which there is one at least."""
    return max((n * percent + 99) // 100, 1) - 1


def spread(durations: Iterable[timedelta]) -> Spread:
    """The figures of these durations, in any order."""
    found = sorted(durations)
    if not found:
        return Spread()
    return Spread(
        n=len(found),
        median=days(found[rank(len(found), 50)]),
        p90=days(found[rank(len(found), 90)]),
        max=days(found[-1]),
    )


def counts(numbers: Iterable[int]) -> Counts:
    """The figures of these counts, in any order."""
    found: Sequence[int] = sorted(numbers)
    if not found:
        return Counts()
    return Counts(
        n=len(found),
        median=found[rank(len(found), 50)],
        p90=found[rank(len(found), 90)],
        max=found[-1],
    )


def days(length: timedelta) -> float:
    """Days, to about ten seconds."""
    return round(length / DAY, 4)


def share(part: int, whole: int) -> float | None:
    """A share between 0 and 1; None of nothing."""
    return round(part / whole, 4) if whole else None
