"""What lint found, printed. Findings are data here, so they go to stdout."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from phasegate.problems import DocumentError, Problem, dotted

if TYPE_CHECKING:
    from client.documents import Found
    from commands.options import Format


def print_findings(file: str, check: Callable[[], Iterable[Found]], form: Format) -> int:
    """Print `file:line:col: path: message` lines; the exit code: 2 where there are errors."""
    from commands.failing import OK, USAGE
    from commands.output import emit, harmless, note

    try:
        found = [(finding.severity, problem) for finding, problem in check()]
    except DocumentError as error:
        found = [("error", problem) for problem in error.problems]
    errors = sum(severity == "error" for severity, _ in found)
    warnings = len(found) - errors
    if form == "table":
        for severity, problem in found:
            print(harmless(str(problem) if severity == "error" else _warning(problem)))
        note(f"{file}: {_count(errors, 'error')}, {_count(warnings, 'warning')}")
    else:
        document = {
            "schema_version": 1,
            "file": file,
            "errors": errors,
            "warnings": warnings,
            "findings": [_document(severity, problem) for severity, problem in found],
        }
        emit(document, list, form)
    return USAGE if errors else OK


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")


def _warning(problem: Problem) -> str:
    where = f"{problem.source}:{problem.line}:{problem.column}"
    path = f"{dotted(problem.path)}: " if problem.path else ""
    return f"{where}: warning: {path}{problem.message}"


def _document(severity: str, problem: Problem) -> dict[str, Any]:
    return {
        "severity": severity,
        "source": problem.source,
        "line": problem.line,
        "column": problem.column,
        "path": dotted(problem.path),
        "message": problem.message,
    }
