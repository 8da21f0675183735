"""The Link header (RFC 8288, section 3): httpx2 splits it at commas, also within quotes."""

from __future__ import annotations

import re

_NAME = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_PARAMETER = rf'\s*;\s*({_NAME})\s*(?:=\s*("(?:[^"\\]|\\.)*"|[^\s",;]+))?'
_LINK = re.compile(rf"[\s,]*<([^>]*)>((?:{_PARAMETER})*)\s*")


def next_link(header: str) -> str | None:
    """The target of the first link with the relation `next`, as it is written; None without one.

    Raises ValueError for a header that cannot be read: a list that seems to end is not whole.
    """
    header, at = header.rstrip(" \t,"), 0
    while at < len(header):
        found = _LINK.match(header, at)
        if found is None or (found.end() < len(header) and header[found.end()] != ","):
            raise ValueError("its Link header cannot be read")
        given: dict[str, str] = {}
        for name, value in re.findall(_PARAMETER, found[2]):
            given.setdefault(name.lower(), value.strip('"'))
        if "next" in given.get("rel", "").lower().split():
            return found[1]
        at = found.end()
    return None
