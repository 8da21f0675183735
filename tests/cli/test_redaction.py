"""Somebody is taken out of the record of a real product, and everybody else goes on reading it."""

from __future__ import annotations

import json
from pathlib import Path

from ledger import Ledger
from tests.cli.shell import Shell

REASON = ("--reason", "erasure request 17", "--as", "ana")


def test_a_voter_of_a_decided_gate_is_taken_out(served: Shell, tmp_path: Path) -> None:
    served.at_gate("forget")
    refused = served("gate", "vote", "forget", "go", "--as", "eve", "--comment", "let me in")
    assert refused.code == 4
    promise = json.dumps({"text": "Rotate cy's own keys", "due": "2031-03-01"})
    for who, more in (
        ("bo", ("--comment", "cy knows best")),
        ("ana", ()),
        ("cy", ("--comment", "my back hurts", "--condition", promise)),
    ):
        word = "conditional-go" if who == "cy" else "go"
        voted = served("gate", "vote", "forget/launch", word, "--as", who, *more)
        assert voted.code == 0, voted.err
    assert served("gate", "show", "forget/launch", "--wait", "--timeout", "90").code == 0

    def recorded() -> bool:  # gate and product write on their own, in any order
        said = served("events", "list", "forget", "--after", "8").out
        return "gate.decided" in said and "product.phase-entered" in said

    served.until(recorded)
    head = served("audit", "head", "forget").out
    before = served("audit", "verify", "--ledger", "forget", "-o", "json").json
    assert before["ok"], before

    redact = ("audit", "redact", "forget", "--person", "cy", *REASON)
    unasked = served(*redact)
    assert (unasked.code, "needs --yes" in unasked.err) == (2, True)
    looked = served(*redact, "--dry-run", "-o", "json")
    assert looked.code == 0, looked.err
    votes = [e for e in looked.json["products"][0]["entries"] if e["type"] == "gate.vote"]
    assert ["data.comment" in entry["fields"] for entry in votes] == [True, True]
    done = served(*redact, "--yes", "-o", "json")
    assert done.code == 0, done.err
    assert "forget runs" in done.err
    who = done.json["pseudonym"]
    assert served(*redact, "--yes", "-o", "json").json["products"] == []

    events = served("events", "list", "forget", "-o", "json")
    assert "hurts" not in events.out
    assert '"cy"' not in events.out
    last = events.json[-1]
    assert (last["type"], last["data"]["reason"]) == ("record.redacted", "erasure request 17")
    gate = served("gate", "show", "forget/launch", "--round", "1", "-o", "json").json
    assert [(v["approver"], v["vote"], v["comment"]) for v in gate["votes"]] == [
        ("bo", "go", f"{who} knows best"),
        ("ana", "go", ""),
        (who, "conditional-go", "[redacted]"),
    ]
    assert [c["text"] for c in gate["conditions"]] == ["[redacted]"]
    assert gate["outcome"] == "conditional-go"
    page = tmp_path / "forget.html"
    told = served("report", "retrospective", "forget", "--html", str(page))
    assert told.code == 0, told.err
    assert who in page.read_text()
    for command in (
        *(("report", "portfolio"), ("report", "slo"), ("roadmap", "forget")),
        *(("gate", "list", "forget"), ("gate", "show", "forget/launch", "--round", "1")),
    ):
        read = served(*command)
        assert read.code == 0, read.err
    heads = served.write("heads.txt", head)
    found = served("audit", "verify", "--ledger", "forget", "--head", heads, "-o", "json")
    assert found.code == 3, found.out + found.err  # nobody can check what rested on those words
    assert (found.json["ok"], found.json["heads"], found.json["derived"]) == (True, 1, 1)
    assert found.json["erased"] > 0
    bundle = tmp_path / "forget.audit.zip"
    assert served("audit", "export", "forget", "--offline", "--out", str(bundle)).code == 0
    unasked = served("audit", "export", "forget", "--out", str(bundle), "--force")
    assert (unasked.code, "--histories adds them" in unasked.err) == (0, True)
    assert served("audit", "verify", str(bundle), "-o", "json").json["histories"] == 0
    whole = tmp_path / "whole.zip"
    asked = served("audit", "export", "forget", "--out", str(whole), "--histories")
    assert "warning: the histories in this file" in asked.err
    assert served("audit", "verify", str(whole), "-o", "json").json["histories"] > 0
    told = served("audit", "verify", str(bundle))
    assert (told.code, "adds up, as far as it can be checked" in told.out) == (3, True)


def test_what_is_asked_wrongly_is_said(shell: Shell) -> None:
    none = shell("audit", "redact", "atlas", "--person", "cy", *REASON)
    assert (none.code, "there is no ledger at" in none.err) == (1, True)
    Ledger(f"sqlite:///{shell.folder / 'ledger.db'}").streams()
    for words, why in (
        (("--person", "cy"), "KEY or --all"),
        (("atlas", "--all", "--person", "cy"), "KEY or --all"),
        (("atlas",), "--person or --customer"),
        (("atlas", "--person", "cy", "--customer", "c"), "--person or --customer"),
        (("atlas", "--person", "cy", "--also", "x"), "too short"),
        (("atlas", "--person", "cy", "--pseudonym", "cy"), "--pseudonym cy is none"),
    ):
        result = shell("audit", "redact", *words, *REASON)
        assert result.code == 2, result
        assert why in result.err
    none = shell("audit", "redact", "atlas", "--person", "cy", *REASON)
    assert (none.code, "atlas has no record" in none.err) == (1, True)
