"""What never happens, whatever the product: requirements nobody is asked, criteria nobody meets."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from phasegate.gate import Gate
from phasegate.lint.cases import never_true
from phasegate.lint.findings import Finding, gates_at
from phasegate.lint.flow import reach
from phasegate.lint.gates import TIERS
from phasegate.lint.shapes import expression_problem
from phasegate.policy import Policy
from phasegate.problems import DocPath


def never_findings(policy: Policy) -> Iterator[Finding]:
    """Warnings about conditions and must-criteria that no product can make true, and the phases
    that lie behind the latter."""
    for path, gate in gates_at(policy):
        yield from _unasked(path, gate)
        for i, criterion in enumerate(gate.criteria):
            if criterion.kind == "must" and (expression := criterion.expression):
                if not _sound(expression):
                    continue
                tiers = [tier for tier in TIERS if never_true(expression, tier)]
                if tiers:
                    behind = _behind(policy, gate) if len(tiers) == len(TIERS) else ""
                    yield Finding(
                        "warning",
                        (*path, "criteria", i, "expression"),
                        f"no product{_of(tiers)} meets criterion {criterion.id}: "
                        f"{expression} is never true, and gate {gate.id} never comes to "
                        f"a Go{behind}; mend the expression",
                    )


def _unasked(path: DocPath, gate: Gate) -> Iterator[Finding]:
    for i, requirement in enumerate(gate.requires):
        tiers = [tier for tier in TIERS if not requirement.tiers or tier in requirement.tiers]
        when = requirement.when
        if when and _sound(when) and all(never_true(when, tier) for tier in tiers):
            yield Finding(
                "warning",
                (*path, "requires", i, "when"),
                f"gate {gate.id} asks no product for {requirement.title}: {when} is "
                f"never true{_of(tiers)}; mend the condition, or remove the requirement",
            )


def _sound(expression: str) -> bool:
    """What cannot be used at all is told as an error of its own."""
    return expression_problem(expression, "product", "evidence") is None


def _of(tiers: Collection[int]) -> str:
    return "" if len(tiers) == len(TIERS) else f" of tier {', '.join(map(str, tiers))}"


def _behind(policy: Policy, gate: Gate) -> str:
    missed = [name for name in reach(policy) if name not in reach(policy, [gate.id])]
    return f", so that no product comes to {', '.join(missed)}" if missed else ""
