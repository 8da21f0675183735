"""Seven years in three quarters of a minute: real dates mapped to instants of today, and back.

Gates take days and the waiting between them takes years, so one even tempo would either last for
hours or leave a gate a tenth of a second. A timeline therefore has two tempos: slow during scenes,
quick between them. It is monotonic, so the order of any two real dates is kept.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from phasegate.span import Span

DAY = timedelta(days=1)


def at(text: str) -> datetime:
    """A real instant from ISO text, UTC; a plain date means nine in the morning."""
    found = datetime.fromisoformat(text if len(text) > 10 else f"{text}T09:00")
    return found.replace(tzinfo=found.tzinfo or UTC)


@dataclass(frozen=True)
class Scene:
    """Some days in which something happens; they begin at midnight."""

    begins: str
    days: float

    @property
    def start(self) -> datetime:
        return at(f"{self.begins}T00:00")

    @property
    def end(self) -> datetime:
        return self.start + self.days * DAY


class Timeline:
    """Maps real instants to played ones. Before the first and after the last scene it is slow."""

    def __init__(
        self, scenes: Sequence[Scene], curtain: datetime, *, slow: float, quick: float
    ) -> None:
        """The first scene begins at `curtain`. `slow` and `quick` are real days per second."""
        for earlier, later in pairwise(scenes):
            if later.start < earlier.end:
                raise ValueError(f"the scene of {later.begins} begins before the last one ends")
        self.curtain = curtain
        self._slow = slow
        self._real: list[datetime] = []
        self._second: list[float] = []
        seconds, before = 0.0, scenes[0].start
        for scene in scenes:
            seconds += (scene.start - before) / DAY / quick
            self._mark(scene.start, seconds)
            seconds += scene.days / slow
            self._mark(scene.end, seconds)
            before = scene.end

    def _mark(self, real: datetime, second: float) -> None:
        self._real.append(real)
        self._second.append(second)

    @property
    def begins(self) -> datetime:
        return self._real[0]

    @property
    def ends(self) -> datetime:
        return self._real[-1]

    @property
    def seconds(self) -> float:
        """How long the whole takes."""
        return self._second[-1]

    def played(self, real: datetime) -> datetime:
        """When a real instant is played."""
        index = bisect_right(self._real, real) - 1
        if index < 0 or index == len(self._real) - 1:
            edge = max(index, 0)
            second = self._second[edge] + (real - self._real[edge]) / DAY / self._slow
        else:
            share = (real - self._real[index]) / (self._real[index + 1] - self._real[index])
            second = self._between(self._second, index, share)
        return self.curtain + timedelta(seconds=second)

    def real(self, played: datetime) -> datetime:
        """The real instant that is played at `played`."""
        second = (played - self.curtain).total_seconds()
        index = bisect_right(self._second, second) - 1
        if index < 0 or index == len(self._second) - 1:
            edge = max(index, 0)
            return self._real[edge] + (second - self._second[edge]) * self._slow * DAY
        length = self._second[index + 1] - self._second[index]
        share = (second - self._second[index]) / length
        return self._real[index] + share * (self._real[index + 1] - self._real[index])

    @staticmethod
    def _between(marks: list[float], index: int, share: float) -> float:
        return marks[index] + share * (marks[index + 1] - marks[index])

    def between(self, start: datetime, end: datetime) -> Span:
        """How long the time between two real instants is played."""
        return Span(exact=self.played(end) - self.played(start))

    def after(self, start: datetime, span: Span) -> Span:
        """A real span that begins at `start`, as it is played."""
        return self.between(start, span.after(start))

    def before(self, end: datetime, span: Span) -> Span:
        """A real span that counts back from `end`, as it is played."""
        return self.between(span.before(end), end)
