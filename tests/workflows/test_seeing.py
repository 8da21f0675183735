"""What is said names the evidence it was said about, also where its sender named none."""

from __future__ import annotations

import pytest
from stage import Stage

from client import gates
from client.asking import new_request_id
from client.signing import UNSIGNED, ready
from phasegate.requests import VoteRequest


@pytest.fixture
async def launch(stage: Stage) -> Stage:
    await stage.start()
    await stage.becomes(phase="build")
    await stage.report("done")
    await stage.gate_opens("launch")
    return stage


def go(**more: str) -> VoteRequest:
    return VoteRequest(approver="bo", vote="go", request_id=new_request_id(), **more)


async def test_evidence_that_comes_between_the_look_and_the_vote_makes_it_stale(
    launch: Stage,
) -> None:
    known = await ready(launch.engine, launch.key, "launch", "vote", go(), UNSIGNED)
    assert known.revision == (await launch.gate("launch")).revision
    await launch.evidence("Load test")

    async def changed() -> bool | None:
        return True if (await launch.gate("launch")).revision != known.revision else None

    await launch.until(changed, "the gate has heard of it")
    late = gates.vote(launch.engine, launch.key, "launch", known)
    assert await launch.refused(late) == "stale-revision"
    receipt = await gates.vote(launch.engine, launch.key, "launch", go())
    view = await launch.gate("launch")
    assert [(v.approver, v.revision) for v in view.votes] == [("bo", view.revision)]
    assert receipt.revision == view.revision


async def test_what_names_its_evidence_is_sent_as_it_is_and_so_is_what_finds_no_round(
    launch: Stage,
) -> None:
    named = go(revision="r0")
    assert await ready(launch.engine, launch.key, "launch", "vote", named, UNSIGNED) is named
    unnamed = go()
    assert await ready(launch.engine, launch.key, "retire", "vote", unnamed, UNSIGNED) is unnamed


async def test_a_gate_that_is_decided_still_says_so(launch: Stage) -> None:
    await launch.votes("launch", "go", "ana", "bo", "cy")
    await launch.becomes(phase="market")
    late = await ready(launch.engine, launch.key, "launch", "vote", go(), UNSIGNED)
    refused = gates.vote(launch.engine, launch.key, "launch", late)
    assert await launch.refused(refused) == "gate-decided"
