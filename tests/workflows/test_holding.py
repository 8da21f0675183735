"""Holds: what a retry must not do again."""

from __future__ import annotations

import pytest
from life import Life
from stage import Stage

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
