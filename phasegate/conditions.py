"""Which requirements of a gate are asked of a product: its tier, and what `when` says of it.

For lint, plans and activities. Workflows never import this, as it evaluates expressions.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from phasegate.expressions import evaluate, facts
from phasegate.gate import Requirement
from phasegate.seats import in_force


@dataclass(frozen=True)
class Asked:
    """The indexes of the requirements in force. `problems` are of conditions nobody could judge:
    index → why. Such a requirement is in force, since an error must not drop an approval."""

    applying: tuple[int, ...]
    problems: Mapping[int, str] = field(default_factory=dict)


def asked_of(
    requirements: Sequence[Requirement],
    tier: int,
    definition: Mapping[str, Any],
    asked: Collection[int] = (),
) -> Asked:
    """What is asked of a product of this tier and definition (its JSON form).

    `asked` was already, in a round that is open: its owner must not end that, nor a veto, by a
    figure.
    """
    applying, problems = [], {}
    for index in in_force(requirements, tier):
        condition = requirements[index].when
        if condition is not None and index not in asked:
            truth = evaluate(condition, facts(definition))
            if truth.problem:
                problems[index] = truth.problem
            elif not truth.met:
                continue
        applying.append(index)
    return Asked(tuple(applying), problems)
