"""What happens to a product over the years: it changes, changes hands, is overruled and revived."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from life import Life
from stage import Stage
from temporalio.api.workflowservice.v1 import DeleteWorkflowExecutionRequest

from client import products
from client.asking import new_request_id
from client.engine import Engine
from client.settings import Settings
from ledger import Ledger
from phasegate.errors import EngineError, Forbidden, Rejected
from phasegate.ids import product_id
from phasegate.requests import Promise
from worker import build_worker


@pytest.fixture
def life(stage: Stage) -> Life:
    return Life(stage.engine, stage.key[:50].rstrip("-"))


def soon(seconds: float) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=seconds)


async def conditional(life: Life, *promises: Promise) -> None:
    """Into the market with conditions."""
    await life.opened()
    await life.vote("launch", "ana", "conditional-go", conditions=list(promises))
    await life.vote("launch", "bo", "go")
    await life.becomes(phase="market", gate=None)


# -- evidence -------------------------------------------------------------------------------------


async def test_evidence_of_the_team_reaches_the_open_round(life: Life) -> None:
    await life.begin()
    await life.evidence("plan", figures={"stars": 3})
    await life.opened()
    seen = (await life.gate("launch")).revision
    assert seen == (await life.product()).revision
    await life.vote("launch", "bo", "go", revision=seen)
    assert await life.refused(life.evidence("rumour", "eve")) == "not-owner"
    receipt = await life.evidence("report", "tim", figures={"stars": 4})
    assert "launch sees it" in receipt.text
    assert receipt.revision not in (None, seen)

    async def heard() -> bool | None:
        view = await life.gate("launch")
        return True if view.revision == receipt.revision else None

    await life.until(heard, "the round sees the report")
    view = await life.gate("launch")
    assert [(e["title"], e["by"]) for e in view.evidence] == [("plan", "olga"), ("report", "tim")]
    assert [p.approver for p in view.pending if p.approver == "bo"], "bo is asked again"
    assert await life.refused(life.vote("launch", "bo", "go", revision=seen)) == "stale-revision"


async def test_who_of_the_team_submits_a_gate_has_no_vote_on_it(life: Life) -> None:
    await life.begin()
    assert await life.refused(life.submit("launch", "eve")) == "not-owner"
    await life.opened(who="tim")
    assert await life.refused(life.vote("launch", "tim", "go")) == "self-approval"
    await life.votes("launch", "go", "ana", "bo")
    view = await life.becomes(phase="market")
    assert view.gates[-1].submitter == "tim"


# -- the definition -------------------------------------------------------------------------------


async def test_a_new_definition_replans_the_roadmap_and_is_published(life: Life) -> None:
    await life.begin()
    before = await life.product()
    receipt = await life.update(
        summary="boils faster",
        milestones=[
            {"id": "done", "phase": "build", "due": "2031-05-01"},
            {"id": "fair", "phase": "build", "title": "Shown at the fair"},
            {"id": "later", "phase": "market"},
        ],
    )
    assert "milestone done is now due 2031-05-01 23:59 UTC" in receipt.text
    assert "milestone fair joins" in receipt.text
    view = await life.product()
    assert [m.id for m in view.milestones] == ["done", "fair"]
    assert view.next_due == datetime(2031, 5, 1, 23, 59, 59, tzinfo=UTC)
    assert view.revision == receipt.revision != before.revision
    (told,) = await life.told("product.updated")
    assert told["changed"] == ["summary", "milestones"]
    assert (told["before"], told["digest"]) == (before.definition_digest, view.definition_digest)
    assert told["product"]["summary"] == "boils faster"
    documents = life.engine.ledger.documents
    for digest in (before.definition_digest, view.definition_digest):
        assert documents.read_product(digest).key == life.key


async def test_a_definition_that_is_another_product_is_refused(life: Life) -> None:
    await life.begin()
    assert await life.refused(life.update()) == "unchanged"
    assert await life.refused(life.update(key="other")) == "other-product"
    assert await life.refused(life.update(policy="other")) == "other-policy"
    with pytest.raises(Rejected) as told:
        await life.update(owner="ana")
    handover = f"phasegate product handover {life.key} ana --as olga"
    assert told.value.hint.startswith(handover)
    assert await life.refused(life.update(goals=[{"goal": "x" * 4000}] * 60)) == "too-large"
    assert await life.refused(life.update("eve", name="Mine")) == "not-owner"
    assert "product.updated" not in life.story()


async def test_a_smaller_launch_is_decided_by_others_than_the_owner(life: Life) -> None:
    """olga has the permission, too: she owns the product."""
    await life.begin()
    await life.opened()
    assert await life.refused(life.update("zoe", tier=3, name="K")) == "tier-alone"
    assert await life.refused(life.update("olga", tier=3)) == "self-approval"
    assert await life.refused(life.update("eve", tier=3)) == "not-permitted"
    await life.update("zoe", tier=3)
    assert (await life.product()).tier == 3
    await life.update("olga", tier=1)
    assert (await life.product()).tier == 1
    assert [told["actor"] for told in await life.told("product.updated", 2)] == ["zoe", "olga"]


# -- the owner ------------------------------------------------------------------------------------


async def test_a_product_changes_hands_by_its_owner_or_a_manager_above(life: Life) -> None:
    await life.begin()
    await conditional(life, Promise(text="docs"), Promise(text="tests", owner="cy"))
    with pytest.raises(Forbidden) as told:
        await life.handover("ana", "eve")
    assert "max (a manager of olga) or zoe (a manager of olga)" in told.value.why
    assert await life.refused(life.handover("nobody")) == "unknown-person"
    assert await life.refused(life.handover("olga", "zoe")) == "same-owner"
    receipt = await life.handover("ana", "zoe")
    assert "its owner's open conditions: launch-1-1" in receipt.text
    view = await life.product()
    assert (view.owner, [c.owner for c in view.conditions]) == ("ana", ["ana", "cy"])
    assert await life.refused(life.owner("hold", "olga")) == "not-owner"
    await life.handover("tim", "ana")
    await life.owner("hold", "tim")
    told = await life.told("product.handed-over", 2)
    assert [(t["from"], t["to"], t["actor"]) for t in told] == [
        ("olga", "ana", "zoe"),
        ("ana", "tim", "ana"),
    ]
    assert [t["product"]["owner"] for t in told] == ["ana", "tim"]
    digest = (await life.product()).definition_digest
    assert life.engine.ledger.documents.read_product(digest).owner == "tim"

    async def listed() -> bool | None:
        rows = [row async for row in products.listing(life.engine)]
        return True if ("tim" in [r.owner for r in rows if r.key == life.key]) else None

    await life.until(listed, "lists show the new owner")


async def test_a_new_owner_reaches_an_open_gate_and_the_sunset(life: Life) -> None:
    await life.begin()
    await life.launched()
    await life.opened("retire")
    await life.vote("retire", "ana", "go")
    await life.task_waits("keys")
    await life.confirm("keys", "bo")
    await life.gate_opens("down")
    await life.vote("down", "ana", "recycle")
    await life.votes("down", "recycle", "bo", "cy", "tim")

    async def stopped() -> bool | None:
        return True if "sunset.stopped" in life.story() else None

    await life.until(stopped, "the sunset waits for its owner")
    await life.becomes(gate=None)
    await life.handover("cy", "max")
    assert await life.refused(life.submit("down", "olga")) == "not-owner"
    await life.opened("down", 2, who="cy")
    await life.becomes(gate="down")  # the product hears of it from its sunset
    assert await life.refused(life.vote("down", "cy", "go")) == "self-approval"
    text = (await life.handover("bo", "cy")).text
    assert text.endswith("on down, which is open, are void, and bo votes on it no longer")

    async def heard() -> bool | None:
        code = await life.refused_or(life.vote("down", "bo", "go"))
        return True if code == "self-approval" else None

    await life.until(heard, "the round knows its new owner")
    await life.votes("down", "go", "ana", "tim")
    await life.becomes(status="retired")


# -- conditions -----------------------------------------------------------------------------------


async def test_conditions_remind_fall_overdue_and_are_closed_or_waived(life: Life) -> None:
    await life.begin()
    await conditional(
        life,
        Promise(text="docs", owner="bo", due=soon(8)),
        Promise(text="tests", owner="cy", due=soon(600)),
        Promise(text="talks"),
    )
    (reminder,) = await life.told("condition.reminder")
    assert reminder["text"].startswith("bo, launch-1-1 is due ")
    (overdue,) = await life.told("condition.overdue")
    assert (overdue["owner"], overdue["gate"]) == ("bo", "launch")
    assert "blocks the next gate" in overdue["text"]
    first = (await life.product()).conditions[0]
    assert (first.state, first.overdue, first.gate) == ("open", True, "launch")
    assert await life.refused(life.waive("launch-1-1", "olga")) == "self-approval"
    assert await life.refused(life.waive("launch-1-2", "cy")) == "self-approval"
    assert await life.refused(life.waive("launch-1-1", "eve")) == "not-permitted"
    assert await life.refused(life.close("launch-1-1", "eve")) == "not-owner"
    await life.waive("launch-1-1", "zoe")
    await life.close("launch-1-2", "cy")
    assert await life.refused(life.waive("launch-1-1", "zoe")) == "unknown-condition"
    waived, closed, still = (await life.product()).conditions
    assert (waived.state, waived.closed_by, waived.note) == ("waived", "zoe", "not needed any more")
    assert (closed.state, closed.closed_by, closed.closed_at is not None) == ("closed", "cy", True)
    assert still.state == "open"
    assert [t["actor"] for t in await life.told("condition.waived")] == ["zoe"]


# -- overruling -----------------------------------------------------------------------------------


async def test_a_recycled_gate_is_overridden_to_go(life: Life) -> None:
    await life.begin()
    assert await life.refused(life.override("go")) == "not-stopped"
    await life.opened(who="tim")
    assert await life.refused(life.override("go")) == "gate-open"
    await life.votes("launch", "recycle", "ana", "bo", "cy")
    await life.becomes(gate=None, status="active")
    for who, code in (
        ("olga", "self-approval"),
        ("tim", "self-approval"),
        ("eve", "not-permitted"),
    ):
        assert await life.refused(life.override("go", who)) == code
    assert (await life.handover("cy")).text.endswith("a new job")
    assert await life.refused(life.override("go", "olga")) == "self-approval"
    assert await life.refused(life.override("recycle")) == "unchanged"
    assert await life.refused(life.override("go", gate="other")) == "other-gate"
    await life.override("go")
    view = await life.becomes(phase="market")
    assert [(g.round, g.outcome) for g in view.gates] == [(1, "recycle"), (1, "go")]
    assert view.gates[-1].why == "overridden by zoe: the board wants it"
    (told,) = await life.told("gate.overridden")
    assert (told["from"], told["to"], told["gate"]) == ("recycle", "go", "launch")
    with pytest.raises(Rejected) as moved_on:
        await life.override("kill")
    assert moved_on.value.code == "not-stopped"
    assert moved_on.value.why == f"launch came to go; {life.key} has moved on, and is active"


async def test_what_a_gate_stopped_is_overridden_also_while_its_owner_holds_it(life: Life) -> None:
    await life.begin()
    await life.owner("hold")
    assert await life.refused(life.override("go")) == "not-stopped"
    await life.owner("resume")
    await life.opened()
    await life.votes("launch", "hold", "ana", "bo", "cy", "tim")
    await life.becomes(status="on-hold")
    await life.override("recycle")
    await life.becomes(status="active")
    await life.owner("hold")
    await life.override("kill")
    await life.becomes(status="killed")


async def test_who_brings_an_open_gate_back_does_not_override_it_later(life: Life) -> None:
    await life.begin(team=["tim", "cy"])
    await life.opened()
    await life.chair("launch", "needs_work", "ana", what="the plan")
    await life.submit("launch", "cy")
    await life.votes("launch", "recycle", "ana", "bo", "tim")
    await life.becomes(gate=None, status="active")
    with pytest.raises(Forbidden, match="cy submitted the gate") as told:
        await life.override("go", "cy")
    assert told.value.code == "self-approval"


# -- a second life --------------------------------------------------------------------------------


async def test_a_killed_product_is_revived_and_goes_on(life: Life) -> None:
    await life.begin()
    await life.evidence("plan")
    assert (await life.refused(life.revive())).startswith("engine: ")
    await life.opened()
    await life.votes("launch", "kill", "ana", "bo", "cy", "tim")
    await life.becomes(status="killed")
    with pytest.raises(EngineError, match="has ended: killed") as told:
        await life.begin()
    assert told.value.hint.startswith(f"phasegate product revive {life.key}")
    await life.told("product.killed")  # the record says what is revived
    assert await life.refused(life.revive("olga")) == "self-approval"
    assert (await life.product()).status == "killed"
    receipt = await life.revive()
    assert receipt.status == "active"
    view = await life.product()
    assert (view.status, view.phase, view.ended_at) == ("active", "build", None)
    assert "olga to submit launch" in view.waiting_for
    assert await life.refused(life.revive()) == f"engine: {life.key} cannot be revived"
    await life.launched(round_number=2)
    assert [g.outcome for g in (await life.product()).gates] == ["kill", "go"]
    assert [e["title"] for e in (await life.gate("launch", 2)).evidence] == ["plan"]
    await life.written()
    entries = life.engine.ledger.events(life.key)
    assert len({e.announcement.id for e in entries}) == len(entries)
    assert life.engine.ledger.verify(life.key) == len(entries)
    refused = [t for t in await life.told("product.refused") if t["channel"] == "start"]
    assert [t["actor"] for t in refused] == ["olga"]


async def test_a_revival_needs_no_history_in_temporal(life: Life) -> None:
    await life.begin()
    await life.opened()
    await life.votes("launch", "kill", "ana", "bo", "cy", "tim")
    await life.becomes(status="killed")
    client = life.engine.client
    description = await life.engine.workflow(product_id(life.key)).describe()
    while description.status is not None and description.status.name == "RUNNING":
        await asyncio.sleep(0.05)
        description = await life.engine.workflow(product_id(life.key)).describe()
    await client.workflow_service.delete_workflow_execution(
        DeleteWorkflowExecutionRequest(
            namespace=client.namespace,
            workflow_execution={"workflow_id": product_id(life.key)},  # type: ignore[arg-type]
        )
    )

    async def gone() -> bool | None:
        try:
            await life.product()
        except EngineError:
            return True
        return None

    await life.until(gone, "its history is deleted")
    await life.revive()
    assert (await life.product()).status == "active"


# -- investing ------------------------------------------------------------------------------------


REVIEW = """review:
      first: PT2S
      every: PT2S
      invest: build
      gate: {id: plr, title: Review, requires: [{group: product}]}"""


async def test_a_review_leads_back_to_building_and_a_go_leads_out_again(life: Life) -> None:
    await life.begin(review=REVIEW)
    await life.report("done")
    await life.launched()
    await life.gate_opens("plr")
    await life.vote("plr", "ana", "recycle")
    view = await life.becomes(phase="build", invested_from="market")
    assert [(m.id, m.state, m.due) for m in view.milestones if m.phase == "build"] == [
        ("done", "planned", None)
    ]
    (investing,) = await life.told("product.investing")
    assert (investing["phase"], investing["to"]) == ("market", "build")
    entered = (await life.told("product.phase-entered", 3))[-1]
    assert entered["milestones_before"] == {"done": "met"}
    await life.launched(round_number=2)
    view = await life.product()
    assert (view.phase, view.invested_from) == ("market", None)
    await life.gate_opens("plr", 2)


async def test_a_kill_on_the_way_ends_the_investment_and_not_the_product(life: Life) -> None:
    await life.begin(review=REVIEW)
    await life.launched()
    await life.gate_opens("plr")
    await life.vote("plr", "ana", "recycle")
    await life.becomes(phase="build")
    await life.opened("launch", 2)
    await life.votes("launch", "kill", "ana", "bo", "cy", "tim")
    await life.becomes(phase="market", status="active", invested_from=None)
    assert await life.told("product.investment-ended")
    await life.gate_opens("plr", 2)


# -- asking twice, and asking nobody --------------------------------------------------------------


async def test_a_request_is_done_once_however_often_it_is_sent(life: Life) -> None:
    await life.begin()
    await conditional(life, Promise(text="docs", owner="bo"))
    once = new_request_id()
    first, again = await asyncio.gather(
        life.waive("launch-1-1", "zoe", request_id=once),
        life.waive("launch-1-1", "zoe", request_id=once),
    )
    assert first == again == await life.waive("launch-1-1", "zoe", request_id=once)
    twice = new_request_id()
    handed = await life.handover("ana", request_id=twice)
    assert await life.handover("ana", request_id=twice) == handed
    assert len(await life.told("condition.waived")) == 1
    assert len(await life.told("product.handed-over")) == 1


async def test_a_dead_ledger_refuses_what_only_the_directory_permits(
    engine: Engine, tmp_path: Path
) -> None:
    blocked = tmp_path / "state"
    settings = Settings(tmp_path, f"sqlite:///{blocked}/ledger.db", "dead-directory", "http://x")
    own = Engine(engine.client, Ledger(settings.ledger_url), settings)
    life = Life(own, "dead-directory")
    async with build_worker(own.client, settings):
        await life.begin()
        await conditional(life, Promise(text="docs", owner="bo"))
        await life.written()
        aside = tmp_path / "aside"
        own.ledger.close()
        blocked.rename(aside)
        blocked.write_text("a file where the folder was")
        with pytest.raises(Rejected) as told:
            await life.waive("launch-1-1", "zoe")
        assert told.value.code == "ledger-unavailable"
        assert "directory" in told.value.why
        assert (await life.product()).conditions[0].state == "open"
        await life.close("launch-1-1", "bo")
        blocked.unlink()
        aside.rename(blocked)
        assert await life.told("condition.closed")
        assert "product.refused" not in life.story()
        await own.workflow(product_id(life.key)).terminate()
    own.ledger.close()


async def test_a_group_reports_what_a_product_asks_of_it_also_when_that_is_new(life: Life) -> None:
    goal = {"id": "audit", "phase": "build", "check": {"kind": "reported", "by": "eng"}}
    await life.begin(milestones="[{id: own, phase: build, check: {kind: reported, by: board}}]")
    assert await life.refused(life.report("own", "bo")) == "not-reporter"
    await life.report("own", "zoe")
    kept = (await life.definition()).model_dump(mode="json")["milestones"]
    await life.update(milestones=[*kept, goal])
    assert await life.refused(life.report("audit", "olga")) == "not-reporter"
    await life.report("audit", "bo")
