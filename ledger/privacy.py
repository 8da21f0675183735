"""What phasegate makes on a disk is its own user's: it holds what people said, and their addresses.

What is there already keeps its rights, so that an operator may share it on purpose.
"""

from __future__ import annotations

import os
from pathlib import Path


def private_folder(folder: Path) -> None:
    """Make a folder, and those above it that are missing; nobody else may look. Raises OSError."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    for path in reversed(missing):
        path.mkdir(mode=0o700, exist_ok=True)
    folder.mkdir(exist_ok=True)  # not a folder, or gone meanwhile


def private_file(path: Path) -> None:
    """Make an empty file, with its folders, that nobody else may read. Raises OSError.

    SQLite takes an empty file for a new database, and gives what it adds beside it the same rights.
    """
    private_folder(path.parent)
    if not path.exists():
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600))
