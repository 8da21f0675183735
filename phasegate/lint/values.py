"""Whether a product has the values that its policy's checks ask for, and whether they fit."""

from __future__ import annotations

from collections.abc import Iterator

from phasegate.filling import Filled, fill, values_of
from phasegate.lint.findings import Finding, or_meant
from phasegate.policy import Policy
from phasegate.problems import DocPath
from phasegate.product import Product


def value_findings(product: Product, policy: Policy) -> Iterator[Finding]:
    """An error for every check that could not be asked, at the figure that is wrong or missing."""
    goals = [goal for phase in policy.phases for goal in phase.milestones]
    for goal in goals:
        filled = fill(goal.check, product)
        if filled.problem:
            what = f"milestone {goal.id} of policy {policy.policy} could not be asked"
            yield _finding(_place(product, filled.figure), what, filled, product)
    of_policy = {goal.id for goal in goals}
    for i, plan in enumerate(product.milestones):
        if (
            plan.check
            and plan.id not in of_policy
            and (filled := fill(plan.check, product)).problem
        ):
            path: DocPath = ("milestones", i, "check", filled.field)
            yield _finding(path, f"milestone {plan.id} could not be asked", filled, product)


def _finding(path: DocPath, what: str, filled: Filled, product: Product) -> Finding:
    known = values_of(product)
    hint = "" if filled.figure in known else or_meant(filled.figure, known)
    return Finding("error", path, f"{what}: {filled.problem}{hint}")


def _place(product: Product, figure: str) -> DocPath:
    if figure == "product":
        return ("key",)
    return ("figures", figure) if figure in product.figures else ("figures",)
