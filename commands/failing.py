"""From what went wrong to an exit code and three lines that help: what, why, hint."""

from __future__ import annotations

import errno
import os
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from shlex import join
from typing import TYPE_CHECKING, Any

from cyclopts import CycloptsError

from client.tracing import traced
from commands.progress import working
from phasegate.errors import Forbidden, PhasegateError, Refusal

if TYPE_CHECKING:
    from cyclopts import App

OK, FAILED, USAGE, DECLINED, FORBIDDEN, PENDING, INTERRUPTED = 0, 1, 2, 3, 4, 8, 130

DEBUG = "--debug"

UNWRITTEN = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
"""What the place that is written to fails with, whatever is written: a full disk, a dead one."""

ENDLESS = ("demo", "dev", "serve", "worker")
"""Commands that show on their own what they do."""


def run(build: Callable[[], App], words: list[str]) -> int:
    """Run the command that `words` name; its exit code. Nothing is raised, short of `--debug`."""
    debug = DEBUG in words
    words = [word for word in words if word != DEBUG]
    code = _run(build, words, debug)
    try:
        sys.stdout.flush()
    except OSError as error:
        return unwritten(error, words)
    return code


def _run(build: Callable[[], App], words: list[str], debug: bool) -> int:
    try:
        with working("waiting for an answer", quiet=not words or words[0] in ENDLESS):
            app = build()
            with traced(_traced_as(words)):
                result = app(
                    words, result_action="return_value", print_error=False, exit_on_error=False
                )
        return result if isinstance(result, int) else OK
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError as error:
        return unwritten(error, words)
    except SystemExit as error:
        return error.code if isinstance(error.code, int) else FAILED
    except Exception as error:
        if debug:
            traceback.print_exc()
        if isinstance(error, OSError) and error.errno in UNWRITTEN:
            return unwritten(error, words)
        failure = _explained(error, words)
        tell(failure, machine=_wants_json(words))
        return exit_code(failure)


def unwritten(error: OSError, words: list[str]) -> int:
    """The exit code where output cannot be written. Nothing is said if its reader left (`| head`).

    What stdout does not take goes nowhere: Python would complain once more when it flushes at exit.
    """
    if not isinstance(error, BrokenPipeError):
        what = f"{error.filename or 'the output'} could not be written"
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        hint = "df -h  # which disk is full?" if full else f"phasegate {join(words)} > output"
        failure = PhasegateError(what, error.strerror or str(error), hint)
        tell(failure, machine=_wants_json(words))
    try:
        sys.stdout.flush()  # it may be another file, or stderr, that took nothing
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return FAILED


def exit_code(error: PhasegateError) -> int:
    """The exit code of the contract for an error."""
    from client.usage import UsageError
    from phasegate.problems import DocumentError

    if isinstance(error, UsageError | DocumentError):
        return USAGE
    return FORBIDDEN if isinstance(error, Forbidden) else FAILED


def _explained(error: Exception, words: list[str]) -> PhasegateError:
    if isinstance(error, PhasegateError):
        if error.hint.startswith("--sign"):  # what was called, with that after it
            error.hint = f"phasegate {join(words)} {error.hint}"
        elif error.hint.startswith("--"):  # the spelling of an option: as a command that can be run
            said = "shows an example" if error.hint.startswith("--help") else error.hint
            said = said.replace("  # ", ": ")
            error.hint = f"{_called(words)} --help  # {said}"
        return error
    if isinstance(error, CycloptsError):
        from client.usage import UsageError

        called = " ".join(("phasegate", *(error.command_chain or ())))
        why = " ".join(str(error).split())
        if type(error).__name__ == "UnusedCliTokensError":
            left = ", ".join(getattr(error, "unused_tokens", None) or ())
            why = f"that is more than it takes at once: {left}"
        if "--as" in why and type(error).__name__ == "MissingArgumentError":
            why += " PHASEGATE_AS in the environment does, too"
        return UsageError(f"`{called}` was called wrongly", why, f"{called} --help")
    why = f"{type(error).__name__}: {error}".splitlines()[0]
    return PhasegateError(
        "phasegate failed, and should not have",
        why,
        " ".join(("phasegate", *words, DEBUG, " (shows where; please report it)")),
    )


def _called(words: list[str]) -> str:
    """The command that these words call, without what follows it."""
    from commands.catalogue import COMMANDS, Noun

    depth = 2 if isinstance(COMMANDS.get(words[0]), Noun) else 1
    return " ".join(("phasegate", *words[:depth]))


def _traced_as(words: list[str]) -> str:
    """What the trace of a command is called: by its own words only. Empty for what has no end."""
    from commands.catalogue import COMMANDS, Noun

    found = COMMANDS.get(words[0]) if words and words[0] not in ENDLESS else None
    if isinstance(found, Noun):
        return f"phasegate {words[0]} {words[1]}" if words[1:2] and words[1] in found.verbs else ""
    return f"phasegate {words[0]}" if found else ""


def tell(error: PhasegateError, *, machine: bool = False) -> None:
    """Say what went wrong on stderr: in lines for people, or as one JSON object. To nobody, where
    that cannot be written either: the exit code says it."""
    with suppress(OSError):
        _tell(error, machine)


def _tell(error: PhasegateError, machine: bool) -> None:
    from commands.output import json_text, note

    if machine:
        print(json_text(as_document(error)), file=sys.stderr)
        return
    from phasegate.problems import DocumentError

    note(f"error: {error.what}")
    if isinstance(error, DocumentError):
        note(error.why)  # file:line:col lines, which editors can jump to
    elif error.why:
        note(f"why: {' '.join(error.why.split())}")
    if error.hint:
        note(f"hint: {error.hint}")


def as_document(error: PhasegateError) -> dict[str, Any]:
    """An error for machines."""
    from phasegate.problems import DocumentError, dotted

    document: dict[str, Any] = {
        "schema_version": 1,
        "error": error.what,
        "reason": error.why,
        "hint": error.hint,
    }
    if isinstance(error, Refusal):
        document["code"] = error.code
    if isinstance(error, DocumentError):
        document["problems"] = [
            {
                "source": problem.source,
                "line": problem.line,
                "column": problem.column,
                "path": dotted(problem.path),
                "message": problem.message,
            }
            for problem in error.problems
        ]
    return document


def _wants_json(words: list[str]) -> bool:
    """Whether -o asks for a machine format; also told when the words could not be parsed."""
    machine = ("json", "jsonl", "yaml")
    pairs = zip(words, [*words[1:], ""], strict=True)
    return any(
        (word in ("-o", "--output") and after in machine)
        or word in {f"{flag}{form}" for form in machine for flag in ("-o", "-o=", "--output=")}
        for word, after in pairs
    )
