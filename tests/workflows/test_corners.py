"""Corners where two things happen at once, each of which once went wrong."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from stage import DIRECTORY, POLICY, Stage

from client import products
from phasegate.errors import EngineError
from phasegate.reading import read_directory, read_policy, read_product

MARKET = """
policy: corner
version: "1"
title: Corner
phases:
  - id: market
    title: Market
    in_market: true
    review:
      first: PT4S
      every: PT1S
      gate: {id: plr, title: Review, requires: [{group: product}]}
    gate: {id: retire, title: Retire, opens: submit, requires: [{group: product}]}
sunset: {tasks: [{id: note, title: Notice, kind: notice}]}
"""

CRITERIA = """
policy: criteria
version: "1"
title: Criteria
phases:
  - id: build
    title: Build
    milestones:
      - {id: beta, title: Beta done}
      - {id: docs, title: Docs done, check: {kind: reported, by: eng}}
    gate:
      id: launch
      title: Launch
      requires: [{group: product}]
      criteria: [{id: beta-done, text: The beta is done, milestone: beta}]
"""


async def test_a_hold_right_after_a_submission_pauses_the_new_round(stage: Stage) -> None:
    await stage.start()
    await stage.becomes(phase="build")
    await stage.submit()
    await stage.owner("hold")

    async def paused() -> bool | None:
        try:
            return True if (await stage.gate("launch")).status == "on-hold" else None
        except EngineError:
            return None

    await stage.until(paused, "the round is paused")
    await stage.owner("resume")
    await stage.gate_opens("launch")
    await stage.goes_on("launch")
    await stage.votes("launch", "go", "ana", "bo", "cy")
    await stage.becomes(phase="market")


async def test_a_held_gate_comes_back_though_a_review_fell_due_meanwhile(stage: Stage) -> None:
    later = MARKET.replace("policy: corner", "policy: held-corner").replace("PT4S", "PT8S")
    await stage.start(later)  # time enough to submit before the review
    await stage.becomes(phase="market")
    await stage.submit()
    await stage.gate_opens("retire")
    due = (await stage.product()).review_due
    assert due is not None
    late = due - datetime.now(UTC) + timedelta(seconds=0.5)
    await asyncio.sleep(late.total_seconds())  # the review falls due while the gate is open
    await stage.vote("retire", "ana", "hold")
    await stage.becomes(status="on-hold")
    await stage.owner("resume")
    await stage.gate_opens("plr")
    await stage.vote("plr", "ana", "go")
    await stage.gate_opens("retire", 2)


async def test_reviews_go_on_after_a_proposed_sunset_was_recycled(stage: Stage) -> None:
    await stage.start(MARKET)
    await stage.gate_opens("plr")
    await stage.vote("plr", "ana", "kill")
    await stage.gate_opens("retire")
    await stage.vote("retire", "ana", "recycle")
    await stage.gate_opens("plr", 2)


async def test_a_criterion_hears_of_a_milestone_met_while_the_gate_is_open(stage: Stage) -> None:
    await stage.start(CRITERIA)
    await stage.becomes(phase="build")
    await stage.submit()
    await stage.gate_opens("launch")
    await stage.vote("launch", "ana", "go")
    view = await stage.gate("launch")
    assert (view.status, view.criteria[0].state) == ("open", "unmet")
    await stage.report("beta")
    await stage.becomes(status="completed")


async def test_an_owner_cannot_waive_a_must_criterion_away(stage: Stage) -> None:
    await stage.start(CRITERIA)
    await stage.becomes(phase="build")
    await stage.report("beta", action="waive", note="no time")
    assert await stage.refused(stage.report("docs")) == "not-reporter"
    await stage.report("docs", "bo")
    view = await stage.gate_opens("launch")
    assert view.criteria[0].state == "judged"
    assert "waived" in view.criteria[0].why


async def test_a_refused_start_changes_nobodys_directory(stage: Stage) -> None:
    own = "directory: quiet\npeople: {olga: {}, ana: {}}\ngroups: {product: {members: [ana]}}\n"
    policy = CRITERIA.replace("by: eng", "by: product").replace("policy: criteria", "policy: quiet")
    await stage.start(policy, own)
    taken_over = own.replace("ana", "mallory")
    with pytest.raises(EngineError, match="started already"):
        await stage.start(policy, taken_over, f"key: {stage.key}\nname: Other\nowner: olga\n")
    other = read_product(f"key: {stage.key}-2\nname: Other\nowner: olga\n", "product")
    with pytest.raises(EngineError, match="published already"):
        await products.start(
            stage.engine, other, read_policy(policy, "p"), read_directory(taken_over, "d")
        )
    documents = stage.engine.ledger.documents
    current = documents.current("directory", "quiet")
    assert current is not None
    assert documents.read_directory(current.digest).members("product") == ("ana",)


async def test_a_changed_definition_is_not_the_same_product(stage: Stage) -> None:
    await stage.start()
    larger = f"key: {stage.key}\nname: The {stage.key}\nowner: olga\ntier: 1\n"
    with pytest.raises(EngineError, match="started already"):
        await stage.start(product=larger)


async def test_one_name_and_version_of_a_policy_is_one_text(stage: Stage) -> None:
    policy = CRITERIA.replace("policy: criteria", "policy: fixed")
    await stage.start(policy)
    other = read_product(f"key: {stage.key}-2\nname: Other\nowner: olga\n", "product")
    changed = read_policy(policy.replace("title: Criteria", "title: Softer"), "p")
    with pytest.raises(EngineError, match="published already, with other content"):
        await products.start(stage.engine, other, changed, read_directory(DIRECTORY, "d"))


async def test_a_product_that_ended_is_not_started_again(stage: Stage) -> None:
    await stage.start()
    await stage.becomes(phase="build")
    await stage.owner("cancel")
    await stage.becomes(status="cancelled")
    with pytest.raises(EngineError, match="has ended: cancelled"):
        await stage.start()


async def test_two_people_may_use_the_same_request_id(stage: Stage) -> None:
    await stage.start()
    await stage.becomes(phase="build")
    await stage.submit()
    await stage.gate_opens("launch")
    await stage.vote("launch", "bo", "go", request_id="same")
    await stage.signal("launch", "vote", {"approver": "cy", "vote": "kill", "request_id": "same"})

    async def both() -> bool | None:
        return True if len((await stage.gate("launch")).votes) == 2 else None

    await stage.until(both, "both votes count")


@pytest.mark.slow
async def test_two_hundred_long_votes_fit_into_the_gate(stage: Stage) -> None:
    """The longest comments there are, three bytes a character, and everybody is waited for."""
    people = [f"p{number:03}" for number in range(200)]
    crowd = ", ".join(people)
    directory = f"directory: {stage.key}\npeople: {{olga: {{}}, {': {}, '.join(people)}: {{}}}}\n"
    directory += f"groups: {{product: {{members: [{crowd}]}}, eng: {{members: [{crowd}]}}}}\n"
    asked = "wait_for: all, requires: [{group: eng, need: 2}]"
    policy = POLICY.replace("requires: [{group: product}, {group: eng, need: 2}]", asked, 1)
    await stage.start(policy.replace("policy: two-phases", "policy: crowded"), directory)
    await stage.becomes(phase="build")
    await stage.submit()
    await stage.gate_opens("launch")
    refused = 0
    for start in range(0, 200, 8):  # the server takes ten updates at a time
        seats = people[start : start + 8]
        long = [stage.vote("launch", person, "go", comment="語" * 2000) for person in seats]
        codes = await asyncio.gather(*(stage.refused_or(vote) for vote in long))
        assert {code for code in codes if code} <= {"text-too-long"}
        for person in [p for p, code in zip(seats, codes, strict=True) if code]:
            refused += 1
            await stage.vote("launch", person, "go", comment="語" * 50)
    assert refused > 0, "the round's text is bounded"
    await stage.becomes(phase="market")
    assert len((await stage.gate("launch")).votes) == 200
