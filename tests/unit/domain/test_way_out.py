"""Which gate leads out of the market, what an abort would undo, and how a sunset is shown."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commands.output import Fields, Grid
from commands.sunset_blocks import answer, asking, sections, sunset_blocks
from phasegate.errors import Rejected
from phasegate.legal_hold import LegalHold
from phasegate.reading import read_policy
from phasegate.sunset_ports import CustomersSummary
from phasegate.sunset_views import Aborting, SunsetView, TaskView
from phasegate.undoing_view import require_way_back, undoing
from phasegate.views import ProductView
from phasegate.way_out import gate_out

NOW = datetime(2030, 5, 1, tzinfo=UTC)
POLICY = """
policy: out
version: "1"
title: Out
phases:
  - id: build
    title: Build
    gate: {id: launch, title: Launch, requires: [{group: eng}]}
  - id: market
    title: Market
    in_market: true
    GATE
sunset: {tasks: [{id: note, title: Notice, kind: notice}]}
"""
RETIRE = "gate: {id: retire, title: Retire, opens: submit, requires: [{group: eng}]}"
PLR = "{first: 1 year, every: 1 year, gate: {id: plr, title: PLR, requires: [{group: eng}]}}"


def product(**more: Any) -> ProductView:
    return ProductView(
        **{
            "key": "kettle",
            "name": "Kettle",
            "owner": "olga",
            "status": "active",
            "phase": "market",
            "gate": None,
            "round": None,
            "policy": "out 1",
            "policy_digest": "sha256:0",
            "milestones": [],
            "conditions": [],
            "next_due": None,
            "workflow_id": "product/kettle",
            **more,
        }
    )


def out(gate: str = RETIRE, *, sunset: bool = True, **more: Any) -> str:
    text = POLICY.replace("GATE", gate)
    if not sunset:
        text = text[: text.index("sunset:")]
    return gate_out(read_policy(text, "out.yaml"), product(**more))


def test_the_gate_of_the_last_phase_leads_out() -> None:
    assert out() == "retire"
    assert out("milestones: [{id: done, title: Done}]") == "", "the owner ends it without a gate"


@pytest.mark.parametrize(
    ("more", "code", "why"),
    [
        (
            {"phase": "build"},
            "not-in-market",
            "it is in phase build, and the sunset follows market",
        ),
        ({"phase": "gone"}, "not-in-market", "it is in phase gone"),
        ({"status": "sunsetting", "phase": "sunset"}, "sunset-under-way", "it is under way"),
        ({"status": "retired", "phase": None, "ended_at": NOW}, "product-ended", "it is retired"),
        ({"sunset": False}, "no-sunset", "its policy out plans none"),
        ({"gate": f"review: {PLR}"}, "no-gate", "a kill at its review plr begins it"),
    ],
)
def test_where_no_gate_leads_out_the_reason_is_said(
    more: dict[str, Any], code: str, why: str
) -> None:
    with pytest.raises(Rejected) as refusal:
        out(**more)
    assert (refusal.value.code, why in refusal.value.why) == (code, True), refusal.value
    assert refusal.value.hint.startswith("phasegate ")


# -- undoing --------------------------------------------------------------------------------------


def task(id: str, kind: str = "manual", state: str = "done", **more: Any) -> TaskView:
    at = more.pop("at", NOW)
    done = {"done_at": more.pop("done_at", NOW)} if state == "done" else {}
    return TaskView(id=id, title=id.title(), kind=kind, state=state, at=at, **done, **more)


def view(*tasks: TaskView, **more: Any) -> SunsetView:
    return SunsetView(
        product="kettle",
        notice_at=NOW,
        workflow_id="product/kettle/sunset",
        tasks=list(tasks),
        **{"status": "sunsetting", **more},
    )


def test_the_last_that_was_done_is_undone_first() -> None:
    found = undoing(
        view(
            task("notice", "notice", undo="notice", done_at=NOW),
            task("sales-off", "http", undo="http", done_at=NOW + timedelta(days=2)),
            task("briefing", done_at=NOW + timedelta(days=1)),
            task("sales", "date", done_at=NOW),
            task("g7", "gate", done_at=NOW),
            task("read-only", "command", "running", undo="command"),
            task("delete", "http", "planned"),
        )
    )
    assert [(one.task, one.how) for one in found] == [
        ("read-only", "undone by phasegate (command)"),
        ("sales-off", "undone by phasegate (http)"),
        ("briefing", ""),
        ("notice", "a withdrawal is announced"),
    ]


@given(st.lists(st.integers(0, 5), max_size=8))
def test_what_is_undone_goes_backwards_through_what_was_done(days: list[int]) -> None:
    tasks = [task(f"t{n}", done_at=NOW + timedelta(days=day)) for n, day in enumerate(days)]
    found = [one.task for one in undoing(view(*tasks))]
    done = {t.id: (t.done_at, n) for n, t in enumerate(tasks)}
    assert found == sorted(found, key=done.__getitem__, reverse=True)
    assert len(found) == len(tasks)


def test_there_is_no_way_back_after_the_point_of_no_return() -> None:
    gate = task("decommission", "gate", point_of_no_return=True)
    with pytest.raises(Rejected, match="Decommission has passed") as refusal:
        require_way_back(view(gate, beyond_return=True))
    assert refusal.value.code == "point-of-no-return"
    for word in ("retired", "aborted", "cancelled"):
        with pytest.raises(Rejected) as ended:
            require_way_back(view(gate, status=word))
        assert ended.value.code == "sunset-ended"
    require_way_back(view(gate))


# -- what is shown --------------------------------------------------------------------------------


def test_tasks_are_shown_up_to_each_gate() -> None:
    tasks = (
        task("notice", "notice"),
        task("g7", "gate", gate="end-of-sales"),
        task("backup"),
        task("g8", "gate", "waiting", gate="decommission", point_of_no_return=True),
        task("delete", "http", "planned"),
    )
    found = [(title, [t.id for t in listed]) for title, listed in sections(view(*tasks))]
    assert found == [
        ("Up to gate end-of-sales", ["notice", "g7"]),
        ("Up to gate decommission, the point of no return", ["backup", "g8"]),
        ("After the last gate", ["delete"]),
    ]
    assert [title for title, _ in sections(view(task("only")))] == ["Tasks"]


def test_whoever_is_waited_for_sees_the_command_that_answers() -> None:
    shown = view(
        task("keys", state="waiting", asks_for=["digest", "count"], waits_for=["bo"]),
        task("calls", "http", "unknown", waits_for=["bo"]),
        task("stuck", "http", "stuck", why="connection refused"),
        task("g8", "gate", "waiting", gate="decommission"),
        task("g9", "gate", "waiting", waits_for=["olga"]),
        task("taken", state="waiting"),
        task("date", "date", "waiting"),
        task("later", state="planned"),
        task("back", state="undoing", undo_state="waiting", waits_for=["bo"], asks_for=["count"]),
        task("lost", "http", "undoing", undo_state="unknown", waits_for=["bo"]),
    )
    asked = ["keys", "calls", "stuck", "g8", "g9", "back", "lost"]
    assert [t.id for t in asking(shown)] == asked
    by_id = {t.id: answer(shown, t) for t in shown.tasks}
    confirm = "phasegate sunset confirm kettle {} --note TEXT --as WHO"
    assert by_id["keys"] == f"{confirm.format('keys')} --proof digest=VALUE --proof count=VALUE"
    assert by_id["calls"] == f"{confirm.format('calls')}  # with --not-done if it was not done"
    assert by_id["back"] == confirm.format("back")
    assert by_id["lost"] == f"{confirm.format('lost')}  # with --not-done if it was not done"
    assert "connection refused" in by_id["stuck"]
    assert by_id["g8"] == "phasegate gate show kettle/decommission"
    assert by_id["g9"] == "phasegate gate submit kettle/g9 --as WHO"
    (table,) = (b for b in sunset_blocks(shown) if isinstance(b, Grid) and "who can" in b.columns)
    assert [row[2] for row in table.rows][2:5] == ["whoever can mend it", "its voters", ["olga"]]


def test_everything_that_matters_is_on_the_page() -> None:
    shown = view(
        task("decommission", "gate", point_of_no_return=True),
        task("late", state="waiting", overdue=True),
        number=2,
        needs_plan="end of life is too early",
        dates={"end-of-life": NOW},
        moved=["end of life moves, since contracts last longer"],
        customers=CustomersSummary(total=10, open=3, migrated=6, waived=1),
        legal_holds=[LegalHold(matter="case-7", reason="a letter", by="lea", at=NOW)],
        aborting=Aborting(by="olga", reason="sold", at=NOW),
        beyond_return=True,
    )
    blocks = list(sunset_blocks(shown))
    fields = {label: value for b in blocks if isinstance(b, Fields) for label, value in b.rows}
    assert fields["waits for a plan"] == "end of life is too early"
    assert fields["plan it"] == "phasegate sunset plan kettle FILE --as WHO"
    assert fields["number"] == 2
    assert fields["end of life"] == NOW
    assert fields["customers"] == "10: 3 open, 6 migrated, 1 waived"
    assert fields["legal holds"] == ["case-7 (by lea): a letter"]
    assert fields["aborted by"] == "olga: sold"
    assert fields["can be aborted"] == "no: Decommission has passed"
    rows = [row for b in blocks if isinstance(b, Grid) for row in b.rows]
    assert any("overdue" in row for row in rows)
