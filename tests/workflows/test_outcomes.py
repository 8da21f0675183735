"""What each outcome does to a product, on a real server."""

from datetime import UTC, datetime, timedelta

from stage import POLICY, Stage

WITHOUT_SUNSET = POLICY[: POLICY.index("sunset:")].replace("two-phases", "no-sunset")


async def to_launch(stage: Stage, policy: str = POLICY) -> None:
    await stage.start(policy)
    await stage.becomes(phase="build")
    await stage.report("done")
    await stage.gate_opens("launch")


async def test_a_whole_life_from_inception_to_retirement(stage: Stage) -> None:
    await to_launch(stage)
    await stage.votes("launch", "go", "ana", "bo", "cy")
    await stage.becomes(phase="market", status="active")
    await stage.submit("retire")
    await stage.gate_opens("retire")
    await stage.vote("retire", "ana", "go")
    await stage.becomes(status="sunsetting")
    await stage.task_waits("keys")
    await stage.confirm("keys", "bo")
    view = await stage.becomes(status="retired")
    assert view.ended_at is not None
    assert [(g.gate, g.outcome) for g in view.gates] == [("launch", "go"), ("retire", "go")]
    assert view.gates[0].votes == {"ana": "go", "bo": "go", "cy": "go"}
    await stage.written()
    assert stage.engine.ledger.verify(stage.key) == len(stage.story())


async def test_recycle_goes_back_to_work_and_returns_as_a_new_round(stage: Stage) -> None:
    await to_launch(stage)
    await stage.votes("launch", "recycle", "ana", "bo", "cy", "dan")
    await stage.becomes(gate=None)
    view = await stage.product()
    assert (view.status, view.phase) == ("active", "build")
    assert "to submit launch" in view.waiting_for
    await stage.submit()
    await stage.gate_opens("launch", 2)
    await stage.votes("launch", "go", "ana", "bo", "cy")
    view = await stage.becomes(phase="market")
    assert [(g.round, g.outcome) for g in view.gates] == [(1, "recycle"), (2, "go")]
    first = await stage.gate("launch", 1)
    assert (first.round, first.outcome, first.status) == (1, "recycle", "decided")


async def test_hold_pauses_and_resume_brings_a_new_round(stage: Stage) -> None:
    await to_launch(stage)
    await stage.votes("launch", "hold", "ana", "bo", "cy", "dan")
    await stage.becomes(status="on-hold")
    assert await stage.refused(stage.submit()) == "not-active"
    assert await stage.refused(stage.owner("resume", who="ana")) == "not-owner"
    await stage.owner("resume")
    await stage.gate_opens("launch", 2)


async def test_kill_ends_a_product_that_is_not_in_the_market(stage: Stage) -> None:
    await to_launch(stage)
    await stage.votes("launch", "kill", "ana", "bo", "cy", "dan")
    await stage.becomes(status="killed")
    gone = f"engine: product/{stage.key} is not running"
    assert await stage.refused(stage.submit()) in ("product-ended", gone)


async def test_kill_in_the_market_leads_to_the_sunset(stage: Stage) -> None:
    await to_launch(stage)
    await stage.votes("launch", "go", "ana", "bo", "cy")
    await stage.becomes(phase="market")
    await stage.submit()
    await stage.gate_opens("retire")
    await stage.vote("retire", "ana", "kill")
    await stage.becomes(status="sunsetting")


async def test_a_policy_without_a_sunset_completes(stage: Stage) -> None:
    await to_launch(stage, WITHOUT_SUNSET)
    await stage.votes("launch", "go", "ana", "bo", "cy")
    await stage.becomes(phase="market")
    await stage.submit()
    await stage.gate_opens("retire")
    await stage.vote("retire", "ana", "go")
    await stage.becomes(status="completed")


async def test_an_open_condition_keeps_the_next_gate_from_deciding(stage: Stage) -> None:
    await to_launch(stage)
    due = datetime.now(UTC) + timedelta(days=3)
    promise = {"text": "write the runbook", "owner": "bo", "due": due}
    await stage.vote("launch", "bo", "conditional-go", conditions=[promise])
    await stage.votes("launch", "go", "ana", "cy")
    view = await stage.becomes(phase="market")
    assert view.gates[0].outcome == "conditional-go"
    (condition,) = view.conditions
    assert (condition.text, condition.owner, condition.state) == ("write the runbook", "bo", "open")
    assert view.next_due == due
    await stage.submit()
    await stage.gate_opens("retire")
    await stage.vote("retire", "ana", "go")
    held = await stage.gate("retire")
    assert held.status == "open"
    assert condition.id in held.why
    assert await stage.refused(stage.close(condition.id, "eve")) == "not-owner"
    await stage.close(condition.id, "bo")
    await stage.becomes(status="sunsetting")
    assert await stage.refused(stage.close(condition.id)) == "unknown-condition"


async def test_a_review_comes_again_and_its_kill_proposes_the_sunset(stage: Stage) -> None:
    await stage.start(
        """
        policy: reviewed
        version: "1"
        title: Reviewed
        phases:
          - id: market
            title: Market
            in_market: true
            review:
              first: PT0.5S
              every: PT0.5S
              gate: {id: plr, title: Post-launch review, requires: [{group: product}]}
            gate: {id: retire, title: Retire, opens: submit, requires: [{group: product}]}
        sunset: {tasks: [{id: note, title: Notice, kind: notice}]}
        """
    )
    await stage.gate_opens("plr", 1)
    await stage.vote("plr", "ana", "go")
    await stage.gate_opens("plr", 2)
    await stage.vote("plr", "ana", "recycle")
    await stage.gate_opens("plr", 3)
    await stage.vote("plr", "ana", "kill")
    await stage.gate_opens("retire")
    await stage.vote("retire", "ana", "go")
    view = await stage.becomes(status="retired")
    assert [g.outcome for g in view.gates] == ["go", "recycle", "kill", "go"]
