"""Asking before something is destroyed."""

from __future__ import annotations

import sys

from client.usage import UsageError
from commands.progress import hush


def at_terminal() -> bool:
    """Whether somebody can be asked."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def confirmed(question: str, command: str) -> bool:
    """Ask on a terminal. Raises UsageError where nobody can answer."""
    if not at_terminal():
        raise UsageError("this needs --yes", "nobody is at a terminal to be asked", command)
    hush()
    print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")
