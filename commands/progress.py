"""What somebody at a terminal sees while a command takes its time: on stderr, never in a pipe."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock, Timer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.progress import Progress

QUICK = 1.2
"""Seconds after which it shows: what is done by then needs no spinner."""


class Working:
    """Told how far the work has come; a spinner as long as nobody knows how much there is."""

    def __init__(self, text: str) -> None:
        self._text, self._done, self._total = text, 0, None
        self._shown: Progress | None = None
        self._task: Any = None
        self._lock = Lock()
        self._over = False

    _total: int | None

    def __call__(self, done: int, total: int | None = None) -> None:
        """So much is done, of so much."""
        with self._lock:
            self._done, self._total = done, total if total is not None else self._total
            if self._shown is not None:
                self._shown.update(self._task, completed=self._done, total=self._total)

    def show(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn
        from rich.table import Column

        with self._lock:
            if self._over:
                return
            text = TextColumn("{task.description}", table_column=Column(no_wrap=True))
            counted = (BarColumn(), MofNCompleteColumn()) if self._total is not None else ()
            self._shown = Progress(
                SpinnerColumn(),
                text,
                *counted,
                console=Console(stderr=True),
                transient=True,
                redirect_stdout=False,
                redirect_stderr=False,
            )
            self._task = self._shown.add_task(self._text, total=self._total, completed=self._done)
            self._shown.start()

    def stop(self) -> None:
        """Before anything is printed; again is no error."""
        with self._lock:
            self._over = True
            if self._shown is not None:
                self._shown.stop()
                self._shown = None


_shown: list[Working] = []
"""What shows now: the latest of those that are at work."""


def hush() -> None:
    """Show nothing more: something is about to be printed, or asked."""
    while _shown:
        _shown.pop().stop()


@contextmanager
def working(text: str, *, quiet: bool = False) -> Iterator[Working]:
    """Say that it works, as soon as that takes longer; nothing where nobody is looking.

    It ends with the block, or with the first that is printed (`hush`). One that is begun within
    another takes its place.
    """
    hush()
    found = Working(text)
    watched = not quiet and sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
    timer = Timer(QUICK, found.show)
    timer.daemon = True
    if watched:
        _shown.append(found)
        timer.start()
    try:
        yield found
    finally:
        timer.cancel()
        found.stop()
