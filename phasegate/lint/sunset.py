"""The sunset: order in time, reminders, dates."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise

from phasegate.lint.findings import Finding, twice
from phasegate.policy import Policy
from phasegate.sunset import DateTask


def sunset_findings(policy: Policy) -> Iterator[Finding]:
    """Duplicate tasks, tasks out of order, reminders that come too late or too early."""
    tasks = policy.sunset.tasks if policy.sunset else ()
    ids = (((*_at(i), "id"), task.id) for i, task in enumerate(tasks))
    yield from twice(ids, "sunset task")
    for i, (earlier, later) in enumerate(pairwise(tasks), start=1):
        if later.at.approximate < earlier.at.approximate:
            yield Finding(
                "error",
                (*_at(i), "at"),
                f"task {later.id} ({later.at.words}) is due before {earlier.id} "
                f"({earlier.at.words}), which is listed above it; list tasks in the order of their "
                "days",
            )
    for i, task in enumerate(tasks):
        if isinstance(task, DateTask):
            yield from _reminders(i, task)


def _at(index: int) -> tuple[str, str, int]:
    return ("sunset", "tasks", index)


def _reminders(i: int, task: DateTask) -> Iterator[Finding]:
    if not task.remind:
        yield Finding(
            "warning", _at(i), f"nobody is reminded of {task.id}; add remind: [90 days, 30 days]"
        )
    seen: set[timedelta] = set()
    for j, span in enumerate(task.remind):
        path = (*_at(i), "remind", j)
        length = span.approximate
        if length < timedelta(0):
            yield Finding(
                "error",
                path,
                f"{span.words} is after the date; reminders count back, without '-'",
            )
        elif length > max(task.at.approximate, timedelta(0)):
            yield Finding(
                "warning",
                path,
                f"{span.words} before {task.id} is before the public notice; it is left out",
            )
        if length in seen:
            yield Finding("warning", path, f"{span.words} is listed twice; keep one")
        seen.add(length)
