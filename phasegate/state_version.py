"""The version of a workflow's state: which code can go on from it.

A version is raised when what a field means changes, so that code that does not know of it would go
on wrongly. A field that is added, with a default that means "as before", raises nothing: older code
leaves it out. Code that raises a version also reads the ones before: it brings the state up to date
where it is read, before the workflow looks at it.
"""

from __future__ import annotations

from functools import partial

from pydantic import AfterValidator


class NewerState(RuntimeError):
    """State that a newer release wrote, and that this one cannot go on from.

    None of phasegate's own errors, which would end the workflow for good: this one fails its task.
    The task is tried again, until a worker of a release that knows the version takes it.
    """


def up_to(newest: int) -> AfterValidator:
    """A version that is known here. Raises NewerState for a later one."""
    return AfterValidator(partial(_known, newest))


def _known(newest: int, version: int) -> int:
    if version > newest:
        raise NewerState(
            f"this state has version {version}, and this release reads {newest} at most: a newer "
            "release wrote it. Start workers of that release again; nothing is lost"
        )
    return version
