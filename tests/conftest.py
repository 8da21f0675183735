"""Quiet logs: a failing test shows its own story. Tests that look at logs capture them."""

from typing import NoReturn

import structlog


def _drop(logger: object, method: str, event: object) -> NoReturn:
    raise structlog.DropEvent


structlog.configure(processors=[_drop])
