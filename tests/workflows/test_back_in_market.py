"""The product's side of a sunset: what it takes before one, and how it comes back from it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from leaving import REVIEW, Leaving
from stage import Stage
from temporalio.worker import Replayer

from client import products
from client.asking import ask, new_request_id
from client.engine import Engine
from client.plugin import phasegate_plugin
from client.products import listing
from client.settings import Settings
from ledger import Ledger
from phasegate.adjusting import Adjustments
from phasegate.errors import EngineError, Rejected
from phasegate.ids import product_id, sunset_id
from phasegate.requests import (
    ConditionRequest,
    CustomersRequest,
    LegalHoldRequest,
    PlanSunsetRequest,
    Promise,
)
from phasegate.sunset_report import SunsetReport
from worker import build_worker


@pytest.fixture
def leaving(stage: Stage) -> Leaving:
    return Leaving(stage.engine, stage.key[:50].rstrip("-"))


# -- before the sunset ----------------------------------------------------------------------------


async def test_a_plan_is_kept_for_the_sunset_that_comes(leaving: Leaving) -> None:
    await leaving.begin()
    skip = {"skip": {"note": "everybody knows"}}
    receipt = await leaving.asks("plan", "tim", adjustments=skip)
    assert "public notice on" in receipt.text
    assert (await leaving.product()).adjustments == Adjustments.model_validate(skip)
    (told,) = await leaving.told("product.sunset-planned")
    assert (told["actor"], told["adjustments"]) == ("tim", skip)
    await leaving.launched()
    view = await leaving.leave()
    assert view.adjustments.skip == {"note": "everybody knows"}
    assert next(t.state for t in view.tasks if t.id == "note") == "skipped"
    assert "sunset.notice" not in leaving.story()


async def test_a_plan_that_breaks_a_rule_is_refused_and_changes_nothing(leaving: Leaving) -> None:
    await leaving.begin()
    refused = leaving.refused
    past = {"notice": "2020-01-01"}
    assert await refused(leaving.asks("plan", adjustments=past)) == "date-in-the-past"
    gate = {"skip": {"down": "we are sure"}}
    assert await refused(leaving.asks("plan", adjustments=gate)) == "not-skippable"
    unknown = {"skip": {"dwon": "?"}}
    assert await refused(leaving.asks("plan", adjustments=unknown)) == "unknown-task"
    long = {"add": [{"id": f"t{n}", "kind": "notice", "title": "T", "text": "x" * 3900}
                    for n in range(40)]}  # fmt: skip
    assert await refused(leaving.asks("plan", adjustments=long)) == "too-large"
    assert (await leaving.product()).adjustments is None
    assert "product.sunset-planned" not in leaving.story()


async def test_only_owner_and_team_plan_and_the_attempt_is_recorded(leaving: Leaving) -> None:
    await leaving.begin()
    assert await leaving.refused(leaving.asks("plan", "eve", adjustments={})) == "not-owner"
    (told,) = await leaving.told("product.refused")
    assert (told["actor"], told["code"]) == ("eve", "not-owner")


async def test_a_retried_plan_is_answered_once(leaving: Leaving) -> None:
    await leaving.begin()
    same: dict[str, Any] = {
        "request_id": new_request_id(),
        "adjustments": {"skip": {"note": "known"}},
    }
    answers = await asyncio.gather(*(leaving.asks("plan", **same) for _ in range(3)))
    assert len({answer.text for answer in answers}) == 1
    assert len(await leaving.told("product.sunset-planned")) == 1


async def test_a_policy_without_a_sunset_takes_nothing_about_one(leaving: Leaving) -> None:
    await leaving.begin(sunset=False)
    refused = leaving.refused
    assert await refused(leaving.asks("plan", adjustments={})) == "no-sunset"
    assert await refused(leaving.asks("hold", matter="case-7")) == "no-sunset"
    assert await refused(leaving.asks("customers", text="12 more")) == "no-sunset"
    assert await refused(leaving.asks("start")) == "no-sunset"


async def test_a_sunset_starts_from_the_last_phase_only(leaving: Leaving) -> None:
    await leaving.begin()
    assert await leaving.refused(leaving.asks("start")) == "not-in-market"
    await leaving.launched()
    assert await leaving.refused(leaving.asks("start", "eve")) == "not-owner"
    await leaving.asks("start", "tim")
    await leaving.gate_opens("retire")
    assert await leaving.refused(leaving.asks("start")) == "gate-open"
    await leaving.vote("retire", "ana", "go")
    await leaving.becomes(status="sunsetting")
    assert await leaving.refused(leaving.asks("start")) == "sunset-under-way"


async def test_legal_holds_are_handed_to_the_sunset_and_outlive_it(leaving: Leaving) -> None:
    await leaving.begin()
    assert await leaving.refused(leaving.asks("hold", "tim", matter="case-7")) == "not-legal-holder"
    await leaving.asks("hold", matter="case-7")
    assert await leaving.refused(leaving.asks("hold", matter="case-7")) == "hold-placed"
    assert (await leaving.product()).legal_holds == ["case-7"]
    await leaving.launched()
    view = await leaving.leave()
    assert [hold.matter for hold in view.legal_holds] == ["case-7"]
    await leaving.asks("hold", matter="case-8")
    await leaving.becomes(legal_holds=["case-7", "case-8"])
    await leaving.asks("abort")
    await leaving.back()
    assert (await leaving.product()).legal_holds == ["case-7", "case-8"]
    await leaving.asks("hold", matter="case-7", lift=True)
    assert await leaving.refused(leaving.asks("hold", matter="none", lift=True)) == "no-such-hold"
    assert (await leaving.product()).legal_holds == ["case-8"]
    assert len(await leaving.told("sunset.legal-hold-placed", 2)) == 2
    assert len(await leaving.told("sunset.legal-hold-lifted")) == 1


async def test_word_of_customers_is_recorded_before_there_is_a_sunset(leaving: Leaving) -> None:
    await leaving.begin()
    await leaving.asks("customers", "tim", text="12 more", digest="sha256:ab")
    (told,) = await leaving.told("sunset.customers")
    assert (told["actor"], told["text"], told["digest"]) == ("tim", "12 more", "sha256:ab")
    assert await leaving.refused(leaving.asks("customers", "eve")) == "not-owner"


async def test_a_product_sends_on_what_its_sunset_takes(leaving: Leaving) -> None:
    """The client asks the right one; who asks the wrong one is told where to go."""
    await leaving.begin()
    await leaving.launched()
    await leaving.leave()
    handle, id = leaving.engine.workflow(product_id(leaving.key)), new_request_id()
    plan = PlanSunsetRequest(actor="olga", adjustments=Adjustments(), request_id=id)
    hold = LegalHoldRequest(actor="olga", matter="m", reason="r", request_id=id)
    told = CustomersRequest(actor="olga", request_id=id)
    for update, request in (("plan_sunset", plan), ("legal_hold", hold), ("customers", told)):
        with pytest.raises(Rejected) as refusal:
            await ask(handle, update, request)
        assert refusal.value.code == "sunset-under-way"
        assert refusal.value.hint == f"phasegate sunset show {leaving.key}"


async def test_a_dead_ledger_refuses_a_plan_that_nobody_can_check(
    engine: Engine, tmp_path: Path
) -> None:
    blocked = tmp_path / "state"
    settings = Settings(tmp_path, f"sqlite:///{blocked}/ledger.db", "dead-plan", "http://x")
    own = Engine(engine.client, Ledger(settings.ledger_url), settings)
    leaving = Leaving(own, "dead-plan")
    async with build_worker(own.client, settings):
        await leaving.begin()
        await leaving.told("product.phase-entered")
        await leaving.written()
        aside = tmp_path / "aside"
        own.ledger.close()
        blocked.rename(aside)
        blocked.write_text("a file where the folder was")
        assert await leaving.refused(leaving.asks("plan", adjustments={})) == "ledger-unavailable"
        blocked.unlink()
        aside.rename(blocked)
        await leaving.asks("plan", adjustments={})
        await leaving.told("product.sunset-planned")
        await own.workflow(product_id(leaving.key)).terminate()
    own.ledger.close()


# -- back in the market ---------------------------------------------------------------------------


async def test_an_aborted_sunset_brings_the_product_back_as_it_was(leaving: Leaving) -> None:
    await leaving.begin(review=REVIEW)
    await leaving.launched()
    await leaving.evidence("adoption", figures={"users": 12})
    before = await leaving.product()
    await leaving.leave()
    await leaving.asks("abort")
    await leaving.back()
    view = await leaving.product()
    assert view.milestones == before.milestones
    assert [g.gate for g in view.gates] == ["launch", "retire"]
    assert (view.revision, view.definition_digest) == (before.revision, before.definition_digest)
    assert view.review_due is not None
    (past,) = view.past_sunsets
    assert (past.number, past.by, past.why) == (1, "olga", "a buyer was found")
    (told,) = await leaving.told("product.back-in-market")
    assert (told["actor"], told["sunset"], told["phase"]) == ("olga", 1, "market")
    await leaving.told("product.review-planned")
    await leaving.written()
    story = leaving.story()
    assert story.index("sunset.aborted") < story.index("product.back-in-market")
    assert story.index("product.back-in-market") < len(story) - 1 - story[::-1].index(
        "product.review-planned"
    )
    assert "submit retire" in view.waiting_for

    async def listed() -> bool | None:
        rows = [row async for row in listing(leaving.engine, status="active", limit=None)]
        found = [(row.phase, row.gate) for row in rows if row.key == leaving.key]
        return True if found == [("market", None)] else None

    await leaving.until(listed, "lists show it active, once")


async def test_a_second_sunset_is_carried_through_after_the_first_was_aborted(
    leaving: Leaving,
) -> None:
    await leaving.begin()
    await leaving.launched()
    await leaving.asks("plan", adjustments={"skip": {"note": "known"}})
    await leaving.leave()
    await leaving.confirm("keys", "bo")
    await leaving.gate_opens("down", 1)
    await leaving.asks("abort")
    await leaving.back()
    assert (await leaving.product()).adjustments is None, "the plan was that of the first"
    second = await leaving.leave(2)
    assert second.number == 2
    assert second.adjustments == Adjustments()
    await leaving.confirm("keys", "bo")
    await leaving.gate_opens("down", 2)  # the record has round 1: it was stopped
    await leaving.votes("down", "go", "ana", "bo")
    view = await leaving.becomes(status="retired")
    assert view.sunsets == 2
    assert (await leaving.gate("down", 1)).outcome is None
    assert (await leaving.gate("down", 2)).outcome == "go"
    assert len(await leaving.told("product.retired")) == 1
    assert leaving.story().count("product.sunsetting") == 2


async def test_what_the_first_sunset_says_late_is_refused_and_recorded(leaving: Leaving) -> None:
    await leaving.begin()
    await leaving.launched()
    first = await leaving.leave()
    token = await _token(leaving)
    await leaving.asks("abort")
    await leaving.back()
    late = SunsetReport(token=token, text="late", ended="retired")
    handle = leaving.engine.workflow(product_id(leaving.key))
    await handle.signal("sunset_progress", late)
    (told,) = await leaving.told("product.refused")
    assert told["code"] == "unexpected-report"
    await leaving.leave(2)
    await handle.signal("sunset_progress", late)
    await leaving.told("product.refused", 2)
    assert (await leaving.product()).status == "sunsetting"
    assert first.number == 1


async def test_every_run_of_a_product_that_came_back_replays(leaving: Leaving) -> None:
    await leaving.begin(review=REVIEW)
    await leaving.launched()
    await leaving.asks("plan", adjustments={"skip": {"note": "known"}})
    await leaving.asks("hold", matter="case-7")
    for number in (1, 2):
        await leaving.leave(number)
        await leaving.asks("abort")
        await leaving.back()
    await leaving.owner("cancel", reason="enough")
    await leaving.becomes(status="cancelled")
    client, replayed = leaving.engine.client, 0
    replayer = Replayer(workflows=[], plugins=[phasegate_plugin()])
    async for found in client.list_workflows(f"PhasegateProduct = '{leaving.key}'"):
        handle = client.get_workflow_handle(found.id, run_id=found.run_id)
        await replayer.replay_workflow(await handle.fetch_history())
        replayed += 1
    assert replayed >= 6, "runs of the product, its gates and two sunsets"


async def _token(leaving: Leaving) -> str:
    """The first sunset's own: only it and its product know it, and who can read histories."""
    handle = leaving.engine.workflow(sunset_id(leaving.key))
    history = await handle.fetch_history()
    started = history.events[0].workflow_execution_started_event_attributes
    (state,) = await leaving.engine.client.data_converter.decode(started.input.payloads)
    return str(state["token"])


async def test_conditions_of_the_sunset_lapse_and_those_before_it_do_not(leaving: Leaving) -> None:
    await leaving.begin()
    await leaving.launched()
    await leaving.asks("start")
    await leaving.gate_opens("retire")
    kept = Promise(text="Tell partners", owner="ana")
    await leaving.vote("retire", "ana", "conditional-go", conditions=[kept])
    await leaving.waits("keys")
    await leaving.asks("abort")
    await leaving.back()
    (condition,) = (await leaving.product()).conditions
    assert (condition.gate, condition.state) == ("retire", "open")
    closing = ConditionRequest(
        actor="ana", condition=condition.id, note="told", request_id=new_request_id()
    )
    await products.request(leaving.engine, leaving.key, "condition", closing)
    await leaving.leave(2)


async def test_a_product_that_is_back_can_be_held_changed_and_cancelled(leaving: Leaving) -> None:
    await leaving.begin(review=REVIEW)
    await leaving.launched()
    await leaving.leave()
    await leaving.asks("abort")
    await leaving.back()
    await leaving.owner("hold")
    await leaving.owner("resume")
    await leaving.update(summary="better than ever")
    await leaving.owner("cancel", reason="sold")
    await leaving.becomes(status="cancelled")


WITHOUT_GATE = """
policy: KEY
version: "1"
title: Nothing to decide
phases:
  - id: market
    title: Market
    in_market: true
    REVIEW
sunset: {tasks: [{id: keys, title: Revoke keys, kind: manual}]}
"""


async def test_a_phase_without_a_gate_waits_for_its_owner_then(leaving: Leaving) -> None:
    """It began the sunset by itself, and would again."""
    policy = WITHOUT_GATE.replace("KEY", leaving.key).replace("REVIEW", "milestones: []")
    await leaving.start(policy)
    await leaving.waits("keys")
    await leaving.asks("abort")
    await leaving.back()
    ends = f"olga to end market: phasegate gate submit {leaving.key} --as olga"
    assert (await leaving.product()).waiting_for == ends
    assert "the end of market is submitted" not in leaving.texts("gate.submitted")
    await leaving.asks("start")
    await leaving.waits("keys", 2)
    await leaving.told("gate.submitted")
    assert leaving.texts("gate.submitted") == ["the end of market is submitted"]


async def test_a_review_that_ended_the_market_comes_again(leaving: Leaving) -> None:
    often = REVIEW.replace("1 day", "1 second")
    await leaving.start(WITHOUT_GATE.replace("KEY", leaving.key).replace("REVIEW", often))
    for number in (1, 2):
        await leaving.gate_opens("plr", number)
        await leaving.votes("plr", "kill", "bo", "cy", "dan")
        await leaving.waits("keys", number)
        await leaving.asks("abort")
        await leaving.until(leaving.is_back, "it is in the market again")
    assert await leaving.refused(leaving.asks("start")) == "no-gate"


async def test_it_comes_back_in_whatever_run_it_is(
    eager: Engine, another: Callable[[str], Stage]
) -> None:
    """On a server that suggests continue-as-new all the time."""
    leaving = Leaving(eager, another("eager").key[-40:].strip("-"))
    await leaving.begin()
    await leaving.launched()
    for number in (1, 2):
        await leaving.leave(number)
        await leaving.asks("abort")
        await leaving.back()
    assert [past.number for past in (await leaving.product()).past_sunsets] == [1, 2]


async def test_nothing_can_be_aborted_where_there_is_no_sunset(leaving: Leaving) -> None:
    await leaving.begin()
    with pytest.raises(EngineError, match="has no sunset") as error:
        await leaving.asks("abort")
    assert error.value.hint == f"phasegate sunset plan {leaving.key} --dry-run"
