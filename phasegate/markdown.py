"""The few Markdown pieces that status pages in the Temporal UI are made of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime


def day(instant: datetime | None) -> str:
    """An instant as a person on call reads it, in UTC; a dash for none."""
    return instant.strftime("%Y-%m-%d %H:%M UTC") if instant else "–"


def cell(text: str) -> str:
    """Free text inside a table: one line, no cell ends, 200 characters at most."""
    return text.replace("|", "\\|").replace("\n", " ")[:200]


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; cells are used as they are."""
    lines = [" | ".join(head), "|".join("---" for _ in head), *(" | ".join(row) for row in rows)]
    return "\n".join(f"| {line} |" for line in lines)
