"""What authors of extensions import: a milestone check of their own.

An extension is a Python package that is installed on every worker. It names an async function under
the entry point group `phasegate.checks`:

    [project.entry-points."phasegate.checks"]
    tickets = "acme_tickets:closed"

and a policy asks it with `check: {kind: custom, name: tickets, options: {…}}`. The function takes a
`CheckQuery` and returns a `CheckAnswer`:

    async def closed(query: CheckQuery) -> CheckAnswer:
        left = await count(query.options["queue"])
        return met("none is left") if left == 0 else not_met(f"{left} are left")

It may be asked at any time, any number of times, and by several workers at once, so it only reads.
It gets 30 seconds. Whatever else it does (raise, take longer, return something else) counts as
`cannot_tell`, never as met. Its `why` is kept for ever and seen by everybody: no secrets in it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from phasegate.base import Wire
from phasegate.ports import Finding

__all__ = [
    "CHECKS",
    "Check",
    "CheckAnswer",
    "CheckQuery",
    "Finding",
    "cannot_tell",
    "met",
    "not_met",
]

CHECKS = "phasegate.checks"
"""The entry point group of milestone checks."""


class CheckQuery(Wire):
    """What is asked: the product's key, the milestone's id, and the policy's options for it.

    Placeholders in the options have their values, as they are: encode them for where they go.
    """

    product: str
    milestone: str
    options: dict[str, Any] = {}


class CheckAnswer(Wire):
    """Whether the milestone is met, and why that is known; 500 characters of it are kept."""

    finding: Finding
    why: str = ""


Check = Callable[[CheckQuery], Awaitable[CheckAnswer]]
"""A check, as an entry point names it."""


def met(why: str) -> CheckAnswer:
    """The milestone is met. Said once it stays: nobody asks again."""
    return CheckAnswer(finding=Finding.met, why=why)


def not_met(why: str) -> CheckAnswer:
    """The milestone is not met yet."""
    return CheckAnswer(finding=Finding.not_met, why=why)


def cannot_tell(why: str) -> CheckAnswer:
    """Nobody knows just now, since the system is down or says nothing clear."""
    return CheckAnswer(finding=Finding.cannot_tell, why=why)
