"""`phasegate customer`, as a process."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from ledger import Ledger
from phasegate.customers import Row
from tests.cli.shell import Shell

CSV = """\
id,name,email,contract_until,migrated,note
c2,Bär & Co,post@baer.example,2028-05-31,,
c1,=cmd|' /C calc'!A0,ann@example.org,,yes,moved in May
"""


def imported(shell: Shell, key: str, *more: str) -> dict[str, Any]:
    found = shell("customer", "import", key, "c.csv", "--as", "olga", "-o", "json", *more)
    assert found.code == 0, found.err
    done: dict[str, Any] = found.json
    return done


def test_a_file_is_imported_listed_and_settled(served: Shell) -> None:
    key = "cust-flow"
    served.at_gate(key)
    served.write("c.csv", CSV)
    tried = imported(served, key, "--dry-run")
    assert (tried["new"], tried["dry_run"], tried["told"]) == (2, True, "")
    assert served("customer", "list", key, "-o", "json").json == []

    done = imported(served, key)
    assert (done["rows"], done["new"], done["sunset"]) == (2, 2, 1)
    assert done["told"] == f"product/{key}"
    counts = done["customers"]
    assert (counts["total"], counts["open"], counts["migrated"]) == (2, 1, 1)
    events = ("events", "list", key, "--type", "sunset.customers", "-o", "json")
    served.until(lambda: bool(served(*events).json))
    said = served(*events).json[0]
    assert said["actor"] == "olga"
    assert said["text"] == "2 customers were imported: 2 new, 0 changed; 1 of 2 are open"
    assert said["data"]["digest"] == done["digest"]

    again = served("customer", "import", key, "c.csv", "--as", "olga")
    assert again.code == 0
    assert "nothing has changed" in again.err
    assert len(served(*events).json) == 1

    listed = served("customer", "list", key, "--state", "open", "-o", "json").json
    assert [(row["id"], row["state"]) for row in listed] == [("c2", "open")]
    assert listed[0]["contract_until"] == "2028-05-31T23:59:59Z"
    words = ("customer", "settle", key, "c2", "waived")
    settled = served(*words, "--note", "has moved away", "--as", "olga", "-o", "json")
    assert settled.json["customers"]["open"] == 0
    head, *_ = served("customer", "list", key).out.splitlines()
    assert head.lower().split() == [
        *("id", "state", "name", "email", "contract", "until"),
        "migrated",
        "waived",
        "note",
    ]
    back = served(*words, "--note", "has not", "--undone", "--as", "olga", "-o", "json")
    assert back.json["customers"]["open"] == 1


def test_bad_rows_are_named_and_nothing_is_loaded(served: Shell) -> None:
    key = "cust-bad"
    served.at_gate(key)
    served.write("c.csv", 'id,email\nc1,"a\nb"\nc2,ok@example.org\nc2,ok@example.org\n,x@y.org\n')
    found = served("customer", "import", key, "c.csv", "--as", "olga")
    assert found.code == 2
    assert "c.csv has 3 problems, and nothing of it is taken" in found.err
    for line in ("c.csv:2:1: email: 'a b' is no mail address", "c.csv:5:1: id: 'c2'", "c.csv:6:1"):
        assert line in found.err
    machine = served("customer", "import", key, "c.csv", "--as", "olga", "-o", "json")
    assert [p["line"] for p in machine.error["problems"]] == [2, 5, 6]
    assert served("customer", "list", key, "-o", "json").json == []


def test_strangers_change_nothing(served: Shell) -> None:
    key = "cust-who"
    served.at_gate(key)
    served.write("c.csv", CSV)
    found = served("customer", "import", key, "c.csv", "--as", "eve")
    assert found.code == 4
    assert "only its owner, olga, and its team may" in found.err
    assert served("customer", "list", key, "-o", "json").json == []
    unknown = served("customer", "settle", key, "c9", "waived", "--note", "x", "--as", "olga")
    assert unknown.code == 1
    assert f"hint: phasegate customer list {key}" in unknown.err
    ended = served("product", "cancel", key, "--as", "olga", "--reason", "merged", "--yes")
    assert ended.code == 0
    shown = ("product", "show", key, "-o", "json")
    served.until(lambda: served(*shown).json["status"] == "cancelled")
    late = served("customer", "import", key, "c.csv", "--as", "olga", "-o", "json")
    assert (late.code, late.error["code"]) == (1, "product-ended")


def test_what_steers_a_terminal_is_refused_or_not_printed(shell: Shell) -> None:
    """Names come from other systems; what an older release let in is not printed either."""
    shell.write("c.csv", "id,name\nc1,a\x1b]0;owned\x07b\n")
    found = shell("customer", "import", "atlas", "c.csv", "--as", "olga")
    assert found.code == 2
    assert "\x1b" not in found.err
    ledger = Ledger(f"sqlite:///{shell.folder / 'ledger.db'}")
    ledger.customers.put("atlas", 1, [Row("c1", name="a\x1b[31mb")], datetime.now(UTC), "olga")
    ledger.close()
    listed = shell("customer", "list", "atlas", "--sunset", "1")
    assert listed.code == 0, listed.err
    assert "c1" in listed.out
    assert "\x1b" not in listed.out
    assert json.loads(shell("customer", "list", "atlas", "--sunset", "1", "-o", "jsonl").out)


def test_files_and_words_that_cannot_be_used(shell: Shell) -> None:
    for words, why in (
        (("import", "atlas", "none.csv", "--as", "olga"), "No such file"),
        (("import", "atlas", ".", "--as", "olga"), "Is a directory"),
        (("settle", "atlas", "c1", "moved", "--note", "x", "--as", "olga"), "moved"),
        (("list", "atlas", "--sunset", "1", "--limit", "-1"), "--limit"),
        (("list", "atlas", "--sunset", str(10**20)), "--sunset"),
        (("settle", "atlas", "c1", "waived", "--note", " ", "--as", "olga"), "--note is empty"),
        (
            ("settle", "atlas", "c1", "waived", "--note", "x", "--on", "soon", "--as", "olga"),
            "--on 'soon' is no date",
        ),
        (
            (
                "settle",
                "atlas",
                "c1",
                "waived",
                "--note",
                "x",
                "--on",
                "2027-01-01",
                "--undone",
                "--as",
                "olga",
            ),
            "--on and --undone do not go together",
        ),
    ):
        found = shell("customer", *words)
        assert found.code == 2, words
        assert why in found.err, found.err
        assert "hint: " in found.err
    shell.write("c.csv", "id\nc1\n")
    alone = shell("customer", "import", "atlas", "c.csv", "--as", "olga")
    assert alone.code == 1
    assert "nothing listens there" in alone.err
