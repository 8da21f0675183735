"""Files that somebody names: read in bounds, whatever they are."""

from __future__ import annotations

import os
import stat
from pathlib import Path

LONGEST = 1024 * 1024
"""Bytes of a document; as much as phasegate.yaml_tree reads."""


def read_bounded(path: str | Path, limit: int = LONGEST) -> bytes:
    """The whole of a file, device or pipe, if it has `limit` bytes at most. Raises OSError."""
    with Path(path).open("rb") as file:
        found = file.read(limit + 1)
    if len(found) > limit:
        raise OSError(f"it has more than {limit} bytes")
    return found


def require_file(path: str | Path) -> None:
    """Raise OSError for what never ends, or waits for somebody: devices, pipes, sockets."""
    if not stat.S_ISREG(os.stat(path).st_mode):
        raise OSError("it is no regular file")
