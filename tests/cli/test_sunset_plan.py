"""`sunset plan`: the calendar before anything starts, and a plan that is recorded and moved."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.cli.shell import DIRECTORY, Shell

EXAMPLES = Path(__file__).parents[2] / "examples"
PRODUCT = ("--product", str(EXAMPLES / "example.product.yaml"))

POLICY = """\
policy: fading
version: "1"
title: Fading
phases:
  - id: market
    title: Market
    in_market: true
    gate: {id: retire, title: Retire, opens: submit, requires: [{group: product}]}
sunset:
  tasks:
    - {id: told, title: Notice, kind: notice}
    - {id: sales, title: End of sales, kind: date, at: 6 months, marks: end-of-sales}
    - {id: life, title: End of life, kind: date, at: 12 months, marks: end-of-life}
    - id: down
      title: Take it down
      kind: gate
      relative_to: life
      point_of_no_return: true
      gate: {id: down, title: Take it down, requires: [{group: eng}]}
    - {id: wiped, title: Data deleted, kind: manual, by: eng, effect: deletion, proof: [digest]}
"""


pytestmark = pytest.mark.usefixtures("one_day")


def day(days: int) -> str:
    return f"{datetime.now(UTC) + timedelta(days=days):%Y-%m-%d}"


def shown(shell: Shell, *words: str) -> Any:
    result = shell("sunset", "plan", *words, "-o", "json")
    assert result.code == 0, result.err
    return result.json


# -- before anything runs, without a server -------------------------------------------------------


def test_a_policy_shows_its_calendar_before_a_product_starts(shell: Shell) -> None:
    file = str(EXAMPLES / "harbor-sync.sunset.yaml")
    plan = shown(shell, "harbor-sync", file, *PRODUCT)
    assert plan["schema_version"] == 1
    assert plan["dates"] == {
        "end-of-sales": "2030-09-30T23:59:59Z",
        "end-of-life": "2031-06-30T23:59:59Z",
        "end-of-security-support": "2031-06-30T23:59:59Z",
    }
    assert plan["decided_by"] == "intent-to-retire"
    assert [g["gate"] for g in plan["gates"]] == ["end-of-sales-readiness", "decommission"]
    assert [g["point_of_no_return"] for g in plan["gates"]] == [False, True]
    tasks = {task["id"]: task for task in plan["tasks"]}
    assert tasks["partner-notice"]["skipped"] == "It was never sold by partners"
    assert tasks["quay-terminals"]["added"]
    assert tasks["delete-data"]["effect"] == "deletion"
    assert tasks["end-of-sales"]["reminders"][0] == "2030-07-02T23:59:59Z"
    page = shell("sunset", "plan", "harbor-sync", file, *PRODUCT)
    assert "a contract runs until then" in page.out
    assert "left out: It was never sold by partners" in page.out
    assert "the point of no return" in page.out
    assert "nothing was recorded" in page.err


def test_another_policy_can_be_tried_on_a_product(shell: Shell) -> None:
    policy = shell.write("fading.yaml", POLICY)
    plan = shown(shell, "harbor-sync", *PRODUCT, "--policy", policy)
    assert [task["id"] for task in plan["tasks"]] == ["told", "sales", "life", "down", "wiped"]


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("dates: {end-of-sale: 1 month}", 1, "no such task; did you mean end-of-sales?"),
        ("skip: {read-only: }", 1, "skip.read-only"),
        ("dates:\n  read-only: soon", 2, "'soon' is not a span"),
        ("add:\n  - {id: gone, kind: http, title: G, url: 'https://x.test'}", 2, "kind"),
        ("add:\n  - {id: shutdown, kind: wait, title: S}", 2, "given twice"),
        ("add:\n  - {id: loop, kind: wait, title: L, after: [loop]}", 2, "loop waits for loop"),
        ("add:\n  - {id: gone, kind: manual, title: G, effect: deletion}", 2, "policy's to plan"),
        ("linked: {}", 1, "unknown field"),
    ],
)
def test_a_faulty_file_is_answered_with_its_lines(
    shell: Shell, text: str, line: int, words: str
) -> None:
    file = shell.write("plan.yaml", text)
    result = shell("sunset", "plan", "harbor-sync", file, *PRODUCT)
    assert result.code == 2, result.out
    assert f"{file}:{line}:" in result.err
    assert words in result.err
    assert result.out == ""


def test_a_plan_that_breaks_rules_is_shown_with_all_of_them(shell: Shell) -> None:
    file = shell.write(
        "plan.yaml",
        f"notice: {day(60)}\ndates:\n  end-of-life: {day(360)}\n  end-of-sales: {day(400)}\n"
        f"skip:\n  decommission: in a hurry\ncontracts_until: {day(380)}\n",
    )
    result = shell("sunset", "plan", "harbor-sync", file, *PRODUCT, "-o", "json")
    assert result.code == 1
    found = {p["code"]: (p["what"], p["where"]) for p in result.json["problems"]}
    assert found.keys() == {
        "notice-too-short",
        "contract-cut-short",
        "sale-after-end-of-life",
        "not-skippable",
    }
    assert found["notice-too-short"][1] == f"{file}:3:16"
    assert found["not-skippable"] == ("decommission cannot be left out", f"{file}:6:17")
    assert "would be refused" in result.err


def test_words_that_do_not_go_together(shell: Shell) -> None:
    for words, says in (
        (("harbor-sync", "--policy", "standard"), "--policy goes with --product"),
        (("other", *PRODUCT), "it defines harbor-sync"),
        (("harbor-sync", *PRODUCT, "--notice", "tomorrow"), "needs a date"),
    ):
        result = shell("sunset", "plan", *words)
        assert result.code == 2
        assert says in result.err


# -- a product that runs --------------------------------------------------------------------------


def test_a_plan_is_recorded_for_a_product_and_shown_from_then_on(served: Shell) -> None:
    key = "fader"
    served.write("fading.yaml", POLICY)
    served.write("people.yaml", DIRECTORY)
    product = served.write(f"{key}.yaml", f"key: {key}\nname: Fader\nowner: olga\n")
    options = ("--policy", "fading.yaml", "--directory", "people.yaml")
    started = served("product", "start", product, *options)
    assert started.code == 0, started.err
    served.until(lambda: served("product", "show", key, "-o", "json").json["phase"] == "market")
    served.told(key, "product.phase-entered")  # plans are laid out on the record

    plan = shown(served, key)
    assert (plan["decided_by"], plan["running"]) == ("retire", False)
    assert plan["gates"][0]["voters"] == {"eng": ["bo", "cy", "dan"]}

    file = served.write(
        f"{key}.sunset.yaml",
        f"notice: {day(100)}\ncontracts_until: {day(600)}\n"
        "add:\n  - {id: cake, kind: manual, title: Cake, at: 1 month, by: bakers}\n",
    )
    rehearsed = served("sunset", "plan", key, file, "--dry-run")
    assert rehearsed.code == 0
    assert "the directory has no group bakers" in rehearsed.err
    assert shown(served, key)["contracts_until"] is None

    alone = served("sunset", "plan", key, file)
    assert alone.code == 2
    assert f"phasegate sunset plan {key} {file} --as WHO" in alone.err
    stranger = served("sunset", "plan", key, file, "--as", "eve", "-o", "json")
    assert (stranger.code, stranger.error["code"]) == (4, "not-owner")
    early = served("sunset", "plan", key, "--notice", day(-3), "--as", "olga", "-o", "json")
    assert (early.code, early.error["code"]) == (1, "date-in-the-past")

    taken = served("sunset", "plan", key, file, "--as", "olga", "-o", "json")
    assert taken.code == 0, taken.err
    plan = shown(served, key)
    assert plan["notice_at"].startswith(day(100))
    assert plan["dates"]["end-of-life"].startswith(day(600))
    assert plan["moved"]
    assert "cake" in [task["id"] for task in plan["tasks"]]

    later = served("sunset", "plan", key, "--notice", day(120), "--as", "olga")
    assert later.code == 0, later.err
    plan = shown(served, key)
    assert plan["notice_at"].startswith(day(120))
    assert plan["dates"]["end-of-life"].startswith(day(600)), "the rest of the plan stays"

    found = served("roadmap", key, "-o", "json")
    assert found.code == 0, found.err
    assert "sunset" in found.out

    assert served("sunset", "start", key, "--as", "olga").code == 0
    served.until(lambda: served("gate", "vote", f"{key}/retire", "go", "--as", "ana").code == 0)
    served.until(lambda: served("sunset", "show", key).code == 0)
    plan = shown(served, key)
    assert (plan["running"], plan["decided_by"]) == (True, "")
    assert plan["dates"]["end-of-life"].startswith(day(600))
    rehearsed = shown(served, key, "--notice", day(130), "--dry-run")
    assert rehearsed["notice_at"].startswith(day(130)), "the public has not been told yet"
    later = served("sunset", "plan", key, "--notice", day(130), "--as", "olga")
    assert later.code == 0, later.err
    assert shown(served, key)["notice_at"].startswith(day(130))


def test_what_has_ended_has_no_sunset_to_plan(served: Shell) -> None:
    key = "faded"
    served.write("fading.yaml", POLICY)
    served.write("people.yaml", DIRECTORY)
    product = served.write(f"{key}.yaml", f"key: {key}\nname: Faded\nowner: olga\n")
    options = ("--policy", "fading.yaml", "--directory", "people.yaml")
    assert served("product", "start", product, *options).code == 0
    served.until(lambda: served("product", "show", key, "-o", "json").code == 0)
    assert served("product", "cancel", key, "--as", "olga", "--reason", "x", "--yes").code == 0
    served.until(lambda: served("product", "show", key, "-o", "json").json["status"] == "cancelled")
    over = served("sunset", "plan", key)
    assert over.code == 1
    assert "it is cancelled" in over.err
