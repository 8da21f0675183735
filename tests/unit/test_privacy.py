"""What is written to a disk is for its owner only."""

from __future__ import annotations

import stat
from pathlib import Path

from client.dev_lock import locked
from ledger import Ledger


def others(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode) & 0o077


def test_a_new_ledger_is_its_owners(tmp_path: Path) -> None:
    file = tmp_path / "share" / "phasegate" / "ledger.db"
    ledger = Ledger(f"sqlite:///{file}")
    assert ledger.events("atlas") == []
    with ledger.documents._database.writing():
        written = list(file.parent.iterdir())
    assert {path.name for path in written} >= {"ledger.db", "ledger.db-wal", "ledger.db-shm"}
    for path in (*written, file.parent, file.parent.parent):
        assert not others(path), path
    ledger.close()


def test_one_that_is_shared_on_purpose_stays_so(tmp_path: Path) -> None:
    folder = tmp_path / "shared"
    folder.mkdir(mode=0o750)
    (file := folder / "ledger.db").touch(mode=0o640)
    ledger = Ledger(f"sqlite:///{file}")
    assert ledger.events("atlas") == []
    ledger.close()
    assert (others(folder), others(file)) == (0o050, 0o040)


def test_the_data_folder_is_its_owners(tmp_path: Path) -> None:
    with locked(tmp_path / "data"):
        assert not others(tmp_path / "data")
