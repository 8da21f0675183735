"""The first date of a milestone is kept, however it moves; and what a product shows of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from phasegate.changes import update
from phasegate.events import Outbox
from phasegate.lifecycle import Lifecycle, PolicyRef, Status
from phasegate.milestones import Milestone, MilestoneStatus, first_dates, roadmap_of
from phasegate.policy import MilestoneGoal, Phase
from phasegate.ports import Authority, PhaseBrief
from phasegate.product import Product
from phasegate.product_view import product_view
from phasegate.requests import MilestoneRequest, UpdateProductRequest
from phasegate.sittings import GateReport

NOW = datetime(2027, 1, 4, 9, tzinfo=UTC)
DAY = timedelta(days=1)
END = timedelta(hours=23, minutes=59, seconds=59)
HERE = Phase(id="build", title="Build", milestones=(MilestoneGoal(id="done", title="Done"),))
NEXT = Phase(id="sell", title="Sell", milestones=(MilestoneGoal(id="sold", title="Sold"),))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC) + END


def defined(**dates: str | None) -> Product:
    """PHASE__ID="2027-…"."""
    plans = [
        {"phase": name.split("__")[0], "id": name.split("__")[1], "due": due}
        for name, due in dates.items()
    ]
    fields = {"key": "kettle", "name": "Kettle", "owner": "olga", "milestones": plans}
    return Product.model_validate(fields)


def living(product: Product, **more: Any) -> Lifecycle:
    return Lifecycle(
        product=product,
        policy=PolicyRef(name="p", version="1", digest="sha256:0"),
        directory="default",
        outbox=Outbox(source="product/kettle", product="kettle"),
        brief=PhaseBrief(phase=HERE, next="sell", has_sunset=False),
        milestones=roadmap_of(HERE, product),
        **more,
    )


def changes(state: Lifecycle, **dates: str | None) -> None:
    request = UpdateProductRequest(actor="olga", product=defined(**dates), request_id="r")
    update(state, request, Authority(permissions=(), known=True))


def replans(milestone: Milestone, due: str) -> None:
    request = MilestoneRequest(
        actor="olga", milestone=milestone.id, action="replan", due=at(due), request_id="r"
    )
    milestone.act(request, NOW)


def test_a_milestone_keeps_its_first_date_when_it_is_planned_anew() -> None:
    state = living(defined(build__done="2027-02-01"))
    done = state.milestone("done")
    assert done.planned == done.due == at("2027-02-01")
    replans(done, "2027-03-01")
    replans(done, "2027-04-01")
    assert (done.planned, done.due) == (at("2027-02-01"), at("2027-04-01"))
    changes(state, build__done="2027-05-01")
    assert (done.planned, done.due) == (at("2027-02-01"), at("2027-05-01"))


def test_one_without_a_date_has_the_first_that_it_is_given() -> None:
    state = living(defined(build__own=None))
    for milestone, due in (("done", "2027-02-01"), ("own", "2027-03-01")):
        replans(state.milestone(milestone), due)
        assert state.milestone(milestone).planned == at(due)


def test_a_hold_moves_the_date_and_not_the_plan() -> None:
    state = living(defined(build__done="2027-02-01"), held_since=NOW, status=Status.on_hold)
    state.resume(NOW + 7 * DAY)
    done = state.milestone("done")
    assert (done.planned, done.due) == (at("2027-02-01"), at("2027-02-08"))


def test_the_state_of_an_earlier_release_has_the_date_it_had_when_it_moves() -> None:
    for move in (lambda m: m.shift(DAY), lambda m: replans(m, "2027-09-01")):
        old = Milestone(id="done", title="Done", phase="build", due=NOW)
        move(old)
        assert old.planned == NOW
    old = Milestone(id="done", title="Done", phase="build", due=NOW)
    state = living(defined())
    state.milestones = [old]
    assert product_view(state, "w").milestones[0].planned == NOW


def test_a_later_phase_knows_the_first_dates_of_its_milestones() -> None:
    state = living(defined(sell__sold="2027-06-01", sell__own=None))
    changes(state, sell__sold="2027-07-01", sell__own="2027-07-02")
    changes(state, sell__sold="2027-08-01", sell__own="2027-08-02")
    ahead = {m.id: (m.planned, m.due) for m in product_view(state, "w").ahead}
    assert ahead == {
        "sold": (at("2027-06-01"), at("2027-08-01")),
        "own": (at("2027-07-02"), at("2027-08-02")),
    }
    entered = {m.id: m.planned for m in roadmap_of(NEXT, state.product, state.first_dates)}
    assert entered == {"sold": at("2027-06-01"), "own": at("2027-07-02")}
    assert first_dates({}, state.product) == {
        "sell/sold": at("2027-08-01"),
        "sell/own": at("2027-08-02"),
    }


def test_a_product_shows_what_a_forecast_needs() -> None:
    state = living(defined(build__done="2027-02-01"), entered_at=NOW, review_due=NOW + DAY)
    sitting = state.sittings.begin("launch", "phase", workflow_id="g", token="t")
    sitting.since = NOW
    view = product_view(state, "w")
    assert (view.gate_since, view.entered_at, view.review_due) == (NOW, NOW, NOW + DAY)
    assert view.held_since is None
    sitting.report = GateReport(
        gate="launch", round=1, token="t", outcome="go", why="", decided_at=NOW + 3 * DAY
    )
    state.sittings.end()
    state.status, state.held_since = Status.on_hold, NOW
    view = product_view(state, "w")
    assert (view.gates[0].opened_at, view.gates[0].decided_at) == (NOW, NOW + 3 * DAY)
    assert (view.gate_since, view.held_since) == (None, NOW)
    assert view.milestones[0].state == MilestoneStatus.planned
