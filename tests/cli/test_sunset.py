"""A sunset from the command line: planned, started, aborted, and carried through."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cli.shell import DIRECTORY, Shell

POLICY = """\
policy: leaving
version: "1"
title: Leaving
phases:
  - id: market
    title: Market
    in_market: true
    gate: {id: retire, title: Retire, opens: submit, requires: [{group: product}]}
sunset:
  legal_hold_by: eng
  tasks:
    - {id: told, title: Notice, kind: notice}
    - {id: keys, title: Revoke keys, kind: manual, by: eng, proof: [count]}
    - {id: drinks, title: Farewell drinks, kind: manual, undo: {kind: manual}}
    - id: down
      title: Take it down
      kind: gate
      point_of_no_return: true
      gate: {id: down, title: Take it down, requires: [{group: eng}]}
    - {id: wiped, title: Data deleted, kind: manual, effect: deletion, proof: [digest]}
"""


def begin(shell: Shell, key: str) -> None:
    """A product of this policy, in the market."""
    shell.write("leaving.yaml", POLICY)
    shell.write("people.yaml", DIRECTORY)
    product = shell.write(
        f"{key}.yaml", f"key: {key}\nname: Kettle\nowner: olga\nmaturity: alpha\n"
    )
    options = ("--policy", "leaving.yaml", "--directory", "people.yaml")
    started = shell("product", "start", product, *options)
    assert started.code == 0, started.err
    shell.until(lambda: taken(shell, "product", "show", key)["phase"] == "market")
    shell.told(key, "product.phase-entered")  # plans are laid out on the record


def taken(shell: Shell, *words: str) -> Any:
    result = shell(*words, "-o", "json")
    assert result.code == 0, result.err
    return result.json


def refused(shell: Shell, *words: str) -> tuple[int, str, str]:
    """Exit code, code and hint of a refusal."""
    result = shell(*words, "-o", "json")
    assert result.code, result.out
    return result.code, result.error.get("code", ""), result.error["hint"]


def leave(shell: Shell, key: str, round_number: int = 1) -> None:
    """Decide on the sunset, until its manual tasks wait."""
    assert taken(shell, "sunset", "start", key, "--as", "olga")["gate"] == "retire"
    shell.until(lambda: shell("gate", "vote", f"{key}/retire", "go", "--as", "ana").code == 0)
    shell.until(lambda: states(shell, key).get("keys") == "waiting")

    def rounds() -> list[int]:  # that it was decided may be written later
        return [r["round"] for r in taken(shell, "gate", "list", key) if r["gate"] == "retire"]

    shell.until(lambda: rounds()[-1:] == [round_number])


def states(shell: Shell, key: str) -> dict[str, str]:
    found = shell("sunset", "show", key, "-o", "json")
    if found.code or found.json["status"] not in ("sunsetting", "aborting", "retired"):
        return {}
    return {task["id"]: task["state"] for task in found.json["tasks"]}


def status(shell: Shell, key: str) -> str:
    return str(taken(shell, "product", "show", key)["status"])


def test_an_aborted_sunset_and_a_second_that_is_carried_through(served: Shell) -> None:
    key = "leaver"
    begin(served, key)
    code, _, hint = refused(served, "sunset", "show", key)
    assert (code, hint) == (1, f"phasegate sunset plan {key} --dry-run")
    assert refused(served, "sunset", "start", key, "--as", "eve")[:2] == (4, "not-owner")
    leave(served, key)

    page = served("sunset", "show", key).out
    assert "Waits for people:" in page
    assert f"phasegate sunset confirm {key} keys --note TEXT --as WHO --proof count=VALUE" in page
    assert "Up to gate down, the point of no return:" in page
    assert "After the last gate:" in page
    asked = f"phasegate sunset confirm {key} keys"  # which the sunset tells its product
    served.until(lambda: asked in taken(served, "product", "show", key)["waiting_for"])

    confirm = ("sunset", "confirm", key, "keys", "--note", "all 12", "--as")
    assert refused(served, *confirm, "bo")[1] == "proof-missing"
    assert refused(served, *confirm, "eve", "--proof", "count=12")[:2] == (4, "not-confirmer")
    taken(served, *confirm, "bo", "--proof", "count=12")
    taken(served, "sunset", "confirm", key, "drinks", "--note", "merry", "--as", "olga")
    served.until(lambda: states(served, key).get("drinks") == "done")

    abort = ("sunset", "abort", key, "--reason", "a buyer was found", "--as")
    listed = taken(served, *abort, "olga", "--dry-run")
    assert [(u["task"], bool(u["how"])) for u in listed] == [
        ("drinks", True), ("keys", False), ("told", True),
    ]  # fmt: skip
    page = served(*abort, "olga", "--dry-run").out
    assert "Would be undone, in this order:" in page
    assert "Would stay as it is" in page
    code, _, hint = refused(served, *abort, "olga")
    assert (code, hint.endswith("--yes"), "'a buyer was found'" in hint) == (2, True, True)
    assert refused(served, *abort, "eve", "--yes")[0] == 4
    assert status(served, key) == "sunsetting"
    taken(served, *abort, "olga", "--yes")
    served.until(lambda: states(served, key).get("drinks") in ("undoing", "waiting"))
    undone = ("sunset", "confirm", key, "drinks", "--note", "paid", "--as", "olga")
    served.until(lambda: served(*undone).code == 0)
    served.until(lambda: status(served, key) == "active")
    shown = taken(served, "product", "show", key)
    assert (shown["phase"], shown["sunsets"]) == ("market", 1)
    assert shown["past_sunsets"][0]["why"] == "a buyer was found"
    assert taken(served, "sunset", "show", key)["status"] == "aborted"
    assert refused(served, *abort, "olga", "--yes")[0] == 1

    leave(served, key, 2)
    assert taken(served, "sunset", "show", key)["number"] == 2
    taken(served, *confirm, "bo", "--proof", "count=12")
    taken(served, "sunset", "confirm", key, "drinks", "--note", "merry", "--as", "olga")
    served.until(lambda: served("gate", "vote", f"{key}/down", "go", "--as", "bo").code == 0)
    served.until(lambda: states(served, key).get("wiped") == "waiting")
    code, why, hint = refused(served, *abort, "olga", "--yes")
    assert (code, why, hint) == (1, "point-of-no-return", f"phasegate sunset show {key}")
    assert refused(served, *abort, "olga", "--dry-run")[1] == "point-of-no-return"
    assert "no: Take it down has passed" in served("sunset", "show", key).out
    wiped = ("sunset", "confirm", key, "wiped", "--note", "gone", "--as", "olga")
    taken(served, *wiped, "--proof", "digest=sha256:ab12")
    served.until(lambda: status(served, key) == "retired")
    watched = served("sunset", "show", key, "--watch")
    assert (watched.code, "retired" in watched.out) == (0, True)
    assert "sha256:ab12" in str(taken(served, "sunset", "show", key)["tasks"][-1])


def test_a_sunset_starts_with_its_plan_or_not_at_all(served: Shell) -> None:
    key = "planned-leaver"
    begin(served, key)
    start = ("sunset", "start", key)
    file = served.write("plan.yaml", "skip:\n  drinks: nobody comes\nnotice_text: So long\n")
    shown = served(*start, file, "--as", "olga", "--dry-run")
    assert (shown.code, "left out: nobody comes" in shown.out) == (0, True), shown.err
    assert "retire would open; nothing was done" in shown.err
    assert taken(served, "product", "show", key)["adjustments"] is None
    assert taken(served, "product", "show", key)["gate"] is None

    faulty = served.write("faulty.yaml", "skip:\n  down: we are sure\n")
    result = served(*start, faulty, "--as", "olga")
    assert (result.code, "faulty.yaml:2:" in result.err) == (2, True), result.err
    past = served(*start, "--notice", "2020-01-01", "--as", "olga")
    assert (past.code, "2020-01-01" in past.err) == (1, True), past.err
    assert taken(served, "product", "show", key)["gate"] is None, "nothing was submitted"

    done = served(*start, file, "--as", "olga", "-o", "json")
    assert (done.code, done.json["gate"]) == (0, "retire"), done.err
    assert "is planned" in done.err
    adjusted = taken(served, "product", "show", key)["adjustments"]
    assert adjusted["skip"] == {"drinks": "nobody comes"}
    served.until(lambda: served("gate", "vote", f"{key}/retire", "go", "--as", "ana").code == 0)
    served.until(lambda: states(served, key).get("drinks") == "skipped")
    assert refused(served, *start, "--as", "olga")[1] == "sunset-under-way"


def test_legal_holds_from_the_command_line(served: Shell) -> None:
    key = "held-leaver"
    begin(served, key)
    hold = ("sunset", "legal-hold", key, "case-77", "--reason", "letter of 3 May", "--as")
    assert refused(served, *hold, "olga")[:2] == (4, "not-legal-holder")
    assert refused(served, *hold, "bo", "--lift")[:2] == (1, "no-such-hold")
    assert "placed" in taken(served, *hold, "bo")["text"]
    assert taken(served, "product", "show", key)["legal_holds"] == ["case-77"]
    leave(served, key)
    assert "case-77 (by bo): letter of 3 May" in served("sunset", "show", key).out
    assert "lifted" in taken(served, *hold, "bo", "--lift")["text"]
    assert taken(served, "sunset", "show", key)["legal_holds"] == []


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("sunset", "legal-hold", "kite", "Case 77", "--reason", "r", "--as", "bo"), "MATTER"),
        (("sunset", "confirm", "kite", "keys", "--note", "n", "--as", "bo", "--proof", "12"),
         "--proof"),
        (("sunset", "abort", "kite", "--reason", "", "--as", "bo", "--yes"), "--reason"),
        (("sunset", "abort", "kite", "--as", "bo", "--yes"), "--reason"),
        (("sunset", "start", "Kite Flyer", "--as", "bo"), "kite-flyer"),
    ],
)  # fmt: skip
def test_what_cannot_be_understood_is_said_before_anybody_is_asked(
    shell: Shell, words: tuple[str, ...], why: str
) -> None:
    result = shell(*words)
    assert (result.code, why in result.err) == (2, True), result.err
