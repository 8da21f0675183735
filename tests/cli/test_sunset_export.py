"""What the world reads of a sunset, from the command line: planned, under way and withdrawn."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path

from icalendar import Calendar, Event

from tests.cli.shell import DIRECTORY, Shell
from tests.cli.test_sunset import taken

POLICY = """\
policy: outgoing
version: "1"
title: Outgoing
phases:
  - id: market
    title: Market
    in_market: true
    gate: {id: retire, title: Retire, opens: submit, requires: [{group: product}]}
sunset:
  minimum_notice: {ga: 90 days}
  tasks:
    - {id: told, title: Notice, kind: notice, undo: {kind: notice, text: Never mind}}
    - {id: eos, title: Sales, kind: date, at: 60 days, marks: end-of-sales, remind: [30 days]}
    - {id: ro, title: Read-only, kind: date, at: 90 days}
    - {id: eol, title: End, kind: date, at: 120 days, marks: end-of-life, remind: [90 days, 0 days]}
    - id: down
      title: Take it down
      kind: gate
      at: 120 days
      point_of_no_return: true
      gate: {id: down, title: Take it down, requires: [{group: eng}]}
    - {id: wiped, title: Wiped, kind: manual, at: 150 days, effect: deletion}
"""
ADJUSTED = """\
dates: {eol: LAST}
successor: {name: Samovar, link: "https://samovar.example.org/"}
notice_text: We thank all who used it.
links: {notice: "https://kettle.example.org/end", migration: "https://kettle.example.org/move"}
"""
LAST = datetime.now(UTC).date() + timedelta(days=300)


def begin(shell: Shell, key: str) -> None:
    shell.write("outgoing.yaml", POLICY)
    shell.write("people.yaml", DIRECTORY)
    product = shell.write(
        f"{key}.yaml", f"key: {key}\nname: Kettle\nowner: olga\nmaturity: alpha\n"
    )
    options = ("--policy", "outgoing.yaml", "--directory", "people.yaml")
    started = shell("product", "start", product, *options)
    assert started.code == 0, started.err
    shell.until(lambda: taken(shell, "product", "show", key)["phase"] == "market")
    shell.told(key, "product.phase-entered")  # plans are laid out on the record


def exported(shell: Shell, key: str, what: str, *more: str) -> str:
    found = shell("sunset", "export", key, what, *more)
    assert found.code == 0, found.err
    return found.out


def calendar(shell: Shell, key: str) -> dict[str, Event]:
    file = shell.folder / f"{key}.ics"
    exported(shell, key, "calendar", "--out", str(file))
    return {str(e["summary"]): e for e in Calendar.from_ical(file.read_bytes()).events}


def test_outputs_of_a_plan_of_the_running_sunset_and_of_its_withdrawal(served: Shell) -> None:
    key = "outgoer"
    begin(served, key)

    # Planned by the policy alone.
    planned = served("sunset", "export", key, "openeox")
    assert planned.code == 0, planned.err
    record = json.loads(planned.out)
    assert record["end_of_sales"] < record["end_of_life"] == record["end_of_security_support"]
    assert record["general_availability"] <= record["last_updated"]
    assert "not public before the notice on" in planned.err
    before = calendar(served, key)
    assert {str(e["status"]) for e in before.values()} == {"TENTATIVE"}

    # Under way, with what its owner adjusted.
    served.write("out.yaml", ADJUSTED.replace("LAST", LAST.isoformat()))
    taken(served, "sunset", "start", key, "out.yaml", "--as", "olga")
    served.until(lambda: served("gate", "vote", f"{key}/retire", "go", "--as", "ana").code == 0)
    served.until(lambda: served("sunset", "show", key).code == 0)
    served.until(lambda: taken(served, "sunset", "show", key)["status"] == "sunsetting")
    after = calendar(served, key)
    assert {e["uid"] for e in before.values()} == {e["uid"] for e in after.values()}
    end, before_end = after["Kettle: End of life"], before["Kettle: End of life"]
    assert end["sequence"] > before_end["sequence"]
    assert end.decoded("dtstart") == LAST
    assert [alarm.decoded("trigger") for alarm in end.walk("VALARM")] == [
        timedelta(days=-90),
        timedelta(0),
    ]
    record = json.loads(exported(served, key, "openeox"))
    assert record["end_of_life"] == f"{LAST}T23:59:59Z"
    headers = exported(served, key, "headers").splitlines()
    said = dict(line.split(": ", 1) for line in headers[:2])
    assert parsedate_to_datetime(said["Sunset"]).date() == LAST
    assert int(said["Deprecation"].removeprefix("@")) <= datetime.now(UTC).timestamp()
    assert 'Link: <https://samovar.example.org/>; rel="successor-version"' in headers
    assert "add_header Sunset" in exported(served, key, "headers", "--format", "nginx")
    assert "\t+Link `<" in exported(served, key, "headers", "--format", "caddy")
    notice = exported(served, key, "notice")
    assert "We thank all who used it." in notice
    assert "What to use instead: Samovar: https://samovar.example.org/" in notice
    assert exported(served, key, "notice", "--format", "markdown").startswith("# Kettle is being")
    assert date.fromisoformat(record["end_of_sales"][:10]) < LAST

    # Withdrawn.
    taken(served, "sunset", "abort", key, "--reason", "a buyer", "--as", "olga", "--yes")
    served.until(lambda: taken(served, "product", "show", key)["status"] == "active")
    gone = calendar(served, key)
    assert {e["uid"] for e in gone.values()} == {e["uid"] for e in after.values()}
    assert {str(e["status"]) for e in gone.values()} == {"CANCELLED"}
    assert gone["Kettle: End of life"]["sequence"] > end["sequence"]
    assert json.loads(exported(served, key, "openeox"))["end_of_life"] == "tba"
    nothing = served("sunset", "export", key, "headers")
    assert (nothing.code, nothing.out) == (0, "")
    assert "no headers: the sunset is withdrawn" in nothing.err
    assert exported(served, key, "notice").startswith("Kettle stays")

    # What is left of it in the record.
    served.told(key, "product.back-in-market")
    life = taken(served, "report", "retrospective", key)
    (sunset,) = life["sunsets"]
    assert (life["status"], sunset["outcome"]) == ("active", "aborted")
    assert (sunset["aborted"]["by"], sunset["aborted"]["text"]) == ("olga", "a buyer")
    assert [plan["by"] for plan in sunset["plans"]] == ["olga", ""]
    tasks = {task["id"]: task for task in sunset["tasks"]}
    assert list(tasks) == ["told", "eos", "ro", "eol", "down", "wiped"]
    assert (tasks["told"]["state"], tasks["eol"]["state"]) == ("undone", "not-done")
    assert tasks["eol"]["planned"] == f"{LAST}T23:59:59Z"
    assert len(sunset["withdrawn"]) == 1
    assert [phase["id"] for phase in life["phases"]] == ["market", "sunset", "market"]
    assert (life["chain_fault"], life["missing"]) == ("", [])


def test_a_plan_is_exported_as_it_is_shown(served: Shell) -> None:
    """Contracts of open customers move the end of life, wherever it is told."""
    key = "contractor"
    begin(served, key)
    last = LAST + timedelta(days=200)
    file = served.write("customers.csv", f"id,contract_until\nacme,{last}\n")
    taken(served, "customer", "import", key, file, "--as", "olga")
    shown = taken(served, "sunset", "plan", key, "--dry-run")
    assert str(last) in json.dumps(shown)
    assert json.loads(exported(served, key, "openeox"))["end_of_life"] == f"{last}T23:59:59Z"


def test_what_cannot_be_exported(served: Shell, tmp_path: Path) -> None:
    key = "stayer"
    begin(served, key)
    schema = tmp_path / "core.json"
    schema.write_text(json.dumps({"type": "object", "required": ["end_of_life"]}))
    exported(served, key, "openeox", "--schema", str(schema))
    schema.write_text(json.dumps({"type": "object", "required": ["vendor"]}))
    code, why, _ = refused_export(served, key, "openeox", "--schema", str(schema))
    assert (code, "'vendor' is a required property" in why) == (1, True)
    for text in ("[]", "{"):
        schema.write_text(text)
        assert refused_export(served, key, "openeox", "--schema", str(schema))[0] == 2
    for words in (
        ("calendar", "--format", "nginx"),
        ("notice", "--format", "caddy"),
        ("notice", "--schema", str(schema)),
        ("notice", "--out", str(tmp_path / "no" / "such" / "folder")),
        ("poem",),
    ):
        assert refused_export(served, key, *words)[0] == 2
    code, _, hint = refused_export(served, "nobody", "notice")
    assert (code, hint.startswith("hint: phasegate")) == (1, True)


def refused_export(shell: Shell, key: str, *words: str) -> tuple[int, str, str]:
    """Exit code, what and why, and the hint."""
    found = shell("sunset", "export", key, *words)
    assert found.out == ""
    return found.code, found.err, (found.err.splitlines() or [""])[-1].strip()
