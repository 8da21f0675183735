"""What types alone cannot say of documents: cycles, unreachable phases, gates nobody can pass.

Pure: documents in, findings out. A finding's path goes to `Parsed.locate` for line and column.
"""

from __future__ import annotations

from datetime import date

from phasegate.directory import Directory
from phasegate.lint.clocks import clock_findings
from phasegate.lint.directory import directory_findings
from phasegate.lint.findings import Finding, Severity
from phasegate.lint.flow import flow_findings
from phasegate.lint.gates import gate_findings
from phasegate.lint.never import never_findings
from phasegate.lint.people import policy_people_findings
from phasegate.lint.product import product_findings
from phasegate.lint.sunset import sunset_findings
from phasegate.policy import Policy
from phasegate.product import Product

__all__ = ["Finding", "Severity", "lint_directory", "lint_policy", "lint_product"]


def lint_policy(
    policy: Policy, directory: Directory | None = None, today: date | None = None
) -> list[Finding]:
    """What is wrong with a policy; with a directory, also who is missing for its gates and who
    alone can block them; with `today`, also who has no key that counts on that day, and when from
    that day on a gate cannot be passed for leave."""
    found = [
        *flow_findings(policy),
        *gate_findings(policy),
        *never_findings(policy),
        *clock_findings(policy),
        *sunset_findings(policy),
    ]
    if directory is not None:
        found += policy_people_findings(policy, directory, today)
    return found


def lint_product(
    product: Product,
    policy: Policy,
    directory: Directory | None = None,
    today: date | None = None,
    *,
    told: bool = False,
) -> list[Finding]:
    """What is wrong with a product under a policy; with a directory, also who cannot vote, and who
    acts for nobody, since they own it; with `today`, also when from that day on leave keeps a gate
    from passing because of that owner (what holds for every owner is lint_policy's to say).

    `told`: lint_policy is asked beside it, with the same directory, and its errors are not
    repeated for the product."""
    return list(product_findings(product, policy, directory, today, told=told))


def lint_directory(directory: Directory, today: date | None = None) -> list[Finding]:
    """What is wrong with a directory; with `today`, also whose keys have run out."""
    return list(directory_findings(directory, today))
