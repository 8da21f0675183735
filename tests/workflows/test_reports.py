"""Reports from the record of real lifecycles: they say what the product says of itself."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from life import Life
from stage import Stage

from client.forecasts import Forecaster
from client.reports import Meant, portfolio, slo
from phasegate.forecast_view import Forecast
from phasegate.past_goals import GOAL_EVENTS, PastGoals
from phasegate.past_product import PRODUCT_EVENTS, PastProduct
from phasegate.recalled import foresee, recall
from phasegate.requests import Promise
from phasegate.slo_view import GateSlo, GroupSlo, Slo

NEAR = timedelta(seconds=8)
"""How far apart instants may be that two workflows, or two tasks of one, took: a gate is open for
its product when it is started, and for the record when it knows who votes."""


@pytest.fixture
def life(stage: Stage) -> Life:
    return Life(stage.engine, stage.key[:50].rstrip("-"))


def near(one: datetime | None, other: datetime | None) -> bool:
    return one == other or bool(one and other and abs(one - other) < NEAR)


def course(found: Forecast) -> list[tuple[Any, ...]]:
    """What is foreseen, but for instants."""
    return [
        *((g.gate, g.state, g.round, g.outcome, g.slip, g.at_earliest) for g in found.gates),
        *((m.id, m.state, m.slip, m.at_risk, m.ahead, m.waits_for) for m in found.milestones),
        *((p.phase, p.state, p.slip) for p in found.phases),
    ]


async def agrees(life: Life) -> None:
    """The record has the same product, and the same is expected of it, as the workflow says."""
    await life.written()
    said, now = await life.product(), datetime.now(UTC)
    entries = life.engine.ledger.events(life.key, types=(*PRODUCT_EVENTS, *GOAL_EVENTS))
    events = [entry.announcement for entry in entries]
    past, policy = (
        PastProduct.of(life.key, events),
        life.engine.ledger.documents.read_policy(said.policy_digest),
    )
    goals = PastGoals(past, policy, events)
    view = recall(past, goals, policy)
    same = ("name", "owner", "tier", "status", "phase", "gate", "round", "policy", "ahead")
    for name in same:
        assert getattr(view, name) == getattr(said, name), name
    for mine, its in zip(view.milestones, said.milestones, strict=True):
        assert (mine.id, mine.state, mine.title, mine.phase) == (
            its.id, its.state, its.title, its.phase,
        )  # fmt: skip
        assert near(mine.due, its.due)
        assert mine.planned == its.planned
    for name in ("entered_at", "started_at", "held_since", "gate_since", "review_due"):
        assert near(getattr(view, name), getattr(said, name)), name
    promised = [(p.id, p.state) for p in past.promises.values()]
    assert promised == [(c.id, c.state) for c in said.conditions]
    for promise, condition in zip(past.promises.values(), said.conditions, strict=True):
        assert near(promise.due, condition.due)
    reckoned, live = (
        foresee(past, goals, policy, now),
        await Forecaster(life.engine, now).foresee(said),
    )
    assert course(reckoned) == course(live)
    assert reckoned.next_gate == live.next_gate
    assert near(reckoned.next_gate_expected, live.next_gate_expected)


async def levels(life: Life) -> Slo:
    """The service levels of this one product: it has a policy of its own."""
    await life.written()
    now = datetime.now(UTC)
    return slo(life.engine.ledger, Meant(policy=life.key), now - timedelta(days=1), now)


def of(found: Slo, gate: str) -> GateSlo:
    return next(g for g in found.gates if g.gate == gate)


def group(found: Slo, name: str) -> GroupSlo:
    return next(g for g in found.groups if g.group == name)


async def test_the_record_follows_a_product_through_its_life(life: Life) -> None:
    due = "[{id: done, phase: build, due: 2031-03-01}, {id: sold, phase: market, due: 2031-09-01}]"
    await life.begin(milestones=due)
    await agrees(life)
    await life.owner("hold")
    await asyncio.sleep(9)  # which is not near any more
    await agrees(life)
    await life.owner("resume")
    await agrees(life)
    kept = (await life.definition()).model_dump(mode="json")["milestones"]
    kept[0]["due"], kept[1]["due"] = "2031-04-01", "2031-10-01"
    await life.update(milestones=[*kept, {"id": "fair", "phase": "build"}], name="Kettle 2")
    await agrees(life)
    await life.opened()
    await agrees(life)
    await life.vote("launch", "bo", "go")
    await life.evidence("report", "tim", figures={"stars": 4})
    await life.handover("cy")
    await life.report("done", "cy")
    promise = Promise(text="Rotate the keys", due=datetime(2031, 5, 1, tzinfo=UTC))
    await life.vote("launch", "ana", "conditional-go", conditions=[promise])
    await life.vote("launch", "bo", "go")
    await life.becomes(phase="market", gate=None)
    await agrees(life)
    found = await levels(life)
    assert (of(found, "launch").decided, of(found, "launch").outcomes) == (1, {"conditional-go": 1})
    assert group(found, "eng").asked >= 2  # the first yes was on what it no longer is
    assert (group(found, "eng").answered, group(found, "product").answered) == (2, 1)
    assert [(p.phase, p.days.n, p.here) for p in found.phases] == [
        ("build", 1, 0),
        ("market", 0, 1),
    ]
    assert (found.conditions.open, found.conditions.overdue) == (1, 0)


async def test_a_recycle_that_was_overridden_is_a_pass_in_the_end(life: Life) -> None:
    await life.begin()
    await life.opened()
    await life.votes("launch", "recycle", "ana", "bo", "cy", "tim")
    await life.told("product.back-to-work")
    before = await levels(life)
    assert (of(before, "launch").recycled, before.recycle_rate) == (1, 1.0)
    await agrees(life)
    await life.override("go")
    await life.becomes(phase="market")
    found = await levels(life)
    assert (found.recycled, found.rounds_decided, found.overrides) == (0, 1, 1)
    assert of(found, "launch").outcomes == {"go": 1}


async def test_a_killed_product_comes_back_into_the_same_stay(life: Life) -> None:
    await life.begin()
    await life.opened()
    await life.votes("launch", "kill", "ana", "bo", "cy", "tim")
    await life.becomes(status="killed")
    assert (await levels(life)).phases[0].broken_off == 1
    await life.revive()
    await life.becomes(status="active")
    await agrees(life)
    found = await levels(life)
    assert (found.phases[0].broken_off, found.phases[0].here) == (0, 1)
    rows = portfolio(life.engine.ledger, Meant(policy=life.key), datetime.now(UTC)).products
    (cost,) = rows[0].gates
    assert (rows[0].phase, cost.rounds, cost.people_asked) == ("build", 1, 4)
