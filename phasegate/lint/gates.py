"""Gates by themselves: criteria, tiers, steps. Who sits in them is for the people rules."""

from __future__ import annotations

from collections.abc import Iterator

from phasegate.expressions import compile_error
from phasegate.gate import Gate
from phasegate.lint.findings import Finding, gates_at, or_meant, twice, walk_from_start
from phasegate.policy import Policy
from phasegate.problems import DocPath

TIERS = (1, 2, 3)


def gate_findings(policy: Policy) -> Iterator[Finding]:
    """Duplicate gates, criteria that can never be judged, tiers and steps that ask nobody."""
    yield from twice((((*path, "id"), gate.id) for path, gate in gates_at(policy)), "gate")
    order, _ = walk_from_start(policy)
    everything = {m.id for phase in policy.phases for m in phase.milestones}
    for path, gate in gates_at(policy):
        seen = everything
        if path[0] == "phases" and isinstance(path[1], int):
            here = policy.phases[path[1]]
            before = order[: order.index(here.id)] if here.id in order else []
            upto = [*(policy.phase(name) for name in before), here]
            seen = {milestone.id for phase in upto for milestone in phase.milestones}
        yield from _criteria(path, gate, seen, everything)
        yield from _tiers(path, gate)


def _criteria(path: DocPath, gate: Gate, seen: set[str], everything: set[str]) -> Iterator[Finding]:
    ids = (((*path, "criteria", i, "id"), c.id) for i, c in enumerate(gate.criteria))
    yield from twice(ids, "criterion")
    for i, criterion in enumerate(gate.criteria):
        here = (*path, "criteria", i)
        name = criterion.milestone
        if name and name in everything - seen:
            yield Finding(
                "error",
                (*here, "milestone"),
                f"milestone {name} belongs to a phase after gate {gate.id}: too late for it",
            )
        elif name and name not in seen:
            yield Finding(
                "error",
                (*here, "milestone"),
                f"no phase up to gate {gate.id} has a milestone {name}{or_meant(name, seen)}",
            )
        if criterion.expression and (problem := compile_error(criterion.expression, "product")):
            yield Finding("error", (*here, "expression"), problem)


def _tiers(path: DocPath, gate: Gate) -> Iterator[Finding]:
    for i, requirement in enumerate(gate.requires):
        if stray := sorted(set(requirement.tiers) - set(TIERS)):
            yield Finding(
                "error",
                (*path, "requires", i, "tiers"),
                f"there is no tier {', '.join(map(str, stray))}; tiers are 1, 2 and 3",
            )
    steps = sorted({requirement.step for requirement in gate.requires})
    for tier in TIERS:
        asked = [r for r in gate.requires if not r.tiers or tier in r.tiers]
        if not asked:
            yield Finding(
                "error",
                (*path, "requires"),
                f"gate {gate.id} asks nobody for a product of tier {tier}; add a requirement",
            )
            continue
        if not any(requirement.need for requirement in asked):
            yield Finding(
                "error",
                (*path, "requires"),
                f"gate {gate.id} needs nobody's yes for a product of tier {tier}: abstentions "
                "alone would pass it; give a requirement need: 1",
            )
        for step in steps:
            if all(requirement.step != step for requirement in asked):
                yield Finding(
                    "warning",
                    (*path, "requires"),
                    f"step {step} of gate {gate.id} asks nobody for a product of tier {tier}; "
                    "it is skipped there",
                )
