"""One embedded server per data folder."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from ledger.privacy import private_folder
from phasegate.errors import EngineError


@dataclass(frozen=True)
class Lock:
    """A held lock. A server that is given `descriptor` holds it, too, and `note` says which."""

    file: TextIO

    @property
    def descriptor(self) -> int:
        return self.file.fileno()

    def note(self, server: int | None = None) -> None:
        """Write down who holds it, for whoever is refused."""
        self.file.seek(0)
        self.file.truncate(0)
        self.file.write(f"{os.getpid()} {server or ''}")
        self.file.flush()


@contextmanager
def locked(folder: Path) -> Iterator[Lock]:
    """Hold the folder's lock; the system lets go of it once all who hold it have ended, however.

    Raises EngineError where another process holds it, or the folder cannot be used.
    """
    try:
        private_folder(folder)
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
            raise _in_use(folder, file.read().split()) from error
        lock = Lock(file)
        lock.note()
        yield lock


def _in_use(folder: Path, noted: list[str]) -> EngineError:
    """Who has the folder: another `phasegate dev`, or the server of one that was killed."""
    dev, server = (*noted, *("unknown", "")[len(noted) :])[:2]
    if server and not _alive(dev):
        return EngineError(
            f"the Temporal server of an earlier `phasegate dev` still uses {folder}",
            f"process {dev} died without stopping it; it runs as process {server}",
            f"kill {server}  # then start `phasegate dev` again: the state is kept",
        )
    return EngineError(
        f"another `phasegate dev` uses {folder}",
        f"it runs as process {dev}",
        "phasegate dev --data-dir DIR --port 7333 --ui-port 8333",
    )


def _alive(process: str) -> bool:
    try:
        os.kill(int(process), 0)
    except (ValueError, ProcessLookupError):
        return False
    except PermissionError:
        return True
    return True
