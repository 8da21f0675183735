"""What deploy/postgres/10-roles.sh makes of a fresh volume, whatever the passwords hold."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from postgres import USER, Server, running_postgres
from processes import ROOT

SCRIPT = ROOT / "deploy/postgres/10-roles.sh"
FILES = {
    "postgres-temporal": "temporal",
    "ledger-owner": "phasegate_owner",
    "ledger-worker": "phasegate_worker",
    "ledger-people": "phasegate_people",
}
PASSWORD = """it's "quoted" \\ $HOME `id` :'people' %s"""


@pytest.fixture(scope="module")
def volume() -> Iterator[Server]:
    """A server that asks our roles for their passwords."""
    with running_postgres() as server:
        server.stop()
        rules = server.data / "pg_hba.conf"
        asked = "".join(f"host all {role} 127.0.0.1/32 scram-sha-256\n" for role in FILES.values())
        rules.write_text(asked + rules.read_text())
        server.start()
        yield server


def made(volume: Server, secrets: Path) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        "PATH": f"{volume.bin}:{os.environ['PATH']}",
        "PGHOST": "127.0.0.1",
        "PGPORT": str(volume.port),
        "POSTGRES_USER": USER,
        "SECRETS": str(secrets),
    }
    return subprocess.run(
        ["bash", SCRIPT], env=environment, capture_output=True, text=True, check=False
    )


def test_a_password_is_taken_as_it_is(
    volume: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in FILES:
        (tmp_path / name).write_text(f"{PASSWORD} of {name}\n")
    (tmp_path / "ledger-people").write_text("")
    refused = made(volume, tmp_path)
    assert refused.returncode == 1
    assert "ledger-people is not there, or is empty" in refused.stderr
    roles = "SELECT count(*) FROM pg_roles WHERE rolname IN ('temporal', 'phasegate_owner')"
    assert volume.sql("postgres", roles).stdout == "0\n"

    (tmp_path / "ledger-people").write_text(f"{PASSWORD} of ledger-people\n")
    done = made(volume, tmp_path)
    assert done.returncode == 0, done.stderr
    for name, role in FILES.items():
        database = "temporal" if role == "temporal" else "phasegate"
        monkeypatch.setenv("PGPASSWORD", f"{PASSWORD} of {name}")
        answer = volume.sql(database, "SELECT current_user", role)
        assert answer.stdout == f"{role}\n", answer.stderr
        monkeypatch.setenv("PGPASSWORD", "guessed")
        assert "password authentication failed" in volume.sql(database, "SELECT 1", role).stderr
    again = made(volume, tmp_path)
    assert again.returncode != 0
    assert "already exists" in again.stderr
