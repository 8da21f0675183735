"""Gates of the sunset hear of the product's milestones, also of those that are met late."""

from __future__ import annotations

from stage import DIRECTORY, Stage
from tracker import Tracker

from client.engine import Engine
from phasegate.ids import product_id
from phasegate.views import GateView

POLICY = """
policy: KEY
version: "1"
title: Migrate, then go
phases:
  - id: build
    title: Build
    milestones: [{id: archived, title: Archived, check: {kind: reported, by: eng}}]
    gate: {id: launch, title: Launch, opens: submit, requires: [{group: product}]}
  - id: market
    title: Market
    in_market: true
    milestones: [{id: migrated, title: Everybody has moved CHECK}]
    gate: {id: retire, title: Retire, opens: submit, requires: [{group: product}]}
sunset:
  tasks:
    - id: down
      title: Shut down
      kind: gate
      gate:
        id: down
        title: Shut down
        requires: [{group: eng}]
        criteria:
          - {id: moved, text: Everybody has moved, milestone: migrated}
          - {id: kept, text: It is archived, milestone: archived}
"""


async def leave(stage: Stage, check: str = "") -> GateView:
    """On the way out of the market before its milestones are met."""
    policy = POLICY.replace("KEY", stage.key).replace("CHECK", check)
    await stage.start(policy, DIRECTORY)
    await stage.becomes(phase="build")
    await stage.submit()
    await stage.gate_opens("launch")
    await stage.vote("launch", "ana", "go")
    await stage.becomes(phase="market")
    await stage.submit()
    await stage.gate_opens("retire")
    await stage.vote("retire", "ana", "go")
    return await stage.gate_opens("down")


def states(view: GateView) -> dict[str, str]:
    return {criterion.id: criterion.state for criterion in view.criteria}


async def test_a_gate_of_the_sunset_hears_of_milestones_while_it_sits(stage: Stage) -> None:
    assert states(await leave(stage)) == {"moved": "unmet", "kept": "unmet"}
    await stage.vote("down", "bo", "go")
    assert (await stage.gate("down")).status == "open", "a must is not met"
    assert await stage.refused(stage.report("archived", "olga")) == "not-reporter"
    await stage.report("archived", "cy")
    await stage.report("migrated")
    await stage.becomes(status="retired")


async def test_a_later_round_of_the_sunset_knows_what_was_met_before_it(stage: Stage) -> None:
    await leave(stage)
    await stage.votes("down", "recycle", "bo", "cy", "dan")

    async def stopped() -> bool | None:
        return True if "sunset.stopped" in stage.story() else None

    await stage.until(stopped, "the sunset waits for its owner")
    await stage.report("archived", "cy")
    await stage.report("migrated", action="waive", note="nobody uses it")
    await stage.submit()
    view = await stage.gate_opens("down", 2)
    assert states(view) == {"moved": "judged", "kept": "met"}
    await stage.vote("down", "bo", "go")
    await stage.becomes(status="retired")


async def test_a_polled_milestone_reaches_the_sunset_in_a_later_run_of_the_product(
    eager: Engine, tracker: Tracker
) -> None:
    stage = Stage(eager, "polled-late")
    tracker.body = {"left": 3}
    check = 'kind: http, url: "URL", expression: body.left == 0, every: PT0.2S'
    await leave(stage, ", check: {" + check.replace("URL", tracker.url) + "}")
    await stage.report("archived", "bo")
    handle = eager.workflow(product_id(stage.key))
    first = (await handle.describe()).run_id
    for number in range(8):
        await stage.report("migrated", action="replan", due=f"2031-01-0{number + 1}")

    async def renewed() -> bool | None:
        return True if (await handle.describe()).run_id != first else None

    await stage.until(renewed, "the product is in a new run")
    await tracker.asked(len(tracker.calls) + 3)
    await stage.vote("down", "bo", "go")
    tracker.body = {"left": 0}
    await stage.becomes(status="retired")
    await stage.written()
    assert stage.story().count("milestone.met") == 2
