"""The few Markdown pieces that status pages in the Temporal UI are made of."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import datetime

_MARKS = re.compile(r"[\\`|<\[]")


def day(instant: datetime | None) -> str:
    """An instant as a person on call reads it, in UTC; a dash for none."""
    return instant.strftime("%Y-%m-%d %H:%M UTC") if instant else "–"


def line(text: str, longest: int = 500) -> str:
    """Free text on one line: it starts no heading, link, code or HTML, and ends no table cell."""
    return _MARKS.sub(r"\\\g<0>", " ".join(text.split())[:longest])


def cell(text: str) -> str:
    """Free text inside a table, 200 characters of it at most."""
    return line(text, 200)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; cells are used as they are."""
    lines = [" | ".join(head), "|".join("---" for _ in head), *(" | ".join(row) for row in rows)]
    return "\n".join(f"| {line} |" for line in lines)
