"""What a worker's surroundings decide about activities."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ledger import data_dir


@dataclass(frozen=True)
class ActivitySettings:
    """Folders that retirement tasks read from and write to."""

    archive_root: Path
    """What archive tasks may pack lies below this folder."""

    archives: Path
    """Archives are written here."""

    @classmethod
    def from_env(cls, env: Mapping[str, str] = os.environ) -> ActivitySettings:
        """PHASEGATE_ARCHIVE_ROOT, else `archive-source` in the data folder; `archives` there."""
        data = data_dir(env)
        root = env.get("PHASEGATE_ARCHIVE_ROOT")
        return cls(
            archive_root=Path(root).expanduser().absolute() if root else data / "archive-source",
            archives=data / "archives",
        )
