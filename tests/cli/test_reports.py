"""Reports as people call them: from a prepared ledger without a server, and beside a real one."""

from __future__ import annotations

import csv
import io
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tales import Tale, day

from client.settings import Settings
from ledger import Ledger
from phasegate.reading import read_policy
from tests.cli.shell import POLICY, Shell


@pytest.fixture
def recorded(shell: Shell) -> Shell:
    """A shell whose ledger has three products: one at its gate, one launched, one called off."""
    ledger = Ledger(Settings.load({"PHASEGATE_DATA_DIR": str(shell.folder)}).ledger_url)
    policy = read_policy(POLICY, "policy")
    digest = ledger.documents.publish("policy", "tiny", policy, day(0), "olga")
    due = [{"id": "done", "phase": "build", "due": day(3).isoformat()}]
    promise = [{"id": "launch-1-1", "due": day(30).isoformat()}]
    for tale in (
        Tale("alpha", digest).start(milestones=due, name="=cmd()").open(1).vote(3, "bo"),
        Tale("beta", digest)
        .start(owner="ana")
        .open(2)
        .vote(3, "bo")
        .decide(5, "conditional-go", opened=2, conditions=promise)
        .enter(5, "market"),
        Tale("gamma", digest).start().say(9, "product.cancelled"),
    ):
        ledger.append(tale.key, tale.events)
    ledger.close()
    return shell


def test_a_portfolio_for_people_and_for_machines(recorded: Shell) -> None:
    found = recorded("report", "portfolio", "-o", "json")
    assert found.code == 0, found.err
    assert {"schema_version", "as_of", "products", "totals", "missing"} == found.json.keys()
    alpha, beta = found.json["products"]
    contract = {
        *("schema_version", "key", "name", "owner", "policy", "tier", "status", "phase"),
        *("phase_since", "days_in_phase", "gate", "next_gate", "next_gate_expected", "slip"),
        *("late", "at_risk", "conditions_open", "conditions_overdue", "gates"),
    }
    assert contract <= alpha.keys()
    assert (alpha["key"], alpha["gate"], alpha["late"]) == ("alpha", "launch", ["done"])
    assert alpha["phase_since"] == "2026-01-05T09:00:00Z"
    assert (beta["phase"], beta["conditions_open"]) == ("market", 1)
    totals = found.json["totals"]
    assert (totals["products"], totals["late"]) == (2, 1)
    assert totals["by_phase"] == {"build": 1, "market": 1}
    assert totals["gates"][0]["people_asked"] == 6

    lines = recorded("report", "portfolio", "--all", "-o", "jsonl").out.splitlines()
    assert len(lines) == 3
    assert all('"schema_version": 1' in line for line in lines)
    assert "next_gate: launch" in recorded("report", "portfolio", "-o", "yaml").out
    table = recorded("report", "portfolio", "--all")
    assert table.code == 0, table.err
    assert "KEY" in table.out
    assert "cancelled" in table.out
    assert "What gates have cost (calendar days, without holds):" in table.out
    only = recorded("report", "portfolio", "--owner", "ana", "--policy", "tiny", "-o", "json")
    assert [row["key"] for row in only.json["products"]] == ["beta"]


def test_a_portfolio_that_is_empty_is_no_failure(shell: Shell) -> None:
    found = shell("report", "portfolio", "-o", "json")
    assert (found.code, found.json["products"]) == (0, [])
    assert "no such products" in found.err
    assert shell("report", "slo").code == 0
    assert shell("report", "portfolio", "--status", "lost").code == 2


def test_a_portfolio_for_spreadsheets_holds_no_formula(recorded: Shell) -> None:
    found = recorded("report", "portfolio", "--csv", "-")
    assert found.code == 0, found.err
    alpha, beta = csv.DictReader(io.StringIO(found.out))
    assert (alpha["key"], alpha["name"], alpha["late"]) == ("alpha", "'=cmd()", "done")
    assert (beta["rounds"], beta["people_asked"], beta["days_at_gates"]) == ("1", "3", "3.0")
    file = recorded.folder / "portfolio.csv"
    assert recorded("report", "portfolio", "--csv", str(file)).out == ""
    assert file.read_bytes().startswith(b"schema_version,key,name")
    wrong = recorded("report", "portfolio", "--csv", str(Path("/no/such/place.csv")), "-o", "json")
    assert (wrong.code, wrong.out) == (2, "")
    assert "cannot be written" in wrong.error["error"]


def test_service_levels_of_a_period(recorded: Shell) -> None:
    period = ("--since", "2026-01-01", "--until", "2026-01-31")
    found = recorded("report", "slo", *period, "-o", "json")
    assert found.code == 0, found.err
    assert (found.json["since"], found.json["schema_version"]) == ("2026-01-01T00:00:00Z", 1)
    (launch,) = found.json["gates"]
    assert (launch["opened"], launch["decided"], launch["open"]) == (2, 1, 1)
    assert launch["days"] == {"n": 1, "median": 3.0, "p90": 3.0, "max": 3.0}
    eng = next(group for group in found.json["groups"] if group["group"] == "eng")
    assert (eng["answered"], eng["days"]["median"], eng["in_time_share"]) == (2, 1.0, 1.0)
    assert found.json["conditions"]["open"] == 1
    table = recorded("report", "slo", *period).out
    assert "calendar days, without time on hold; percentiles are nearest rank" in table
    assert "Groups, from being asked to the first answer (calendar days):" in table
    nothing = recorded("report", "slo", "--since", "2026-02-01", "--until", "2026-01-01")
    assert nothing.code == 2
    assert "hint: phasegate report slo --since" in nothing.err


def test_the_record_says_what_the_product_says(served: Shell) -> None:
    served.at_gate("report-me")
    assert served("gate", "vote", "report-me", "go", "--as", "bo").code == 0

    def rows() -> list[dict[str, Any]]:
        found = served("report", "portfolio", "-o", "json").json["products"]
        return [row for row in found if row["key"] == "report-me" and row["gate"]]

    served.until(lambda: bool(rows()))
    (row,) = rows()
    shown = served("product", "show", "report-me", "-o", "json").json
    same = ("name", "owner", "tier", "status", "phase", "gate", "round")
    assert [row[name] for name in same] == [shown[name] for name in same]
    said, known = (datetime.fromisoformat(t) for t in (row["phase_since"], shown["entered_at"]))
    assert timedelta(0) <= said - known < timedelta(seconds=30)  # it reads its policy in between
    forecast = shown["forecast"]
    assert (row["next_gate"], row["slip"]) == (forecast["next_gate"], forecast["slip"])
    assert row["next_gate_expected"] == forecast["next_gate_expected"]
    groups = served("report", "slo", "--owner", "olga", "-o", "json").json["groups"]
    assert {"eng", "product"} <= {group["group"] for group in groups}
