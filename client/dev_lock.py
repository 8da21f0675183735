"""One embedded server per data folder."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from phasegate.errors import EngineError


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the folder's lock; the system lets go of it however the process ends.

    Raises EngineError where another process holds it, or the folder cannot be used.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = (folder / "dev.lock").open("a+")
    except OSError as error:
        raise EngineError(
            f"the data folder {folder} cannot be used",
            error.strerror or str(error),
            "phasegate dev --data-dir DIR  # a folder you may write to",
        ) from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            file.seek(0)
            raise EngineError(
                f"another `phasegate dev` uses {folder}",
                f"it runs as process {file.read().strip() or 'unknown'}",
                "phasegate dev --data-dir DIR --port 7333 --ui-port 8333",
            ) from error
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield
