"""What a product carries fits a payload, however long it lives: conditions and milestones."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from committee import refused

from phasegate.changes import check_update, update
from phasegate.errors import Rejected
from phasegate.events import Outbox
from phasegate.lifecycle import Lifecycle, PolicyRef
from phasegate.milestones import Milestone, MilestoneStatus
from phasegate.policy import Phase
from phasegate.ports import Authority, PhaseBrief
from phasegate.product import Product
from phasegate.promises import Condition
from phasegate.requests import ConditionRequest, MilestoneRequest, UpdateProductRequest
from phasegate.retirement import Retirement
from phasegate.room import (
    IN_THE_RECORD,
    MILESTONES_BYTES,
    OPEN_BYTES,
    SETTLED_BYTES,
    bytes_of,
    fitting,
)
from phasegate.sittings import GateReport
from phasegate.stewardship import check_condition, check_milestone, settle
from phasegate.sunset_report import SunsetReport
from phasegate.views import ConditionView

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
DAY = timedelta(days=1)
PAYLOAD = 2_000_000


def living(**more: Any) -> Lifecycle:
    return Lifecycle.model_validate(
        {
            "product": Product(key="kettle", name="Kettle", owner="olga", tier=2),
            "policy": PolicyRef(name="standard", version="1", digest="sha256:0"),
            "directory": "default",
            "outbox": Outbox(source="product/kettle", product="kettle"),
            "brief": PhaseBrief(
                phase=Phase(id="scoping", title="Scoping"), next=None, has_sunset=True
            ),
            **more,
        }
    )


def promises(count: int, text: str, round: int = 1) -> list[ConditionView]:
    return [
        ConditionView(
            id=f"launch-{round}-{number}",
            text=text,
            owner="bo",
            due=NOW + (count - number) * DAY,
            state="open",
        )
        for number in range(1, count + 1)
    ]


def close(state: Lifecycle, condition: str, note: str = "語" * 4000) -> None:
    request = ConditionRequest(
        actor="olga",
        request_id="r",
        condition=condition,
        note=note,
        link="https://x/" + "y" * 1990,
    )
    settle(state, check_condition(state, request), request, NOW)


def size(state: Lifecycle | Retirement) -> int:
    return len(state.model_dump_json().encode())


# -- conditions -----------------------------------------------------------------------------------


def test_conditions_that_were_closed_long_ago_lose_their_texts_and_open_ones_do_not() -> None:
    state = living()
    for round in range(1, 31):
        state.take_conditions(promises(5, "語" * 500, round), NOW, "launch")
        for number in range(2, 6):
            close(state, f"launch-{round}-{number}")
    kept = [f"launch-{round}-1" for round in range(1, 31)]
    assert size(state) < 500_000
    assert [c.id for c in state.open_conditions()] == kept
    assert {c.text for c in state.open_conditions()} == {"語" * 500}
    settled = [c for c in state.conditions if c.state != "open"]
    assert bytes_of(settled) <= SETTLED_BYTES
    assert (settled[0].text, settled[0].note, settled[0].link) == (IN_THE_RECORD, "", "")
    assert (settled[0].closed_by, settled[0].closed_at) == ("olga", NOW)
    assert settled[-1].note == "語" * 4000


def test_of_very_many_settled_conditions_the_oldest_go() -> None:
    """Also those that an earlier release closed."""
    old = [
        Condition(id=f"old-{n}", text="docs", owner="bo", due=None, state="closed")
        for n in range(1000)
    ]
    state = living(conditions=old)
    state.take_conditions(promises(1, "runbook"), NOW, "launch")
    close(state, "launch-1-1", "see there")
    assert state.conditions[0].id != "old-0"
    assert (state.conditions[-1].id, state.conditions[-1].gate) == ("launch-1-1", "launch")
    assert bytes_of(state.conditions) <= SETTLED_BYTES


def test_a_few_conditions_are_kept_as_they_are() -> None:
    found = promises(20, "docs")
    assert fitting(found, []) == found
    state = living()
    state.take_conditions(found, NOW, "launch")
    state.take_conditions(found, NOW, "launch")
    close(state, "launch-1-1", "done")
    assert [c.text for c in state.conditions] == ["docs"] * 20


def test_long_conditions_are_shortened_before_any_is_left_out() -> None:
    found = fitting(promises(150, "語" * 500), [])
    assert len(found) == 150
    assert {c.text for c in found} == {"語" * 80 + "… (all of it is in the record)"}
    assert fitting(promises(3, "short " * 5), found)[0].text == "short " * 5


def test_too_many_conditions_become_one_with_the_earliest_date() -> None:
    state = living()
    state.take_conditions(promises(2000, "x" * 200), NOW, "launch")
    assert bytes_of(fitting(promises(2000, "x" * 200), [])) <= OPEN_BYTES + 1000
    *_, before, last = state.open_conditions()
    number = int(before.id.removeprefix("launch-1-")) + 1
    assert last.id == f"launch-1-{number}-rest"
    assert last.text.startswith(f"{2000 - number + 1} further conditions")
    assert last.due == NOW
    close(state, last.id)
    without = [c.model_copy(update={"due": None}) for c in promises(2000, "x")]
    assert fitting(without, [])[-1].due is None


def test_rounds_that_were_overridden_add_up_within_bounds() -> None:
    state = living()
    for round in range(1, 11):
        state.take_conditions(promises(300, "語" * 500, round), NOW, "launch")
    assert size(state) < PAYLOAD / 4
    assert {f"launch-{round}-1-rest" for round in range(3, 11)} <= {
        c.id for c in state.open_conditions()
    }


def test_the_sunset_makes_room_and_lets_go_of_what_is_kept() -> None:
    product = living(sunset_token="t")
    state = Retirement(
        product=product.facts(""),
        reports_to="product/kettle",
        token="t",
        open_conditions=["launch-1-1"],
        outbox=Outbox(source="product/kettle/sunset", product="kettle"),
    )
    report = GateReport(
        gate="down",
        round=1,
        token="",
        outcome="conditional-go",
        why="",
        decided_at=NOW,
        conditions=promises(1000, "語" * 500, 7),
    )
    state.take_conditions(report)
    assert size(state) < 2 * OPEN_BYTES
    assert product.take_sunset(SunsetReport(token="t", text="", conditions=state.conditions), NOW)
    assert [c.id for c in product.conditions] == state.open_conditions[1:], "as the sunset has them"
    first = state.conditions[0].id
    assert state.let_go("launch-1-1")
    assert state.let_go(first)
    assert not state.let_go(first)
    assert first not in [*state.open_conditions, *(c.id for c in state.conditions)]


# -- milestones -----------------------------------------------------------------------------------


def definition(state: Lifecycle, prefix: str, count: int, phase: str = "scoping") -> Any:
    milestones = [
        {"id": f"{prefix}-{number}", "phase": phase, "title": "x" * 1000, "due": "2031-01-01"}
        for number in range(count)
    ]
    return UpdateProductRequest(
        actor="olga",
        request_id="r",
        product=state.product.model_validate(
            {**state.product.model_dump(mode="json"), "milestones": milestones}
        ),
    )


@pytest.mark.parametrize("phase", ["scoping", "later"])
def test_definitions_one_after_the_other_do_not_pile_up_milestones(phase: str) -> None:
    """Those of a later phase leave with the definition, and only their first dates stay."""
    state = living()

    def pile_up() -> None:
        for number in range(100):
            update(state, definition(state, f"{number}-" + "n" * 50, 90, phase), Authority())

    with pytest.raises(Rejected) as told:
        pile_up()
    assert told.value.code == "too-large"
    assert "bytes, and 200000 are taken" in told.value.why
    assert told.value.hint.startswith("phasegate milestone list kettle")
    assert size(state) < PAYLOAD / 4
    smaller = definition(state, "0-" + "n" * 50, 3, phase)
    assert check_update(state, smaller) == ["milestones"], "a smaller roadmap is always taken"


def test_long_notes_on_milestones_are_refused_once_they_fill_their_room() -> None:
    many = [Milestone(id=f"m-{n}", title="Goal", phase="scoping") for n in range(40)]
    state = living(milestones=many)
    for milestone in many[:20]:
        milestone.state, milestone.why = MilestoneStatus.met, "語" * 4000

    def report(note: str) -> MilestoneRequest:
        return MilestoneRequest(actor="olga", request_id="r", milestone="m-30", note=note)

    assert bytes_of(many) > MILESTONES_BYTES
    refused("text-too-long", lambda: check_milestone(state, report("x" * 301)), "301 bytes")
    assert check_milestone(state, report("x" * 300)).id == "m-30"
