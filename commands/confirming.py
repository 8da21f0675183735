"""Asking before something is destroyed."""

from __future__ import annotations

import sys

from client.usage import UsageError
from commands.progress import hush


def confirmed(question: str, command: str) -> bool:
    """Ask on a terminal. Raises UsageError where nobody can answer."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError("this needs --yes", "nobody is at a terminal to be asked", command)
    hush()
    print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")
