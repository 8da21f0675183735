"""Forecasts and roadmaps from the command line, beside a running engine."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client

from client.engine import Engine
from client.remembered import remembered
from client.settings import Settings
from ledger import Ledger
from phasegate.views import ProductView
from tests.cli.shell import DIRECTORY, POLICY, Shell, dev

pytestmark = pytest.mark.usefixtures("one_day")


def on(days: int) -> str:
    return f"{datetime.now(UTC) + timedelta(days=days):%Y-%m-%d}"


def start(shell: Shell, key: str, *milestones: str, owner: str = "olga") -> None:
    """Start a product of the tiny policy; each milestone is a YAML mapping."""
    shell.write("tiny.yaml", POLICY)
    shell.write("people.yaml", DIRECTORY)
    plans = ", ".join(milestones)
    text = f"key: {key}\nname: Kettle <{key}>\nowner: {owner}\nmilestones: [{plans}]\n"
    product = shell.write(f"{key}.yaml", text)
    files = ("--policy", "tiny.yaml", "--directory", "people.yaml")
    started = shell("product", "start", product, *files)
    assert started.code == 0, started.err


def done(days: int) -> str:
    return f"{{id: done, phase: build, due: {on(days)}}}"


def listed(shell: Shell, key: str) -> dict[str, dict[str, Any]]:
    found = shell("milestone", "list", key, "-o", "json")
    assert found.code == 0, found.err
    return {row["id"]: row for row in found.json}


def test_a_slip_is_measured_against_the_first_date(served: Shell) -> None:
    start(served, "slipping", done(10))
    served.until(lambda: bool(listed(served, "slipping")))
    replan = ("milestone", "replan", "slipping", "done", on(24), "--as", "olga")
    assert served(*replan).code == 0
    row = listed(served, "slipping")["done"]
    assert row["planned"].startswith(on(10))
    assert row["due"].startswith(on(24))
    assert row["expected"].startswith(on(24))
    assert (row["actual"], row["slip"], row["at_risk"]) == (None, 14, False)
    assert "+14 d" in served("milestone", "list", "slipping").out
    found = served("product", "show", "slipping", "-o", "json").json["forecast"]
    assert (found["next_gate"], found["slip"]) == ("launch", 14)
    launch = next(gate for gate in found["gates"] if gate["gate"] == "launch")
    assert launch["basis"] == "2 hours to resolve it"
    assert "next gate expected" in served("product", "show", "slipping").out
    served("milestone", "report", "slipping", "done", "--as", "olga")
    row = listed(served, "slipping")["done"]
    assert (row["slip"], row["expected"]) == (-10, None)
    assert row["actual"].startswith(on(0))


def test_a_roadmap_shows_what_waits_for_what(served: Shell) -> None:
    start(served, "motor", done(60))
    waits = "{kind: product, product: motor, milestone: done}"
    start(served, "pump", f"{{id: motor-there, phase: build, due: {on(30)}, check: {waits}}}")

    def delayed() -> bool:
        row = listed(served, "pump").get("motor-there")
        return row is not None and (row["expected"] or "").startswith(on(60))

    served.until(delayed)
    found = served("roadmap", "pump", "motor", "-o", "json").json
    assert [product["key"] for product in found["products"]] == ["motor", "pump"]
    assert found["schema_version"] == 1
    (wait,) = found["dependencies"]
    assert (wait["product"], wait["milestone"]) == ("pump", "motor-there")
    assert (wait["on_product"], wait["on"], wait["met"]) == ("motor", "done", False)
    assert wait["at"].startswith(on(60))
    assert found["products"][1]["forecast"]["slip"] == 30


def test_a_roadmap_in_a_pipe_is_plain_and_whole(served: Shell) -> None:
    key = "a-key-that-is-longer-than-what-a-terminal-has-room-for-in-a-row"
    start(served, key[:63], done(10))
    served.until(lambda: bool(listed(served, key[:63])))
    drawn = served("roadmap", key[:63])
    assert drawn.code == 0, drawn.err
    assert drawn.out.splitlines()[0].startswith("PRODUCT")
    assert key[:63] in drawn.out
    assert "\x1b" not in drawn.out + drawn.err


def test_a_roadmap_goes_into_files(served: Shell) -> None:
    start(served, "drawn", done(10))
    served.until(lambda: bool(listed(served, "drawn")))
    files = ("--html", "r.html", "--svg", "r.svg", "--png", "r.png")
    drawn = served("roadmap", "drawn", "--title", "Next <year>", *files)
    assert drawn.code == 0, drawn.err
    assert drawn.out == ""
    assert drawn.err.splitlines() == ["wrote r.html", "wrote r.svg", "wrote r.png"]
    page = (served.folder / "r.html").read_text("utf-8")
    assert "Kettle &lt;drawn&gt;" in page
    assert "<title>Next &lt;year&gt;</title>" in page
    assert (served.folder / "r.png").read_bytes()[1:4] == b"PNG"
    assert (served.folder / "r.svg").read_text("utf-8").startswith("<svg")
    text = served("roadmap", "drawn", "--mermaid").out
    assert text.startswith("gantt\n")
    assert "section Kettle \N{SINGLE LEFT-POINTING ANGLE QUOTATION MARK}drawn" in text
    wrong = served("roadmap", "drawn", "--html", "no/such/folder/r.html")
    assert wrong.code == 2
    assert "--html no/such/folder/r.html cannot be written" in wrong.err


def test_filters_narrow_a_roadmap(served: Shell) -> None:
    start(served, "of-dan", owner="dan")
    served.until(lambda: "of-dan" in served("roadmap", "--owner", "dan").out)
    keys = {p["key"] for p in served("roadmap", "--owner", "dan", "-o", "json").json["products"]}
    assert keys == {"of-dan"}
    rows = served("roadmap", "--owner", "dan", "--policy", "tiny", "-o", "jsonl")
    assert rows.json["key"] == "of-dan"
    none = served("roadmap", "--owner", "dan", "--policy", "other")
    assert (none.code, none.out) == (0, "")
    assert "no products" in none.err


def test_as_of_a_day_to_come_shows_what_will_be_late_by_then(served: Shell) -> None:
    start(served, "someday", done(10))
    served.until(lambda: bool(listed(served, "someday")))
    found = served("roadmap", "someday", "--as-of", on(40), "-o", "json").json
    assert found["products"][0]["forecast"]["slip"] == 30
    past = served("roadmap", "someday", "--as-of", "2020-01-01")
    assert past.code == 2
    assert "it has passed" in past.err
    crossed = served("roadmap", "someday", "--from", on(9), "--until", on(2))
    assert crossed.code == 2


def test_what_nobody_knows_is_said(served: Shell) -> None:
    unknown = served("roadmap", "never-was")
    assert unknown.code == 1
    assert "never-was is not running" in unknown.err


async def test_what_ended_is_drawn_also_when_temporal_keeps_it_no_longer(
    served: Shell, tmp_path: Path
) -> None:
    start(served, "gone", done(10))
    served.until(lambda: bool(listed(served, "gone")))
    served("milestone", "report", "gone", "done", "--as", "olga")
    served.until(lambda: served("gate", "show", "gone").code == 0)
    cancel = ("product", "cancel", "gone", "--as", "olga", "--reason", "merged", "--yes")
    assert served(*cancel).code == 0
    served.until(lambda: served("product", "show", "gone", "-o", "json").json["ended_at"])
    shown = ProductView.model_validate(served("product", "show", "gone", "-o", "json").json)
    engine = await _engine(served)
    completed = ("workflow", "list", "-q", "WorkflowId = 'product/gone' AND CloseTime IS NOT NULL")
    served.until(lambda: "product/gone" in served.temporal(*completed).out)
    served.told("gone", "gate.abandoned")  # the gate ends on its own
    kept = remembered(engine, "gone")
    assert kept is not None
    for name in ("key", "name", "owner", "status", "policy", "policy_digest", "started_at"):
        assert getattr(kept, name) == getattr(shown, name), name
    (met,) = kept.milestones
    assert (met.id, met.state, met.planned) == ("done", "met", shown.milestones[0].planned)
    assert remembered(engine, "slipping") is None, "it has not ended"
    ledger = f"sqlite:///{served.folder / 'ledger.db'}"
    with dev(tmp_path, "--no-worker") as (elsewhere, _):  # a Temporal that has never known it
        forgot = Shell(tmp_path, {**elsewhere.environment, "PHASEGATE_LEDGER": ledger})
        assert forgot("product", "show", "gone").code == 1
        closed = forgot("gate", "show", "gone/launch", "-o", "json").json
        assert (closed["status"], closed["round"], closed["product"]) == ("decided", 1, "gone")
        found = forgot("roadmap", "gone", "-o", "json").json["products"][0]
        assert (found["status"], found["forecast"]["next_gate"]) == ("cancelled", None)
        assert found["forecast"]["phases"][0]["state"] == "done"
        everything = forgot("roadmap", "--all", "-o", "json").json["products"]
        assert "gone" in {product["key"] for product in everything}


async def _engine(shell: Shell) -> Engine:
    client = await Client.connect(shell.environment["TEMPORAL_ADDRESS"])
    settings = Settings.load({**shell.environment})
    return Engine(client, Ledger(settings.ledger_url), settings)
