"""Metrics of activities, and what one process of a worker remembers of those that go on failing."""

from __future__ import annotations

import threading
import time
from datetime import timedelta

from temporalio import activity
from temporalio.common import MetricMeter

from phasegate.measures import Measure

FORGOTTEN = {"outbox": 600.0, "untold": 86400.0}
"""Seconds: what was not tried again for so long is somebody else's, or over."""


def count(measure: Measure, **labels: str) -> None:
    """One more."""
    if activity.in_activity():
        _meter(labels).create_counter(measure.name, measure.meaning).add(1)


def took(measure: Measure, span: timedelta, **labels: str) -> None:
    """How long it took; less than nothing, where clocks disagree, is nothing."""
    if activity.in_activity():
        histogram = _meter(labels).create_histogram_timedelta(measure.name, measure.meaning)
        histogram.record(max(span, timedelta(0)))


def _meter(labels: dict[str, str]) -> MetricMeter:
    return activity.metric_meter().with_additional_attributes(labels)


class Observed:
    """What could not be written or told at its latest try, and since when. Safe for threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._late: dict[str, tuple[float, float]] = {}  # source → oldest event, latest try
        self._untold: dict[tuple[str, str], float] = {}  # product, milestone → latest try

    def unwritten(self, source: str, since: float) -> None:
        """What this workflow announced, from `since` on (Unix time), is not in the ledger."""
        with self._lock:
            self._late[source] = (since, time.monotonic())

    def written(self, source: str) -> None:
        with self._lock:
            self._late.pop(source, None)

    def checked(self, product: str, milestone: str, *, told: bool) -> None:
        with self._lock:
            if told:
                self._untold.pop((product, milestone), None)
            else:
                self._untold[product, milestone] = time.monotonic()

    def outbox_age(self) -> float:
        """Seconds since the oldest event happened that could not be written; 0 if there is none."""
        old = time.monotonic() - FORGOTTEN["outbox"]
        with self._lock:
            self._late = {k: found for k, found in self._late.items() if found[1] > old}
            oldest = min((since for since, _ in self._late.values()), default=None)
        return 0.0 if oldest is None else max(time.time() - oldest, 0.0)

    def untold(self) -> int:
        """How many milestones could not be told when they were last asked about."""
        old = time.monotonic() - FORGOTTEN["untold"]
        with self._lock:
            self._untold = {k: at for k, at in self._untold.items() if at > old}
            return len(self._untold)


OBSERVED = Observed()
"""Of this process."""
