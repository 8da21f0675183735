"""What a worker's surroundings decide about activities."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from ledger import data_dir
from phasegate.errors import PhasegateError
from phasegate.span import Span

STUCK_AFTER = timedelta(minutes=15)


class SettingUnusable(PhasegateError):
    """A variable of the worker's environment cannot be used."""


@dataclass(frozen=True)
class ActivitySettings:
    """Folders that archives are made from and written to, and how patient people are."""

    archive_root: Path
    """What archive tasks may pack lies below this folder."""

    archives: Path
    """Archives are written here."""

    stuck_after: timedelta = STUCK_AFTER
    """People are told of an act that has failed for so long. Above zero."""

    @classmethod
    def from_env(cls, env: Mapping[str, str] = os.environ) -> ActivitySettings:
        """PHASEGATE_ARCHIVE_ROOT, else `archive-source` in the data folder; `archives` there.

        PHASEGATE_STUCK_AFTER, a span, else 15 minutes. Raises SettingUnusable.
        """
        data = data_dir(env)
        root = env.get("PHASEGATE_ARCHIVE_ROOT")
        return cls(
            archive_root=Path(root).expanduser().absolute() if root else data / "archive-source",
            archives=data / "archives",
            stuck_after=_stuck_after(env.get("PHASEGATE_STUCK_AFTER", "")),
        )


def _stuck_after(text: str) -> timedelta:
    if not text:
        return STUCK_AFTER
    try:
        span = Span.parse(text).approximate
    except ValueError as error:
        why = str(error)
    else:
        if span > timedelta(0):
            return span
        why = f"{text} is not ahead"
    raise SettingUnusable(
        "PHASEGATE_STUCK_AFTER cannot be used", why, "export PHASEGATE_STUCK_AFTER='15 minutes'"
    )
