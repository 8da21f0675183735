"""The dashboard and the alerts ask for metrics that there are, and say what to do."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

import prometheus
import pytest
from board import RULES, Query, alerts, asked, board, panels

from commands.catalogue import COMMANDS, Command
from phasegate.measures import MEASURES, table

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"

EVERYWHERE = {"namespace", "task_queue", "service_name", "job", "instance", "le"}
"""Labels that are no measure's own: the SDK's, Prometheus' and those of histograms."""

WITHOUT_PROMTOOL = pytest.mark.skipif(not prometheus.found(), reason=prometheus.WHY_NOT)


def ours() -> dict[str, set[str]]:
    """Every series of ours: its labels."""
    found: dict[str, set[str]] = {}
    for measure in MEASURES:
        ends = ("_bucket", "_sum", "_count") if measure.kind == "duration" else ("",)
        for end in ends:
            found[measure.exported + end] = set(measure.labels) | EVERYWHERE
    return found


@pytest.mark.parametrize("query", asked(), ids=lambda query: query.title)
def test_what_is_asked_is_measured(query: Query) -> None:
    known = ours()
    mine = {name for name in query.metrics if name.startswith("phasegate_")}
    assert mine <= known.keys()
    if mine == query.metrics and mine:
        assert query.labels <= set.union(*(known[name] for name in mine))


def test_every_measure_is_on_the_dashboard() -> None:
    drawn = set.union(*(query.metrics for query in panels()))
    assert {m for m in MEASURES if not any(name.startswith(m.exported) for name in drawn)} == set()


def test_gauges_that_all_workers_report_are_not_added_up() -> None:
    shared = {m.exported for m in MEASURES if m.kind == "gauge"}
    own = {"phasegate_milestones_untold", "phasegate_build_info"}
    for query in asked():
        if query.metrics & (shared - own):
            assert "sum" not in query.expr, query


def test_the_dashboard_can_be_provisioned() -> None:
    found = board()
    assert found["uid"] == "phasegate"
    ids = [panel["id"] for panel in found["panels"]]
    assert len(ids) == len(set(ids))
    assert [v["name"] for v in found["templating"]["list"]] == [
        "datasource",
        "namespace",
        "task_queue",
    ]
    rows = [panel["title"] for panel in found["panels"] if panel["type"] == "row"]
    assert rows[:3] == ["Portfolio", "Votes", "Refusals"]
    for panel in found["panels"]:
        if panel["type"] != "row":
            assert panel["description"], panel["title"]
            assert panel["datasource"]["uid"] == "${datasource}"


def called(command: str) -> Command | None:
    words = shlex.split(command)
    assert words[0] == "phasegate"
    entry: Any = COMMANDS[words[1]]
    return entry if isinstance(entry, Command) else entry.verbs.get(words[2])


@pytest.mark.parametrize("rule", alerts(), ids=lambda rule: rule["alert"])
def test_alerts_say_what_is_wrong_and_what_mends_it(rule: dict[str, Any]) -> None:
    said = rule["annotations"]
    assert said.keys() == {"summary", "description", "command", "runbook_url"}
    assert rule["labels"]["severity"] in ("critical", "warning", "info")
    if said["command"].startswith("phasegate "):
        assert called(said["command"]) is not None
    page, _, anchor = said["runbook_url"].partition("#")
    assert anchor == f"alert-{rule['alert'].lower()}"
    guide = ROOT / page
    if guide.exists():
        assert re.search(rf'(?m)^#+ .*\b{rule["alert"]}\b|id="{anchor}"', guide.read_text("utf-8"))


def test_the_page_has_the_table_and_every_alert() -> None:
    page = (DOCS / "observing.md").read_text("utf-8")
    assert table() in page, "write it anew: python -m phasegate.measures"
    for rule in alerts():
        assert f"`{rule['alert']}`" in page


BUILD = ('phasegate_build_info{part="everything", namespace="n"}', "1x5000")
CASES: dict[str, tuple[list[tuple[str, str]], str]] = {
    "PhasegateNoWorker": ([('phasegate_build_info{part="checks"}', "1x20")], "5m"),
    "PhasegateTargetDown": ([BUILD, ('up{job="phasegate-worker", instance="a"}', "0x20")], "10m"),
    "PhasegatePortfolioUnknown": (
        [BUILD, ('phasegate_asked_timestamp_seconds{of="ledger"}', "0x20")],
        "10m",
    ),
    "PhasegateLedgerLate": ([BUILD, ("phasegate_outbox_age_seconds", "0+60x20")], "10m"),
    "PhasegateLedgerSlow": (
        [
            BUILD,
            ('phasegate_ledger_lag_seconds_bucket{le="10"}', "0+1x40"),
            ('phasegate_ledger_lag_seconds_bucket{le="60"}', "0+9x40"),
            ('phasegate_ledger_lag_seconds_bucket{le="+Inf"}', "0+9x40"),
        ],
        "35m",
    ),
    "PhasegateVotesSlow": (
        [
            BUILD,
            ('phasegate_update_handling_seconds_bucket{update="vote", le="1"}', "0+1x40"),
            ('phasegate_update_handling_seconds_bucket{update="vote", le="10"}', "0+9x40"),
            ('phasegate_update_handling_seconds_bucket{update="vote", le="+Inf"}', "0+9x40"),
        ],
        "35m",
    ),
    "PhasegateWorkflowsFailing": (
        [
            BUILD,
            (
                'temporal_workflow_task_execution_failed_total{workflow_type="GateReview"}',
                # The server tries more and more rarely, at last every ten minutes.
                "0+1x9 10x10 11x10 12x10 13x10 14x10",
            ),
        ],
        "52m",
    ),
    "PhasegateWorkersBusy": (
        [
            BUILD,
            (
                'temporal_activity_schedule_to_start_latency_seconds_bucket{le="10"}',
                "0+1x60",
            ),
            (
                'temporal_activity_schedule_to_start_latency_seconds_bucket{le="60"}',
                "0+9x60",
            ),
            (
                'temporal_activity_schedule_to_start_latency_seconds_bucket{le="+Inf"}',
                "0+9x60",
            ),
        ],
        "35m",
    ),
    "PhasegateReceiverSilent": (
        [BUILD, ('phasegate_delivery_delay_seconds{receiver="chat/ops"}', "0+60x120")],
        "80m",
    ),
    "PhasegateDeadLetters": (
        [BUILD, ('phasegate_dead_letters{receiver="subscriber/crm"}', "2x20")],
        "10m",
    ),
    "PhasegateActUnknown": ([BUILD, ('phasegate_acts_open{state="unknown"}', "1x20")], "10m"),
    "PhasegateActStuck": (
        [BUILD, ('phasegate_acts_total{kind="http", result="stuck"}', "_ _ 1x20")],
        "10m",
    ),
    # Between, no worker ran for five hours, and the next did not know yet.
    "PhasegateGatesOverdue": (
        [BUILD, ('phasegate_gates_overdue{namespace="n"}', "1x2000 _x300 NaN NaN 1x3000")],
        "78h",
    ),
    "PhasegateMilestonesUntold": (
        [BUILD, ('phasegate_milestones_untold{namespace="n"}', "1x100 _x30 0x20 1x400")],
        "7h20m",
    ),
    "PhasegateForbiddenOften": (
        [BUILD, ('phasegate_refusals_total{kind="forbidden", code="stranger"}', "_ _ 25x60")],
        "40m",
    ),
    "PhasegateServeFailing": (
        [BUILD, ('phasegate_served_total{brought="event", status="503"}', "0+1x40")],
        "25m",
    ),
}
CALM = [
    BUILD,
    ('up{job="phasegate-worker"}', "1x600"),
    ('phasegate_asked_timestamp_seconds{of="temporal"}', "0+60x600"),
    ('phasegate_asked_timestamp_seconds{of="ledger"}', "0+60x600"),
    ("phasegate_gates_overdue", "0x600"),
    ("phasegate_outbox_age_seconds", "0x600"),
    ('phasegate_dead_letters{receiver="subscriber/crm"}', "0x600"),
    ('phasegate_acts_open{state="unknown"}', "0x600"),
    ('phasegate_refusals_total{kind="rejected", code="stale-revision"}', "0+9x600"),
    ('phasegate_refusals_total{kind="forbidden", code="stranger"}', "0 25x599"),
    ('phasegate_acts_total{kind="http", result="stuck"}', "1x600"),
    # A machine stood still for a moment.
    ('temporal_workflow_task_execution_failed_total{workflow_type="GateReview"}', "0x520 9x80"),
    ('phasegate_served_total{brought="event", status="202"}', "0+9x600"),
]
NOT_YET = [
    BUILD,
    ("phasegate_gates_overdue", "1x2000 _x300 1x2000"),
    ("phasegate_milestones_untold", "0x3700 1x500"),
]
DECIDED = [BUILD, ("phasegate_gates_overdue", "1x4900 0x99")]


def test_every_alert_is_tried() -> None:
    assert CASES.keys() == {rule["alert"] for rule in alerts()}


@WITHOUT_PROMTOOL
def test_alerts_fire_for_what_they_are_for_and_not_otherwise(tmp_path: Path) -> None:
    cases = {name: (series, at, [name]) for name, (series, at) in CASES.items()}
    cases["calm"] = (CALM, "9h", [])
    cases["not yet"] = (NOT_YET, "67h", [])
    cases["decided"] = (DECIDED, "83h", [])
    tests = [
        {
            "name": name,
            "interval": "1m",
            "input_series": [{"series": s, "values": values} for s, values in series],
            "promql_expr_test": [
                {
                    "expr": 'count by (alertname) (ALERTS{alertstate="firing"})',
                    "eval_time": at,
                    "exp_samples": [
                        {"labels": f'{{alertname="{alert}"}}', "value": 1} for alert in fired
                    ],
                }
            ],
        }
        for name, (series, at, fired) in cases.items()
    ]
    path = tmp_path / "rules_test.json"
    path.write_text(json.dumps({"rule_files": [str(RULES)], "tests": tests}))
    for words in (["check", "rules", str(RULES)], ["test", "rules", str(path)]):
        done = subprocess.run(["promtool", *words], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
