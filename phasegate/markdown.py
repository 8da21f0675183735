"""The few Markdown pieces that status pages in the Temporal UI are made of."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime

_MARKS = re.compile(r"[\\`|<\[]")
_UNSEEN = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)
"""Controls, those of the direction of writing included: a text is read as it is written."""


def day(instant: datetime | None) -> str:
    """An instant as a person on call reads it, in UTC; a dash for none."""
    return instant.strftime("%Y-%m-%d %H:%M UTC") if instant else "–"


def line(text: str, longest: int = 500) -> str:
    """Free text on one line: it starts no heading, list, link, code or HTML."""
    seen = _UNSEEN.sub("\N{REPLACEMENT CHARACTER}", " ".join(text.split()))
    return _MARKS.sub(r"\\\g<0>", seen[:longest])


def said(text: str) -> str:
    """What follows a colon at the end of a line; nothing where nothing was said."""
    shown = line(text, 200)
    return f": {shown}" if shown else ""


def section(name: str, items: Iterable[str]) -> str:
    """A named list, or nothing where it would be empty.

    Not a table: the Temporal UI sets its cells without any space between them. And named, since
    two lists in a row run into one.
    """
    shown = "\n".join(f"- {item}" for item in items)
    return f"**{name}**\n\n{shown}" if shown else ""
