"""Extensions that are installed where a command runs. What counts is the workers' own."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import entry_points

from phasegate.check import Check, CustomCheck
from phasegate.extending import CHECKS
from phasegate.lint import Finding
from phasegate.lint.findings import or_meant
from phasegate.policy import Policy
from phasegate.problems import DocPath
from phasegate.product import Product


def extension_hints(document: Policy | Product) -> Iterator[Finding]:
    """A warning for every check by an extension that is not installed here."""
    known = entry_points(group=CHECKS).names
    for path, check in _checks(document):
        if isinstance(check, CustomCheck) and check.name not in known:
            yield Finding(
                "warning",
                (*path, "check", "name"),
                f"no extension {check.name} is installed here; it has to be on every worker"
                f"{or_meant(check.name, known)}",
            )


def _checks(document: Policy | Product) -> Iterator[tuple[DocPath, Check | None]]:
    if isinstance(document, Product):
        for i, plan in enumerate(document.milestones):
            yield ("milestones", i), plan.check
        return
    for i, phase in enumerate(document.phases):
        for j, goal in enumerate(phase.milestones):
            yield ("phases", i, "milestones", j), goal.check
