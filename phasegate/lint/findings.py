"""A finding, and the walks over a policy that the rules share."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal

from phasegate.gate import Gate
from phasegate.policy import Policy
from phasegate.problems import DocPath, dotted
from phasegate.sunset import GateTask

Severity = Literal["error", "warning"]


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong (error) or doubtful (warning), and where in the document."""

    severity: Severity
    path: DocPath
    message: str

    def __str__(self) -> str:
        return f"{self.severity}: {dotted(self.path)}: {self.message}"


def gates_at(policy: Policy) -> Iterator[tuple[DocPath, Gate]]:
    """Every gate of a policy with its path, in the order a product meets them."""
    for i, phase in enumerate(policy.phases):
        if phase.review:
            yield ("phases", i, "review", "gate"), phase.review.gate
        if phase.gate:
            yield ("phases", i, "gate"), phase.gate
    for i, task in enumerate(policy.sunset.tasks if policy.sunset else ()):
        if isinstance(task, GateTask):
            yield ("sunset", "tasks", i, "gate"), task.gate


def walk_from_start(policy: Policy) -> tuple[list[str], list[str]]:
    """The phases a product goes through, and the cycle it ends up in (empty if it ends)."""
    return walk(policy, policy.phases[0].id)


def walk(policy: Policy, start: str) -> tuple[list[str], list[str]]:
    """The phases from `start` on, and the cycle they end up in (empty if they end)."""
    known = {phase.id for phase in policy.phases}
    order: list[str] = []
    at: str | None = start
    while at in known and at is not None:
        if at in order:
            return order, [*order[order.index(at) :], at]
        order.append(at)
        at = policy.following(at)
    return order, []


def twice(items: Iterable[tuple[DocPath, str]], what: str) -> Iterator[Finding]:
    """An error for every id that was given before, naming where."""
    first: dict[str, DocPath] = {}
    for path, name in items:
        if name in first:
            message = f"{what} {name} is given twice, first as {dotted(first[name])}"
            yield Finding("error", path, f"{message}; rename one of them")
        first.setdefault(name, path)


def or_meant(name: str, known: Iterable[str]) -> str:
    """`; did you mean …?` for a name that looks like a known one, else which are known."""
    names = sorted(set(known))
    close = get_close_matches(name, names, n=1)
    if close:
        return f"; did you mean {close[0]}?"
    return f"; known: {', '.join(names)}" if names else ""
