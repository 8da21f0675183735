"""What is wrong with how a milestone is checked."""

from __future__ import annotations

from collections.abc import Iterator

from phasegate.check import Check, EventCheck, HttpCheck, ReportedCheck
from phasegate.directory import Directory
from phasegate.expressions import compile_error
from phasegate.lint.findings import Finding, or_meant
from phasegate.problems import DocPath


def check_findings(path: DocPath, check: Check, directory: Directory | None) -> Iterator[Finding]:
    """`path` is the check's own. Without a directory nothing is said of groups."""
    if isinstance(check, HttpCheck):
        if problem := compile_error(check.expression, "body"):
            yield Finding("error", (*path, "expression"), problem)
    elif isinstance(check, EventCheck):
        if check.when and (problem := compile_error(check.when, "event", "product")):
            yield Finding("error", (*path, "when"), problem)
    elif isinstance(check, ReportedCheck) and directory is not None:
        group = check.by
        if group and group not in directory.groups:
            message = f"the directory has no group {group}{or_meant(group, directory.groups)}"
            yield Finding("error", (*path, "by"), message)
