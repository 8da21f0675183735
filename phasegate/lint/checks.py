"""What is wrong with how a milestone is checked."""

from __future__ import annotations

from collections.abc import Iterator

from phasegate.check import (
    Check,
    EventCheck,
    GithubCheck,
    GitlabCheck,
    HttpCheck,
    JiraCheck,
    ReportedCheck,
)
from phasegate.directory import Directory
from phasegate.expressions import compile_error
from phasegate.filling import texts_of
from phasegate.lint.findings import Finding, or_meant
from phasegate.placeholders import BRACED, PLACEHOLDER, names_in
from phasegate.problems import DocPath
from phasegate.trackers import Unaskable, ask_of


def check_findings(path: DocPath, check: Check, directory: Directory | None) -> Iterator[Finding]:
    """`path` is the check's own. Without a directory nothing is said of groups."""
    yield from _placeholders(path, check)
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


def _placeholders(path: DocPath, check: Check) -> Iterator[Finding]:
    """Braces that hold no name of a figure, and what leads out of a connection's address."""
    texts = list(texts_of(check))
    for field, text in texts:
        for braced in BRACED.finditer(text):
            if not PLACEHOLDER.fullmatch(braced[0]):
                yield Finding(
                    "warning",
                    (*path, field),
                    f"{braced[0]} is no placeholder, since {braced[1]!r} is no name of a figure "
                    "(a-z, 0-9 and _, a letter first); it is asked as it stands",
                )
    if any(names_in(text) for _, text in texts):
        return
    if isinstance(check, HttpCheck | GithubCheck | GitlabCheck | JiraCheck):
        try:
            ask_of(check)
        except Unaskable as error:
            yield Finding("error", path, str(error))
