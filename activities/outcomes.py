"""What can become of an act, and what every kind of act offers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from temporalio import activity

from phasegate.sunset_ports import ActOrder, TaskProof


@dataclass(frozen=True)
class Done:
    """It happened."""

    proof: TaskProof


@dataclass(frozen=True)
class NotDone:
    """It is certain that it did not happen: it may be tried again, after `wait` if given."""

    type: str
    what: str
    why: str
    hint: str
    wait: timedelta | None = None


@dataclass(frozen=True)
class Unknown:
    """It may have happened, and may not."""

    type: str
    what: str
    why: str


@dataclass(frozen=True)
class Unreachable:
    """Whom a probe has to ask gives no answer now."""

    why: str


Outcome = Done | NotDone | Unknown


class Carrier(Protocol):
    """Carries out the acts of one kind."""

    @property
    def repeatable(self) -> bool:
        """Whether a second attempt goes on where the first one stopped, and repeats nothing."""

    @property
    def over(self) -> timedelta:
        """After so long nothing of an attempt is under way any more, wherever it ran."""

    async def carry_out(self, order: ActOrder) -> Outcome:
        """Try once. Whatever it raises counts as unknown."""

    async def probe(self, order: ActOrder) -> Outcome | Unreachable | None:
        """Find out, without doing anything, whether it was done; None: there is no way to."""


def slowly(least: timedelta) -> timedelta:
    """The wait before the next attempt: at least this, doubling from a second up to an hour."""
    doubling = timedelta(seconds=2 ** min(activity.info().attempt - 1, 12))
    return min(max(least, doubling), timedelta(hours=1))
