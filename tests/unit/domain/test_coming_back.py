"""A product whose sunset was aborted: what it has, what it has no more, and what it waits for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from phasegate.adjusting import Adjustments
from phasegate.coming_back import PAST_KEPT, come_back
from phasegate.errors import Rejected
from phasegate.events import Outbox
from phasegate.gate import Gate, Requirement
from phasegate.legal_hold import LegalHold
from phasegate.lifecycle import Lifecycle, PolicyRef, Status
from phasegate.milestones import Milestone
from phasegate.policy import Phase
from phasegate.ports import PhaseBrief
from phasegate.product import Product
from phasegate.product_view import product_page, product_view, waiting_for
from phasegate.promises import Condition
from phasegate.requests import SubmitRequest
from phasegate.stewardship import check_submit
from phasegate.sunset_report import SunsetReport
from phasegate.views import ConditionView

NOW = datetime(2030, 5, 1, tzinfo=UTC)
RETIRE = Gate(id="retire", title="Retire", opens="submit", requires=(Requirement(group="eng"),))


def sunsetting(gate: Gate | None = RETIRE) -> Lifecycle:
    phase = Phase(id="market", title="Market", in_market=True, gate=gate)
    return Lifecycle(
        product=Product(key="kettle", name="Kettle", owner="olga"),
        policy=PolicyRef(name="standard", version="1", digest="sha256:0"),
        directory="default",
        outbox=Outbox(source="product/kettle", product="kettle"),
        brief=PhaseBrief(phase=phase, next=None, has_sunset=True),
        status=Status.sunsetting,
        milestones=[Milestone(id="nps", title="NPS", phase="market", due=NOW + timedelta(days=9))],
        conditions=[promise("retire-1-1"), promise("down-1-1")],
        sunsets=1,
        sunset_token="t",
        adjustments=Adjustments(notice=NOW),
        had_a_hand={"tim": "submitted a gate of it"},
        submitted_by="olga",
        sunset=SunsetReport(
            token="t",
            text="aborted",
            ended="aborted",
            by="olga",
            why="a buyer was found",
            conditions=[promise("down-1-1")],
            rounds={"down": 2},
            legal_holds=[LegalHold(matter="case-7", reason="letter", by="lea", at=NOW)],
        ),
    )


def promise(id: str) -> Condition:
    view = ConditionView(id=id, text="Tell them", owner="ana", due=None, state="open")
    return Condition.promised(view, NOW, id.partition("-")[0])


def test_it_is_active_with_what_it_had_before_the_sunset() -> None:
    state = sunsetting()
    milestone, kept = state.milestones[0].model_copy(), state.conditions[0].model_copy()
    lapsed = come_back(state, NOW)
    assert (state.status, state.phase_shown) == (Status.active, "market")
    assert (state.milestones, state.conditions[0]) == ([milestone], kept)
    assert state.had_a_hand == {"tim": "submitted a gate of it"}
    assert [condition.id for condition in lapsed] == ["down-1-1"]
    assert (lapsed[0].state, lapsed[0].closed_by, lapsed[0].closed_at) == ("waived", "olga", NOW)
    assert [condition.id for condition in state.open_conditions()] == ["retire-1-1"]


def test_its_plan_is_over_and_its_legal_holds_are_not() -> None:
    state = sunsetting()
    come_back(state, NOW)
    assert state.adjustments is None
    assert [hold.matter for hold in state.legal_holds] == ["case-7"]
    view = product_view(state, "product/kettle")
    assert (view.legal_holds, view.sunset_state, view.sunsets) == (["case-7"], "", 1)
    (past,) = view.past_sunsets
    assert (past.number, past.by, past.why) == (1, "olga", "a buyer was found")
    page = product_page(view, "")
    assert "Sunset 1, on 2030-05-01 00:00 UTC by olga: a buyer was found" in page
    assert "`case-7`" in page


def test_what_the_first_sunset_says_late_is_not_heard() -> None:
    state = sunsetting()
    come_back(state, NOW)
    assert not state.take_sunset(SunsetReport(token="t", text="late", ended="retired"), NOW)
    assert not state.take_sunset(SunsetReport(token="", text="forged", ended="retired"), NOW)
    assert state.sunset is None


def test_rounds_of_its_gates_go_on_counting() -> None:
    state = sunsetting()
    state.sittings.rounds = {"retire": 1}
    come_back(state, NOW)
    assert state.sittings.rounds == {"retire": 1, "down": 2}


def test_no_gate_opens_again_by_itself() -> None:
    """Whatever opened it before is as it was: a second sunset is asked for."""
    by_milestones = RETIRE.model_copy(update={"opens": "milestones"})
    for gate, ends in ((RETIRE, "to submit retire"), (by_milestones, "to submit retire"),
                       (None, "to end market")):  # fmt: skip
        state = sunsetting(gate)
        state.milestones = []
        come_back(state, NOW)
        assert not state.may_open_gate()
        assert ends in waiting_for(state)
        state.needs_submit, state.submitted_by = False, "olga"
        assert state.may_open_gate()


def test_its_owner_ends_a_phase_without_a_gate_and_only_then() -> None:
    state = sunsetting(None)
    state.status = Status.active
    request = SubmitRequest(actor="olga", request_id="r")
    with pytest.raises(Rejected) as refusal:
        check_submit(state, request)
    assert refusal.value.code == "no-gate"
    come_back(state, NOW)
    assert check_submit(state, request) == ""
    with pytest.raises(Rejected):
        check_submit(state, request.model_copy(update={"gate": "retire"}))


def test_it_keeps_a_bounded_number_of_aborted_sunsets() -> None:
    state = sunsetting()
    for number in range(1, PAST_KEPT + 3):
        state.sunsets = number
        state.sunset = SunsetReport(token="t", text="", ended="aborted", by="olga")
        come_back(state, NOW)
    assert len(state.past_sunsets) == PAST_KEPT
    assert state.past_sunsets[-1].number == PAST_KEPT + 2


def test_the_product_says_whom_its_sunset_waits_for() -> None:
    state = sunsetting()
    wanted = "ana to confirm keys: phasegate sunset confirm kettle keys --as ana --note TEXT"
    state.sunset = SunsetReport(
        token="t", text="keys revoked", waiting_for=wanted, state="waiting-for-plan"
    )
    view = product_view(state, "product/kettle")
    assert (view.waiting_for, view.sunset_state) == (wanted, "waiting-for-plan")
    assert "`phasegate sunset confirm kettle keys --as ana --note TEXT`" in product_page(view, "")


def test_reports_that_overtake_each_other_leave_the_latest() -> None:
    """Temporal delivers signals of one workflow in any order."""

    def said(text: str, serial: int, ended: str = "") -> SunsetReport:
        return SunsetReport(token="t", text=text, serial=serial, ended=ended)

    state = sunsetting()
    state.sunset = None
    for report in (said("second", 2), said("first", 1)):
        assert state.take_sunset(report, NOW)
    assert state.sunset is not None
    assert state.sunset.text == "second"
    for report in (said("end", 4, "aborted"), said("third", 3), said("after", 5)):
        assert state.take_sunset(report, NOW)
    assert (state.sunset.text, state.sunset.ended) == ("end", "aborted")


def test_a_sunset_that_was_reset_counts_its_reports_anew_and_is_heard() -> None:
    state = sunsetting()

    def said(text: str, serial: int, after: int, ended: str = "") -> str:
        made_at = NOW + timedelta(seconds=after)
        report = SunsetReport(token="t", text=text, serial=serial, made_at=made_at, ended=ended)
        assert state.take_sunset(report, NOW)
        assert state.sunset is not None
        return state.sunset.text

    state.sunset = None
    assert said("before the reset", 40, 10) == "before the reset"
    assert said("since the reset", 26, 20) == "since the reset"
    assert said("on its way for long", 41, 11) == "since the reset"
    assert said("at once", 27, 20) == "at once"
    assert said("at once, and later", 26, 20) == "at once"
    assert said("the end", 1, 0, "retired") == "the end", "nothing comes after it"
    assert said("late", 99, 99) == "the end"
