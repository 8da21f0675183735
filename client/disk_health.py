"""Whether there is room to write: a full disk still takes a little, so a trial does not tell."""

from __future__ import annotations

import shutil
from pathlib import Path

from sqlalchemy.engine import make_url

from client.checkup import Check
from client.settings import Settings

FULL = 64 * 2**20
"""Bytes. A batch of announcements is at most about 1 MB, and SQLite writes it twice."""

SCARCE = 512 * 2**20
"""Bytes; about 400,000 events."""


def examine_disk(settings: Settings) -> Check | None:
    """Room for a ledger that is a file. None for a database server, whose disk is its own."""
    url = make_url(settings.ledger_url)
    if url.get_backend_name() != "sqlite" or not url.database:
        return None
    folder = Path(url.database).absolute().parent
    while not folder.exists():  # it is made with the first write
        folder = folder.parent
    left = shutil.disk_usage(folder).free
    what = f"{left // 2**20} MiB are free where the ledger is, at {folder}"
    if left < SCARCE:
        state = "fail" if left < FULL else "warn"
        mend = f"df -h {folder}  # make room; what could not be written is tried again"
        return Check(check="disk", state=state, what=what, mend=mend)
    return Check(check="disk", state="ok", what=what)
