"""`phasegate audit` as people call it: processes, files and exit codes."""

from __future__ import annotations

import json
import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest

from ledger import Ledger
from tests.cli.shell import Shell


@pytest.fixture(scope="module")
def decided(served: Shell) -> Shell:
    """A shell whose product `audited` has passed its first gate."""
    served.at_gate("audited")
    for who in ("ana", "bo", "cy"):
        voted = served("gate", "vote", "audited/launch", "go", "--as", who)
        assert voted.code == 0, voted.err

    def recorded() -> bool:  # gate and product write on their own, in any order
        events = served("events", "list", "audited", "-o", "json").json
        decided = any(event["type"] == "gate.decided" for event in events)
        return decided and any(event["data"].get("phase") == "market" for event in events)

    served.until(recorded)
    return served


def test_a_bundle_is_written_verified_and_compared_with_a_head(
    decided: Shell, shell: Shell, tmp_path: Path
) -> None:
    head = decided("audit", "head", "audited")
    assert head.code == 0, head.err
    decided.write("heads.txt", f"Dear auditor,\n  {head.out}")
    exported = decided("audit", "export", "audited", "--out", str(tmp_path))
    assert exported.code == 0, exported.err
    file = tmp_path / "audited.audit.zip"
    assert exported.out == f"{file}\n"
    assert head.out.strip() in exported.err
    assert stat.S_IMODE(file.stat().st_mode) == 0o600

    # Another machine: no server, no ledger, nothing but the file and a letter with the head.
    letter = str(decided.folder / "heads.txt")
    found = shell("audit", "verify", str(file), "--head", letter, "-o", "json")
    assert found.code == 0, found.err
    report = found.json
    assert (report["ok"], report["heads"], report["derived"]) == (True, 1, 1)
    assert report["histories"] >= 2
    assert not report["unchecked"]
    assert not report["remarks"]
    assert not (shell.folder / "ledger.db").exists()
    shown = shell("audit", "verify", str(file))
    assert shown.code == 0
    assert "1 of 1 follow from their votes" in shown.out
    assert "none given" in shown.out

    product, seq, hash = head.out.split()
    wrong = shell("audit", "verify", str(file), "--head", f"{seq}:{'0' * 64}", "-o", "json")
    assert wrong.code == 1
    assert wrong.json["fault"]["seq"] == int(seq)
    assert "does not add up" in wrong.error["error"]
    assert shell("audit", "verify", str(file), "--head", f"{seq}:{hash}").code == 0
    assert product == "audited"


def test_a_file_that_is_there_is_not_replaced_unasked(decided: Shell, tmp_path: Path) -> None:
    file = tmp_path / "record.zip"
    file.write_text("mine")
    refused = decided("audit", "export", "audited", "--out", str(file), "--offline")
    assert refused.code == 2
    assert "--force" in refused.err
    assert file.read_text() == "mine"
    assert (
        decided("audit", "export", "audited", "--out", str(file), "--offline", "--force").code == 0
    )
    assert [path.name for path in tmp_path.iterdir()] == ["record.zip"]


def test_the_ledger_is_verified_in_place_without_a_server(decided: Shell) -> None:
    found = decided("audit", "verify", "--ledger", "audited", TEMPORAL_ADDRESS="127.0.0.1:1")
    assert found.code == 0, found.err
    exported = decided("audit", "export", "audited", TEMPORAL_ADDRESS="127.0.0.1:1")
    assert exported.code == 0, exported.err
    assert "without Temporal's histories" in exported.err
    rows = decided("audit", "head", "-o", "json").json
    decided.write("heads.json", json.dumps(rows))
    written = decided("audit", "export", "audited", "--offline", "--force", "-o", "json").json
    (mine,) = [row for row in rows if row["product"] == "audited"]
    assert written == {**mine, "file": "audited.audit.zip", "ok": True}
    assert decided("audit", "verify", "--ledger", "audited", "--head", "heads.json").code == 0


def test_a_broken_chain_has_no_head_and_a_report_says_how_far_it_went(
    decided: Shell, shell: Shell
) -> None:
    shell.write("heads.txt", decided("audit", "head", "audited").out)
    with (
        closing(sqlite3.connect(decided.folder / "ledger.db")) as sound,
        closing(sqlite3.connect(shell.folder / "ledger.db")) as copy,
    ):
        sound.backup(copy)
        for (name,) in copy.execute("select name from sqlite_master where type = 'trigger'"):
            copy.execute(f"drop trigger {name}")
        copy.execute("update events set body = body || ' ' where product = 'audited' and seq = 3")
        copy.commit()
    head = shell("audit", "head", "audited")
    assert (head.code, head.out) == (1, "")
    assert "entry 3" in head.err
    found = shell("audit", "verify", "--ledger", "audited", "--head", "heads.txt")
    assert found.code == 1
    shown = dict(line.split("  ", 1) for line in found.out.splitlines() if "  " in line)
    assert shown["chain"].strip() == "does not hold"
    for what in ("heads", "decided rounds", "votes", "signatures", "refusals"):
        assert shown[what].strip() == "not looked at"
    exported = shell("audit", "export", "audited", "--offline")
    assert (exported.code, exported.out) == (1, "audited.audit.zip\n")
    assert "does not add up at entry 3" in exported.err
    assert (shell.folder / "audited.audit.zip").exists()


def test_what_is_asked_wrongly_is_said(shell: Shell) -> None:
    shell.write("noise.zip", "not a zip")
    shell.write("no-heads.txt", "nothing here")
    for words, code, why in (
        (("verify",), 2, "name a bundle"),
        (("verify", "noise.zip", "--ledger", "atlas"), 2, "name a bundle"),
        (("verify", "none.zip"), 2, "cannot be read"),
        (("verify", "noise.zip"), 1, "no ZIP"),
        (("verify", "noise.zip", "--head", "12"), 2, "cannot be read"),
        (("verify", "noise.zip", "--head", "26:7c3f"), 2, "a hash has 64 digits"),
        (("verify", "noise.zip", "--head", "no-heads.txt"), 2, "has no head"),
        (("head",), 1, "there is no ledger at sqlite:///"),
        (("verify", "--ledger", "atlas"), 1, "there is no ledger at sqlite:///"),
        (("export", "atlas"), 1, "there is no ledger at sqlite:///"),
    ):
        result = shell("audit", *words)
        assert (result.code, why in result.err) == (code, True), (words, result)
        assert "hint:" in result.err
    assert not (shell.folder / "ledger.db").exists(), "reading makes no ledger"
    Ledger(f"sqlite:///{shell.folder / 'ledger.db'}").streams()
    for words, code, why in (
        (("verify", "--ledger", "atlas"), 1, "ledger.db knows no such product"),
        (("export", "atlas"), 1, "has no record"),
        (("head", "atlas"), 1, "has no record"),
    ):
        result = shell("audit", *words)
        assert (result.code, why in result.err) == (code, True), (words, result)
        assert "hint:" in result.err
