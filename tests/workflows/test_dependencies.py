"""Products that wait for each other, on a real server."""

from __future__ import annotations

from dataclasses import replace

import pytest
from stage import POLICY, Stage

from client import products
from client.asking import new_request_id
from phasegate.errors import EngineError
from phasegate.milestones import MilestoneStatus
from phasegate.requests import MilestoneRequest


def waiting_for(key: str, target: str, due: str = "") -> str:
    """A product whose own milestone `theirs` waits for another product's."""
    kind, _, name = target.partition(" ")
    product, _, step = name.partition("/")
    dated = f", due: {due}" if due else ""
    return (
        f"key: {key}\nname: The {key}\nowner: olga\ntier: 2\nmilestones:\n"
        f"  - {{id: theirs, phase: build, title: Theirs{dated},\n"
        f"     check: {{kind: product, product: {product}, {kind}: {step}, every: PT0.2S}}}}\n"
    )


def beside(stage: Stage, name: str) -> Stage:
    return replace(stage, key=f"{stage.key}-{name}"[-63:].strip("-"))


async def replan(stage: Stage, milestone: str, due: str) -> None:
    request = MilestoneRequest.model_validate(
        {
            "actor": "olga", "milestone": milestone, "action": "replan", "due": due,
            "request_id": new_request_id(),
        }
    )  # fmt: skip
    await products.request(stage.engine, stage.key, "milestone", request)


async def state_of(stage: Stage, milestone: str, want: str, why: str = "") -> None:
    async def is_so() -> bool | None:
        found = {m.id: m for m in (await stage.product()).milestones}.get(milestone)
        return True if found and found.state == want and why in found.why else None

    await stage.until(is_so, f"{milestone} of {stage.key} is {want} ({why})")


async def test_a_milestone_is_met_when_that_of_another_product_is(stage: Stage) -> None:
    mine = beside(stage, "down")
    await mine.start(product=waiting_for(mine.key, f"milestone {stage.key}/done"))
    await state_of(mine, "theirs", "planned", f"there is no product {stage.key} yet")
    await stage.start()
    await state_of(mine, "theirs", "planned", f"waits for {stage.key}/done, which is planned")
    await stage.report("done")
    await state_of(mine, "theirs", "met", f"{stage.key}/done is met")


async def test_a_gate_of_another_product_is_waited_for(stage: Stage) -> None:
    mine = beside(stage, "down")
    await stage.start()
    await mine.start(product=waiting_for(mine.key, f"gate {stage.key}/launch"))
    await state_of(mine, "theirs", "planned", "launch, which is not decided")
    await stage.becomes(phase="build")
    await stage.report("done")
    await stage.gate_opens("launch")
    await stage.votes("launch", "go", "ana", "bo", "cy")
    await state_of(mine, "theirs", "met", f"{stage.key}/launch came to go")


async def test_a_slip_travels_along_the_chain(stage: Stage) -> None:
    middle, last = beside(stage, "middle"), beside(stage, "last")
    await stage.start()
    await stage.becomes(phase="build")
    await replan(stage, "done", "2030-01-01")
    await middle.start(product=waiting_for(middle.key, f"milestone {stage.key}/done", "2030-02-01"))
    await last.start(product=waiting_for(last.key, f"milestone {middle.key}/theirs", "2030-03-01"))
    await state_of(last, "theirs", MilestoneStatus.planned, "expected 2030-02-01")
    await replan(stage, "done", "2030-06-01")
    await state_of(middle, "theirs", MilestoneStatus.at_risk, "expected 2030-06-01")
    await state_of(last, "theirs", MilestoneStatus.at_risk, "expected 2030-06-01")
    shown = {m.id: m for m in (await last.product()).milestones}["theirs"]
    assert (f"{shown.expected:%Y-%m-%d}", shown.waits_for) == ("2030-06-01", f"{middle.key}/theirs")
    await replan(stage, "done", "2030-01-15")
    await state_of(last, "theirs", MilestoneStatus.planned, "expected 2030-02-01")
    await last.written()
    said = [text for text in last.texts("milestone.at-risk") if "is at risk" in text]
    assert len(said) == 1


async def test_circles_and_unknown_steps_are_refused_before_anything_starts(stage: Stage) -> None:
    other = beside(stage, "other")
    await stage.start(product=waiting_for(stage.key, f"gate {other.key}/launch"))
    refused = await other.refused(
        other.start(product=waiting_for(other.key, f"gate {stage.key}/launch"))
    )
    assert refused == f"engine: {other.key} would wait for itself"
    refused = await other.refused(
        other.start(product=waiting_for(other.key, f"milestone {stage.key}/dome"))
    )
    assert refused == f"engine: {other.key}/theirs would wait for ever"
    assert not other.story()
    with pytest.raises(EngineError) as error:
        await other.start(product=waiting_for(other.key, f"gate {stage.key}/launch"))
    way = f"{other.key}/theirs → {stage.key}/launch → {stage.key}/theirs"
    assert way in error.value.why
    assert error.value.hint.startswith("phasegate milestone list")


async def test_what_another_product_ended_without_is_said_so(stage: Stage) -> None:
    mine = beside(stage, "down")
    await stage.start()
    await mine.start(product=waiting_for(mine.key, f"gate {stage.key}/launch"))
    await stage.owner("cancel")
    await state_of(mine, "theirs", "planned", f"and {stage.key} is cancelled")


async def test_a_gate_of_a_sunset_is_waited_for(stage: Stage) -> None:
    mine = beside(stage, "next")
    gate = "{id: down, title: Down, requires: [{group: eng}]}"
    policy = POLICY.replace("two-phases", "with-a-last-gate") + (
        f"    - {{id: off, title: Off, kind: gate, gate: {gate}}}\n"
    )
    await stage.start(policy)
    await mine.start(product=waiting_for(mine.key, f"gate {stage.key}/down"))
    await state_of(mine, "theirs", "planned", "down, which is not decided")
    await stage.becomes(phase="build")
    await stage.report("done")
    await stage.gate_opens("launch")
    await stage.votes("launch", "go", "ana", "bo", "cy")
    await stage.becomes(phase="market")
    await stage.submit("retire")
    await stage.gate_opens("retire")
    await stage.vote("retire", "ana", "go")
    await stage.task_waits("keys")
    await stage.confirm("keys", "bo")
    await stage.gate_opens("down")
    await stage.vote("down", "bo", "go")
    await state_of(mine, "theirs", "met", f"{stage.key}/down came to go")
