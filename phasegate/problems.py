"""Problems in documents: where they are, and all of them at once."""

from __future__ import annotations

from dataclasses import dataclass, field

from phasegate.errors import PhasegateError

DocPath = tuple[str | int, ...]
"""Where in a document something is: field names and list indexes from the top."""


def dotted(path: DocPath) -> str:
    """A path as people read it: `phases.2.gate.requires.0.need`."""
    return ".".join(map(str, path))


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong in a document, with the line and column (from 1) to look at."""

    source: str
    line: int
    column: int
    path: DocPath
    message: str
    kind: str = field(default="policy", compare=False)
    """Which document it is: policy, product or directory."""

    def __str__(self) -> str:
        where = f"{self.source}:{self.line}:{self.column}"
        path = f"{dotted(self.path)}: " if self.path else ""
        return f"{where}: {path}{self.message}"


class DocumentError(PhasegateError):
    """A document cannot be used. `problems` holds everything found, in the order of the file."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        super().__init__(
            what=f"{problems[0].source} has {count}",
            why="\n".join(map(str, problems)),
            hint=f"phasegate policy schema {problems[0].kind}  # every field and what it takes",
        )
        self.problems = problems

    def __str__(self) -> str:
        return self.why
