"""Where a policy lets a worker call: a whole URL, or a path of a connection of the installation."""

from __future__ import annotations

import re

from phasegate.placeholders import climbs, names_in


def fixed_host(url: str | None) -> str | None:
    """The URL, unless a product's figures could choose whom it calls. Raises ValueError."""
    if url and names_in(re.split(r"[/?#]", url.partition("://")[2], maxsplit=1)[0]):
        raise ValueError("may have placeholders after the host only: the policy says whom to ask")
    return url


def below(path: str | None) -> str | None:
    """The path, unless it leads out of its connection's address. Raises ValueError."""
    if path is None:
        return None
    if not re.match(r"/(?!/)", path) or re.search(r"[\\#\s\x00-\x1f\x7f]", path):
        raise ValueError("begins with one /, and has no blank, backslash or # in it")
    if climbs(path):
        raise ValueError("has a dot segment, which leads out of the connection's address")
    return path


def require_one_address(url: str | None, connection: str | None, path: str | None) -> None:
    """Raise ValueError unless there is either a URL, or a connection with its path."""
    if (url is None) is (connection is None):
        raise ValueError("needs either url, or connection and path")
    if (connection is None) is not (path is None):
        raise ValueError("connection and path go together")
