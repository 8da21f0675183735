"""Writing to the ledger as activities do: what was not taken is written again."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from ledger import LedgerError

T = TypeVar("T")


def persistently(write: Callable[[], T]) -> T:
    """As Temporal has an activity repeated."""
    end = time.monotonic() + 60
    while True:
        try:
            return write()
        except LedgerError:
            if time.monotonic() > end:
                raise
            time.sleep(0.02)
