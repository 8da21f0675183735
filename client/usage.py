"""What was asked cannot be understood."""

from __future__ import annotations

from phasegate.errors import PhasegateError


class UsageError(PhasegateError):
    """A wrong argument: a file that is not there, an unknown name, a malformed key."""
