"""Holds: what a retry must not do again, and what an authority decides all the same."""

from __future__ import annotations

import pytest
from life import Life
from stage import Stage

from phasegate.errors import EngineError
from phasegate.ids import product_id
from phasegate.requests import OwnerRequest, Receipt


@pytest.fixture
def life(stage: Stage) -> Life:
    return Life(stage.engine, stage.key[:50].rstrip("-"))


async def again(life: Life, verb: str, request_id: str, attempt: int) -> Receipt:
    """The owner's command, sent once more as a later run of the product would see it.

    Within a run the server answers a retry by itself, by the Update's id.
    """
    request = OwnerRequest(actor="olga", request_id=request_id)
    handle = life.engine.workflow(product_id(life.key))
    receipt: Receipt = await handle.execute_update(
        verb, request, id=f"{request_id}-{attempt}", result_type=Receipt
    )
    return receipt


async def stands(life: Life, status: str) -> None:
    async def so() -> bool | None:
        return True if (await life.gate("launch")).status == status else None

    await life.until(so, f"the round is {status}")


async def test_a_retried_hold_or_resume_is_answered_and_does_nothing_again(life: Life) -> None:
    await life.begin()
    await life.opened()
    first = await again(life, "hold", "pause", 1)
    await stands(life, "on-hold")
    await again(life, "resume", "go-on", 1)
    await stands(life, "open")
    assert await again(life, "hold", "pause", 2) == first
    await life.vote("launch", "ana", "go")
    await life.owner("hold")
    await stands(life, "on-hold")
    assert (await again(life, "resume", "go-on", 2)).text == f"{life.key} is active again"
    assert (await life.product()).status == "on-hold"
    assert await life.refused(life.vote("launch", "bo", "go")) == "gate-on-hold"
    await life.owner("resume")
    await stands(life, "open")
    await life.vote("launch", "bo", "go")
    await life.becomes(phase="market")


@pytest.mark.parametrize("outcome", ["go", "hold"])
async def test_an_override_ends_the_owners_hold(life: Life, outcome: str) -> None:
    await life.begin()
    await life.opened()
    await life.owner("hold", reason="let us not decide this")
    await stands(life, "on-hold")
    await life.chair("launch", "override", "zoe", outcome=outcome, reason="the board wants it")
    if outcome == "go":
        await life.becomes(phase="market", status="active")
    else:
        await life.becomes(status="on-hold", gate=None)
        await life.override("go")  # it is held by its gate now, and waits because of it
        await life.becomes(phase="market", status="active")
    (told,) = await life.told("product.resumed")
    assert told["actor"] == "zoe"
    assert told["text"] == f"{life.key} goes on: overridden by zoe: the board wants it"


async def test_a_round_that_ends_without_an_override_waits_for_the_hold_to_end(life: Life) -> None:
    await life.begin()
    await life.opened()
    await life.owner("hold")
    await stands(life, "on-hold")
    await life.engine.workflow(f"product/{life.key}/gate/launch").cancel()

    async def abandoned() -> bool | None:
        try:
            return True if (await life.gate("launch")).status == "decided" else None
        except EngineError:
            return None

    await life.until(abandoned, "the round has ended")
    assert (await life.product()).status == "on-hold"
    await life.owner("resume")
    await life.becomes(gate=None, status="active")
    (told,) = await life.told("gate.abandoned")
    assert told["asked"] == ["ana", "bo", "cy", "tim"], "they hear that it is over"
