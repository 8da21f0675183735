"""Evidence that is a file."""

from __future__ import annotations

import hashlib
from pathlib import Path

from client.usage import UsageError


def digest_of_file(file: str) -> str:
    """The `sha256:` digest of a file. Raises UsageError."""
    try:
        with Path(file).open("rb") as opened:
            return "sha256:" + hashlib.file_digest(opened, "sha256").hexdigest()
    except (OSError, ValueError) as error:
        raise UsageError(f"{file} cannot be read", str(error), f"ls -l {file}") from error
