"""`phasegate report retrospective` as people call it: from a ledger, without any server."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sqlalchemy import text
from tales import day
from whole_life import HOSTILE, policy, whole_life

from client.settings import Settings
from ledger import Ledger
from tests.cli.shell import Shell


@pytest.fixture
def ledger(shell: Shell) -> Ledger:
    return Ledger(Settings.load({"PHASEGATE_DATA_DIR": str(shell.folder)}).ledger_url)


@pytest.fixture
def recorded(shell: Shell, ledger: Ledger) -> Shell:
    """A shell whose ledger has the whole life of a product, by a policy that is published."""
    digest = ledger.documents.publish("policy", "tiny", policy(), day(0), "olga")
    tale = whole_life(digest=digest, said=HOSTILE.replace("\0", ""))
    ledger.append(tale.key, tale.events)
    ledger.close()
    return shell


def test_the_whole_life_for_machines(recorded: Shell, ledger: Ledger) -> None:
    found = recorded("report", "retrospective", "kettle", "-o", "json")
    assert found.code == 0, found.err
    life = found.json
    assert life["schema_version"] == 1
    assert [sunset["outcome"] for sunset in life["sunsets"]] == ["aborted", "retired"]
    assert life["head"] == ledger.head("kettle").model_dump()
    assert (life["chain_fault"], life["missing"]) == ("", [])
    assert life["started_at"] == "2026-01-05T09:00:00Z"
    lines = recorded("report", "retrospective", "kettle", "-o", "jsonl").out.splitlines()
    assert [json.loads(line)["key"] for line in lines] == ["kettle"]


def test_the_whole_life_for_people(recorded: Shell) -> None:
    found = recorded("report", "retrospective", "kettle")
    assert found.code == 0, found.err
    for said in ("Phases (calendar days", "Tasks of sunset 2", "checked, unbroken", "5 days late"):
        assert said in found.out
    assert "\u202e" not in found.out


def test_the_page_is_written(recorded: Shell, tmp_path: Path) -> None:
    page = tmp_path / "kettle.html"
    found = recorded("report", "retrospective", "kettle", "--html", str(page))
    assert (found.code, found.out) == (0, "")
    assert f"wrote {page}" in found.err
    assert page.read_text("utf-8").startswith("<!doctype html>")
    refused = recorded("report", "retrospective", "kettle", "--html", str(tmp_path / "no" / "x"))
    assert refused.code == 2
    assert "cannot be written" in refused.err


def test_a_record_that_was_tampered_with_is_told_and_said_to_be(
    recorded: Shell, ledger: Ledger, tmp_path: Path
) -> None:
    with ledger.database.writing() as connection:
        for trigger in connection.execute(
            text("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        ).scalars():
            connection.execute(text(f"DROP TRIGGER {trigger}"))
        connection.execute(text("UPDATE events SET body = replace(body, 'ana', 'bob')"))
    page = tmp_path / "kettle.html"
    found = recorded("report", "retrospective", "kettle", "--html", str(page), "-o", "json")
    assert found.code == 0, found.err
    assert "is not what its hash was taken of" in found.json["chain_fault"]
    assert "does not add up" in found.err
    assert "found broken" in page.read_text("utf-8")


def test_a_product_that_nobody_recorded(shell: Shell) -> None:
    found = shell("report", "retrospective", "kettle")
    assert found.code == 1
    assert "nothing can be told of kettle" in found.err
    assert "hint: phasegate report portfolio --all" in found.err
