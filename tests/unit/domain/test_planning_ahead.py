"""What a product takes of its sunset before one begins."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from phasegate.adjusting import LARGEST, Adjustments
from phasegate.errors import Forbidden, Rejected
from phasegate.events import Outbox
from phasegate.lifecycle import Lifecycle, PolicyRef, Status
from phasegate.planning_ahead import (
    check_before_sunset,
    check_hold,
    check_plan,
    described,
    hold_ahead,
    plan_ahead,
)
from phasegate.policy import Phase
from phasegate.ports import PhaseBrief, SunsetBrief
from phasegate.product import Product
from phasegate.requests import LegalHoldRequest, PlanSunsetRequest
from phasegate.sunset import SunsetPlan
from phasegate.sunset_ports import CustomersSummary

NOW = datetime(2030, 5, 1, tzinfo=UTC)
PLAN = SunsetPlan.model_validate(
    {
        "tasks": [
            {"id": "notice", "kind": "notice", "title": "Notice"},
            {
                "id": "eol",
                "kind": "date",
                "title": "End of life",
                "at": "6 months",
                "marks": "end-of-life",
            },
        ],
        "legal_hold_by": "legal",
    }
)
NOBODY = CustomersSummary()
BRIEF = SunsetBrief(plan=PLAN, members={"legal": ("lea",)})


def living(maturity: str = "ga", *, has_sunset: bool = True, brief: bool = True) -> Lifecycle:
    phase = Phase(id="market", title="Market", in_market=True)
    product = {"key": "kettle", "name": "Kettle", "owner": "olga", "team": ["tim"]}
    return Lifecycle(
        product=Product.model_validate({**product, "maturity": maturity}),
        policy=PolicyRef(name="standard", version="1", digest="sha256:0"),
        directory="default",
        outbox=Outbox(source="product/kettle", product="kettle"),
        brief=PhaseBrief(phase=phase, next=None, has_sunset=has_sunset) if brief else None,
    )


def plan(who: str = "olga", **adjustments: object) -> PlanSunsetRequest:
    return PlanSunsetRequest(
        actor=who, adjustments=Adjustments.model_validate(adjustments), request_id="r"
    )


def hold(who: str = "lea", matter: str = "case-7", *, lift: bool = False) -> LegalHoldRequest:
    return LegalHoldRequest(actor=who, matter=matter, reason="letter", lift=lift, request_id="r")


def test_the_plan_is_kept_and_said_in_a_sentence() -> None:
    state = living()
    layout = plan_ahead(state, plan(notice="2030-06-01"), BRIEF, NOBODY, NOW)
    assert state.adjustments == Adjustments.model_validate({"notice": "2030-06-01"})
    said = described(layout)
    assert said.startswith("public notice on 2030-06-01, end of life on 2031-06-01; ")
    assert "12 months" in said or "1 year" in said, "it says why the end of life moved"


@pytest.mark.parametrize(
    ("maturity", "ends"), [("ga", "2031-06"), ("beta", "2031-03"), ("alpha", "2030-12")]
)
def test_the_notice_is_as_long_as_the_maturity_asks(maturity: str, ends: str) -> None:
    """Kubernetes: GA 12 months, beta 9, alpha none."""
    layout = plan_ahead(living(maturity), plan(notice="2030-06-01"), BRIEF, NOBODY, NOW)
    end = layout.marked("end-of-life")
    assert end
    assert f"{end.at:%Y-%m}" == ends
    given = plan(notice="2030-06-01", dates={"eol": "2030-08-01"})
    if maturity == "alpha":
        plan_ahead(living(maturity), given, BRIEF, NOBODY, NOW)
        return
    with pytest.raises(Rejected) as refusal:
        plan_ahead(living(maturity), given, BRIEF, NOBODY, NOW)
    assert refusal.value.code == "notice-too-short"


def test_the_contracts_of_open_customers_are_kept() -> None:
    customers = CustomersSummary(open=1, contracts_until=datetime(2033, 1, 1, tzinfo=UTC))
    layout = plan_ahead(living("alpha"), plan(), BRIEF, customers, NOW)
    assert "end of life on 2033-01-01" in described(layout)
    with pytest.raises(Rejected) as refusal:
        plan_ahead(living("alpha"), plan(dates={"eol": "2031-01-01"}), BRIEF, customers, NOW)
    assert refusal.value.code == "contract-cut-short"


def test_a_plan_that_marks_no_end_of_life_has_a_sentence_too() -> None:
    bare = SunsetBrief(plan=PLAN.model_copy(update={"tasks": PLAN.tasks[:1]}))
    assert (
        described(plan_ahead(living(), plan(), bare, NOBODY, NOW)) == "public notice on 2030-05-01"
    )


def test_owner_and_team_plan_and_nobody_else() -> None:
    state = living()
    plan_ahead(state, plan("tim"), BRIEF, NOBODY, NOW)
    before = state.adjustments
    with pytest.raises(Forbidden):
        plan_ahead(state, plan("eve", notice="2030-06-01"), BRIEF, NOBODY, NOW)
    assert state.adjustments is before


def test_nothing_is_taken_where_there_is_no_sunset_or_it_runs() -> None:
    under_way = living()
    under_way.status = Status.sunsetting
    for state, code in (
        (living(brief=False), "no-sunset"),
        (living(has_sunset=False), "no-sunset"),
        (under_way, "sunset-under-way"),
    ):
        checks: list[Callable[[], None]] = [
            partial(check_plan, state, plan()),
            partial(check_hold, state, hold()),
            partial(check_before_sunset, state, "it"),
        ]
        for check in checks:
            with pytest.raises(Rejected) as refusal:
                check()
            assert refusal.value.code == code
            assert refusal.value.hint.startswith("phasegate ")
    check_plan(living(), plan())


def test_a_plan_has_room_for_what_people_write_and_not_for_books() -> None:
    texts = [{"id": f"t{n}", "kind": "notice", "title": "T", "text": "x" * 3900} for n in range(30)]
    check_plan(living(), plan(add=texts[:20]))
    assert LARGEST < 30 * 3900
    with pytest.raises(Rejected) as refusal:
        check_plan(living(), plan(add=texts))
    assert refusal.value.code == "too-large"


def test_only_whom_the_policy_names_places_a_legal_hold() -> None:
    state = living()
    with pytest.raises(Forbidden):
        hold_ahead(state, hold("olga"), BRIEF, NOW)
    hold_ahead(state, hold(), BRIEF, NOW)
    with pytest.raises(Rejected) as refusal:
        check_hold(state, hold())
    assert refusal.value.code == "hold-placed"
    (placed,) = state.legal_holds
    assert (placed.matter, placed.by, placed.at) == ("case-7", "lea", NOW)
    hold_ahead(state, hold(lift=True), BRIEF, NOW + timedelta(days=1))
    assert state.legal_holds == []
    anybody = SunsetBrief(plan=PLAN.model_copy(update={"legal_hold_by": None}))
    hold_ahead(state, hold("olga"), anybody, NOW)
    with pytest.raises(Forbidden):
        hold_ahead(state, hold("tim", "other"), anybody, NOW)
