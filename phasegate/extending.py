"""What authors of extensions import: milestone checks and sunset tasks of their own.

An extension is a Python package that is installed on every worker. Its entry points name what it
has: async functions of the group `phasegate.checks`, and tasks of the group `phasegate.tasks`:

    [project.entry-points."phasegate.checks"]
    tickets = "acme_tickets:closed"

    [project.entry-points."phasegate.tasks"]
    close-tenants = "acme_tenants:closing"

A policy asks a check with `check: {kind: custom, name: tickets, options: {…}}`. The function takes
a `CheckQuery` and returns a `CheckAnswer`:

    async def closed(query: CheckQuery) -> CheckAnswer:
        left = await count(query.options["queue"])
        return met("none is left") if left == 0 else not_met(f"{left} are left")

It may be asked at any time, any number of times, and by several workers at once, so it only reads.
It gets 30 seconds. Whatever else it does (raise, take longer, return something else) counts as
`cannot_tell`, never as met. Its `why` is kept for ever and seen by everybody: no secrets in it.

A task is carried out with `{kind: custom, name: close-tenants, options: {…}}`. It is an async
function, or an object that has it as `carry_out` (see `Task`); it takes a `TaskOrder` and returns
`TaskDone`, `TaskNotDone` or `TaskUnknown`:

    async def closing(order: TaskOrder) -> TaskAnswer:
        closed = await close_all(order.options["region"], idempotency_key=order.key)
        return TaskDone(f"{closed} tenants are closed", data={"tenants": closed})

It gets ten minutes. Whatever else it does (raise, take longer, return something else) counts as
unknown: where its effect can be undone it is called again with the same key, else a person is
asked.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from phasegate.base import Figure, Wire
from phasegate.ports import Finding

__all__ = [
    "CHECKS",
    "TASKS",
    "Check",
    "CheckAnswer",
    "CheckQuery",
    "Finding",
    "Task",
    "TaskAnswer",
    "TaskDone",
    "TaskNotDone",
    "TaskOrder",
    "TaskUnknown",
    "cannot_tell",
    "met",
    "not_met",
]

CHECKS = "phasegate.checks"
"""The entry point group of milestone checks."""

TASKS = "phasegate.tasks"
"""The entry point group of sunset tasks."""


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


class TaskOrder(Wire):
    """What is to be done: the task's id, in the how-manieth sunset of which product.

    `key` is the same however often it is ordered: give it on as the Idempotency-Key. `values` are
    those of the plan's placeholders; those of the options have their values, as they are.
    """

    product: str
    sunset: int
    task: str
    key: str
    options: dict[str, Any] = {}
    values: dict[str, str] = {}


@dataclass(frozen=True)
class TaskDone:
    """It is done. `data` are facts that show it, such as counts; `digest` is over what it was done
    to. All of it is kept for ever and seen by everybody: no secrets in it."""

    text: str
    digest: str = ""
    data: dict[str, Figure] = field(default_factory=dict)


@dataclass(frozen=True)
class TaskNotDone:
    """It is certain that nothing was done. It is tried again."""

    why: str


@dataclass(frozen=True)
class TaskUnknown:
    """It may have been done."""

    why: str


TaskAnswer = TaskDone | TaskNotDone | TaskUnknown


class Task(Protocol):
    """A task that is more than a function.

    An object may also have `probe(order)`, which finds out whether an earlier call was done and
    does nothing itself, and `undo(order)`, which is called where a task's `undo` names it.
    """

    async def carry_out(self, order: TaskOrder) -> TaskAnswer:
        """Do it."""
