"""Gates by themselves: criteria, tiers, steps. Who sits in them is for the people rules."""

from __future__ import annotations

from collections.abc import Iterator

from phasegate.gate import Gate
from phasegate.lint.findings import Finding, gates_at, or_meant, twice, walk_from_start
from phasegate.lint.flow import astray, reach
from phasegate.lint.shapes import expression_problem
from phasegate.policy import Policy
from phasegate.problems import DocPath
from phasegate.seats import in_force
from phasegate.sunset import CUSTOMERS_SETTLED

TIERS = (1, 2, 3)


def gate_findings(policy: Policy) -> Iterator[Finding]:
    """Duplicate gates, criteria that can never be judged, tiers and steps that ask nobody."""
    yield from twice((((*path, "id"), gate.id) for path, gate in gates_at(policy)), "gate")
    order, _ = walk_from_start(policy)
    names = [phase.id for phase in policy.phases]
    everything = {m.id for phase in policy.phases for m in phase.milestones}
    for path, gate in gates_at(policy):
        seen = everything
        if path[0] == "phases" and isinstance(path[1], int):
            here = policy.phases[path[1]]
            if here.id in order:
                before = order[: order.index(here.id)]
            elif astray(policy, names):
                before = names
            else:  # only an investment leads there, from a product that has been further on
                before = [p.id for p in policy.phases if here.id in reach(policy, start=p.id)]
            upto = [*(policy.phase(name) for name in before), here]
            seen = {milestone.id for phase in upto for milestone in phase.milestones}
        else:
            seen = everything | {CUSTOMERS_SETTLED}
        yield from _criteria(path, gate, seen, everything)
        yield from _score(path, gate)
        yield from _conditions(path, gate)
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
        if criterion.expression:
            problem = expression_problem(criterion.expression, "product", "evidence")
            if problem:
                yield Finding("error", (*here, "expression"), problem)


def _score(path: DocPath, gate: Gate) -> Iterator[Finding]:
    for i, criterion in enumerate(gate.criteria):
        if criterion.weight != 1 and gate.threshold is None:
            yield Finding(
                "warning",
                (*path, "criteria", i, "weight"),
                f"gate {gate.id} has no threshold, so a weight decides nothing; give it one, or "
                "leave the weight out",
            )


def _conditions(path: DocPath, gate: Gate) -> Iterator[Finding]:
    for i, requirement in enumerate(gate.requires):
        if requirement.when is None:
            continue
        problem = expression_problem(requirement.when, "product")
        if problem and problem.startswith("undeclared reference to 'evidence"):
            problem += "; evidence comes while the gate is open: ask for figures of the product"
        if problem:
            yield Finding("error", (*path, "requires", i, "when"), problem)


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
        asked = [gate.requires[i] for i in in_force(gate.requires, tier)]
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
        elif not any(r.need for r in asked if r.when is None):
            yield Finding(
                "warning",
                (*path, "requires"),
                f"gate {gate.id} may ask nobody for a product of tier {tier}: each of its "
                "requirements has a condition; leave one without",
            )
        for step in steps:
            if all(requirement.step != step for requirement in asked):
                yield Finding(
                    "warning",
                    (*path, "requires"),
                    f"step {step} of gate {gate.id} asks nobody for a product of tier {tier}; "
                    "it is skipped there",
                )
