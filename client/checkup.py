"""One line of an examination."""

from __future__ import annotations

from typing import Literal

from phasegate.base import Wire


class Check(Wire):
    """What was looked at, how it is, and how to mend it."""

    check: str
    state: Literal["ok", "warn", "fail"]
    what: str
    mend: str = ""
