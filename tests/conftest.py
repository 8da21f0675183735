"""Quiet logs: a failing test shows its own story. Tests that look at logs capture them.

And loopback may be called: the receivers of tests are there, and an installation that wants the
same says so in the same way. Processes that tests start inherit it.
"""

import os
from typing import NoReturn

import structlog

os.environ["PHASEGATE_ALLOW_ADDRESSES"] = "127.0.0.0/8,::1"


def _drop(logger: object, method: str, event: object) -> NoReturn:
    raise structlog.DropEvent


structlog.configure(processors=[_drop])
