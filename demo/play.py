"""A play: one product's files and scenes, its script, and how it must end."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from demo.inputs import Staging
from demo.stage import Stage


@dataclass(frozen=True)
class Ending:
    """What must have become of a product."""

    status: str
    rounds: tuple[tuple[str, int, str], ...]
    reminded: tuple[tuple[str, int, str], ...]
    conditions: int = 0
    sunset_reminders: int = 0


@dataclass(frozen=True)
class Play:
    staging: Staging
    script: Callable[[Stage], Awaitable[None]]
    ending: Ending
