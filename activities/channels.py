"""What every way out has in common: whom it brings what, and what came of one attempt."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from ledger import Entry


@dataclass(frozen=True)
class Taken:
    """The receiver has it."""


@dataclass(frozen=True)
class Refused:
    """It does not have it. `wait` is how long it asks to be left alone."""

    why: str
    wait: timedelta | None = None
    for_good: bool = False
    """No other try can end differently."""


@dataclass(frozen=True)
class Gone:
    """It wants nothing any more."""

    why: str


Answer = Taken | Refused | Gone


class Channel(Protocol):
    """One receiver."""

    @property
    def events(self) -> tuple[str, ...]:
        """Patterns of the types it wants."""

    @property
    def give_up(self) -> timedelta:
        """How long an event is tried."""

    @property
    def address(self) -> str:
        """Where it is; with another address it is another one."""

    async def send(self, entry: Entry) -> Answer:
        """Try once. Raises PhasegateError where our own set-up has to be mended first."""
