"""Stretches of time that do not count: a product on hold, an owner who owes work."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

NOTHING = timedelta(0)


@dataclass
class Pauses:
    """Pauses of one thing, one after the other; the last may still go on."""

    over: list[tuple[datetime, datetime]] = field(default_factory=list)
    since: datetime | None = None

    def begin(self, at: datetime) -> None:
        """Another reason to stand still changes nothing."""
        if self.since is None:
            self.since = at

    def end(self, at: datetime) -> timedelta:
        """How long the pause was that ends; nothing if there was none."""
        if self.since is None:
            return NOTHING
        began, self.since = self.since, None
        self.over.append((began, max(began, at)))
        return max(at - began, NOTHING)

    def until(self, end: datetime) -> Iterator[tuple[datetime, datetime]]:
        """All of them, the one that goes on up to `end`."""
        yield from self.over
        if self.since is not None:
            yield self.since, end


def net(start: datetime, end: datetime, *pauses: Pauses) -> timedelta:
    """From start to end without the pauses, which may overlap. Never negative: what a reset did
    again may be written out of order."""
    left, counted = max(end - start, NOTHING), start
    for began, ended in sorted(span for some in pauses for span in some.until(end)):
        off, on = max(began, counted), min(ended, end)
        if on > off:
            left -= on - off
            counted = on
    return left
