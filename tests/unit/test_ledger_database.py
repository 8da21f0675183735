"""A ledger that cannot be used says so, and is used again once it can be."""

import shutil
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ledger import Ledger, LedgerError, data_dir, ledger_url
from ledger.url import shown
from phasegate.events import Announcement


def event(n: int) -> Announcement:
    return Announcement(
        id=f"e{n}",
        type="t",
        product="atlas",
        source="s",
        at=datetime(2026, 1, 1, tzinfo=UTC),
        text="text " * 100,
    )


def test_the_pragmas_hold_on_every_connection(tmp_path: Path) -> None:
    ledger = Ledger(f"sqlite:///{tmp_path}/ledger.db")
    with ledger.database.reading() as connection:
        asked = ("journal_mode", "busy_timeout", "foreign_keys", "synchronous")
        found = [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in asked]
    assert found == ["wal", 5000, 1, 2]
    ledger.close()


def test_a_folder_in_place_of_the_file_heals_when_it_is_gone(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    path.mkdir()
    ledger = Ledger(f"sqlite:///{path}")
    with pytest.raises(LedgerError, match="unable to open") as error:
        ledger.append("atlas", [event(1)])
    assert str(path) in error.value.hint
    assert "cannot be written" in error.value.what
    path.rmdir()
    assert ledger.append("atlas", [event(1)]).seq == 1
    ledger.close()


def test_a_file_in_place_of_the_folder_heals_when_it_is_gone(tmp_path: Path) -> None:
    blocker = tmp_path / "data"
    blocker.write_text("in the way")
    ledger = Ledger(f"sqlite:///{blocker}/ledger.db")
    for _ in range(2):
        with pytest.raises(LedgerError, match="cannot be read"):
            ledger.head("atlas")
    blocker.unlink()
    assert ledger.append("atlas", [event(1)]).seq == 1
    ledger.close()


def test_something_else_in_the_file_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    path.write_text("this is a shopping list, not a database; " * 50)
    ledger = Ledger(f"sqlite:///{path}")
    with pytest.raises(LedgerError, match="not a database"):
        ledger.streams()
    ledger.close()


def test_a_file_that_was_replaced_is_opened_anew(tmp_path: Path) -> None:
    """An idle connection to the old file would write where nobody ever reads."""
    path, backup = tmp_path / "ledger.db", tmp_path / "backup.db"
    ledger = Ledger(f"sqlite:///{path}")
    ledger.append("atlas", [event(1)])
    ledger.close()
    shutil.copy(path, backup)
    ledger.append("atlas", [event(2)])
    for old in tmp_path.glob("ledger.db*"):
        old.unlink()
    backup.rename(path)
    assert ledger.append("atlas", [event(3)]).seq == 2
    other = Ledger(f"sqlite:///{path}")
    assert [entry.announcement.id for entry in other.events("atlas")] == ["e1", "e3"]
    assert other.verify("atlas") == 2
    ledger.close()
    other.close()


def test_a_deleted_file_is_an_error_once_and_then_a_new_ledger(tmp_path: Path) -> None:
    ledger = Ledger(f"sqlite:///{tmp_path}/ledger.db")
    ledger.append("atlas", [event(1)])
    for old in tmp_path.glob("ledger.db*"):
        old.unlink()
    with pytest.raises(LedgerError, match="no such table"):
        ledger.append("atlas", [event(2)])
    assert ledger.append("atlas", [event(1), event(2)]).seq == 2
    ledger.close()


def test_a_ledger_locked_for_too_long_is_an_error(tmp_path: Path) -> None:
    ledger = Ledger(f"sqlite:///{tmp_path}/ledger.db")
    ledger.append("atlas", [event(1)])
    other = sqlite3.connect(tmp_path / "ledger.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    assert ledger.verify("atlas") == 1  # readers do not wait for writers
    with pytest.raises(LedgerError, match="locked"):
        ledger.append("atlas", [event(2)])
    other.execute("ROLLBACK")
    other.close()
    assert ledger.append("atlas", [event(2)]).seq == 2
    ledger.close()


FULL_DISK = """
import resource, sys
from datetime import UTC, datetime
from ledger import Ledger, LedgerError
sys.path.insert(0, sys.argv[2])
from test_ledger_database import event
ledger = Ledger("sqlite:///" + sys.argv[1])
ledger.append("atlas", [event(0)])
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, resource.RLIM_INFINITY))
failed = 0
for n in range(1, 60):
    batch = [event(n * 10 + i) for i in range(10)]
    try:
        ledger.append("atlas", batch)
    except LedgerError as error:
        failed += 1
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
        ledger.append("atlas", batch)
        resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, resource.RLIM_INFINITY))
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
assert failed, "the limit was never met"
assert ledger.verify("atlas") == 591, ledger.verify("atlas")
ledger.close()
"""


def test_a_full_disk_leaves_the_record_whole_and_heals(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(tmp_path / "ledger.db"), str(Path(__file__).parent)],
        check=True,
        timeout=180,
    )


def test_a_newer_schema_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    ledger = Ledger(f"sqlite:///{path}")
    ledger.streams()
    ledger.close()
    connection = sqlite3.connect(path)
    connection.execute("INSERT INTO schema_version VALUES (99, 99)")
    connection.commit()
    connection.close()
    with pytest.raises(LedgerError, match="99"):
        ledger.streams()
    ledger.close()


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "sqlite:///file:x?uri=true"])
def test_a_ledger_in_memory_is_refused(url: str) -> None:
    with pytest.raises(LedgerError, match="must be a file"):
        Ledger(url)


@pytest.mark.parametrize(
    "url",
    ["secret-word", "nosuch://ann:secret-word@host/db", "postgresql+nodriver://a:secret-word@h/db"],
)
def test_an_unusable_url_is_explained_without_its_password(url: str) -> None:
    with pytest.raises(LedgerError) as error:
        Ledger(url)
    said = f"{error.value} {error.value.hint}"
    assert "secret-word" not in said
    assert error.value.hint


def test_passwords_are_never_shown() -> None:
    url = "postgresql+psycopg://ann:secret-word@host/db?sslpassword=secret-word"
    assert shown(url) == "postgresql+psycopg://ann:***@host/db"


def test_where_the_ledger_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ann")
    assert ledger_url({}) == "sqlite:////home/ann/.local/share/phasegate/ledger.db"
    assert data_dir({"XDG_DATA_HOME": "/xdg"}) == Path("/xdg/phasegate")
    assert data_dir({"XDG_DATA_HOME": "relative"}) == Path("/home/ann/.local/share/phasegate")
    assert data_dir({"PHASEGATE_DATA_DIR": "~/gates", "XDG_DATA_HOME": "/xdg"}) == Path(
        "/home/ann/gates"
    )
    assert ledger_url({"PHASEGATE_LEDGER": "postgresql://h/db"}) == "postgresql://h/db"
    odd = tmp_path / "a %20 b?#ü"
    ledger = Ledger(ledger_url({"PHASEGATE_DATA_DIR": str(odd)}))
    ledger.append("atlas", [event(1)])
    ledger.close()
    assert (odd / "ledger.db").is_file()
