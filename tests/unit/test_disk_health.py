"""Doctor's look at the disk that the ledger is on."""

from __future__ import annotations

from pathlib import Path

import pytest

from client import disk_health
from client.disk_health import examine_disk
from client.settings import Settings


def settings(url: str, folder: Path) -> Settings:
    return Settings(data_dir=folder, ledger_url=url, task_queue="q", ui_url="")


@pytest.mark.parametrize(("limit", "state"), [("FULL", "fail"), ("SCARCE", "warn")])
def test_a_disk_that_is_nearly_full_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str, state: str
) -> None:
    monkeypatch.setattr(disk_health, "FULL", 0)
    monkeypatch.setattr(disk_health, "SCARCE", 2**60)
    monkeypatch.setattr(disk_health, limit, 2**60)
    found = examine_disk(settings(f"sqlite:///{tmp_path / 'later' / 'ledger.db'}", tmp_path))
    assert found is not None
    assert (found.state, str(tmp_path) in found.what) == (state, True)
    assert found.mend.startswith(f"df -h {tmp_path}")


def test_the_disk_of_a_database_server_is_its_own(tmp_path: Path) -> None:
    assert examine_disk(settings("postgresql+psycopg://ledger@db/ledger", tmp_path)) is None
