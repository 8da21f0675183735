"""Evidence that is a file."""

from __future__ import annotations

import hashlib
from pathlib import Path

from client.usage import UsageError
from integrations.files import require_file


def digest_of_file(file: str) -> str:
    """The `sha256:` digest of a file. Raises UsageError."""
    try:
        require_file(file)
        with Path(file).open("rb") as opened:
            return "sha256:" + hashlib.file_digest(opened, "sha256").hexdigest()
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise UsageError(f"{file} cannot be read", why, f"ls -l {file}") from error
