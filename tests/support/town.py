"""One long life, of a committee that uses all that a gate knows, played for auditors."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from stage import Stage

from client import products
from client.asking import new_request_id
from phasegate.gate_requests import OverrideRequest
from phasegate.requests import Promise

DIRECTORY = """
directory: town
people:
  olga: {manager: max}
  ana: {manager: max, deputy: eva}
  bo: {manager: max}
  cy: {manager: max, absences: [{start: 2020-01-01, end: 2099-12-31, delegate: eva}]}
  dan: {}
  eva: {}
  lea: {}
  max: {}
  zoe: {}
groups:
  eng: {members: [ana, bo, cy]}
  legal: {members: [lea]}
  product: {members: [dan]}
  board: {members: [zoe], permissions: {override: [1, 2], extend: [1, 2], reassign: [1, 2]}}
"""

POLICY = """
policy: town
version: "1"
title: Town
phases:
  - id: build
    title: Build
    milestones: [{id: done, title: Done}]
    gate:
      id: launch
      title: Launch
      opens: submit
      requires:
        - {group: eng, need: 3}
        - {group: product, when: product.tier == 1}
        - {group: legal, step: 2, veto: true}
      reviewers: [board]
      criteria:
        - {id: built, text: Built, milestone: done}
        - {id: up, text: It stays up, expression: evidence.uptime >= 99.0}
        - {id: safe, text: Safe, attested_by: legal}
        - {id: liked, text: Liked, kind: should, weight: 3}
      threshold: 50
  - id: market
    title: Market
    in_market: true
    gate: {id: retire, title: Retire, opens: submit, requires: [{group: product}]}
sunset:
  tasks:
    - {id: note, title: Public notice, kind: notice}
    - {id: down, title: Down, kind: gate, gate: {id: down, title: Down, requires: [{group: legal}]}}
"""


async def play(stage: Stage) -> None:
    """From the start to the day it leaves the market."""
    await stage.start(POLICY, DIRECTORY)
    await stage.becomes(phase="build")
    await stage.report("done")
    await stage.evidence("Load test", digest=f"sha256:{'1' * 64}", figures={"uptime": 99.5})
    await stage.submit()
    await stage.gate_opens("launch")
    await _decide_launch(stage)
    await stage.becomes(phase="market")
    (promised,) = [c for c in (await stage.product()).conditions if c.state == "open"]
    await stage.close(promised.id)
    await stage.submit("retire")
    await stage.gate_opens("retire")
    await stage.vote("retire", "dan", "hold")
    await stage.becomes(status="on-hold", gate=None)
    wish = OverrideRequest(
        actor="zoe", outcome="recycle", reason="think again", request_id=new_request_id()
    )
    await products.request(stage.engine, stage.key, "override", wish)
    await stage.becomes(status="active")
    await stage.submit("retire")
    await stage.gate_opens("retire", 2)
    await stage.chair("retire", "override", "zoe", outcome="go", reason="the board has decided")
    await stage.gate_opens("down")
    await stage.vote("down", "lea", "go")
    await stage.becomes(status="retired")
    await stage.written()


async def _decide_launch(stage: Stage) -> None:
    """Everybody speaks: for themselves, for others, and again."""
    assert await stage.refused(stage.vote("launch", "max", "go")) == "stranger"
    await stage.vote("launch", "zoe", "go", comment="as I see it")
    await stage.vote("launch", "bo", "recycle")
    await stage.vote("launch", "bo", "go", scores={"liked": 7})
    await stage.vote("launch", "eva", "go", on_behalf_of="cy")
    await stage.evidence("Second load test", figures={"uptime": 99.9})
    await stage.until(lambda: _void(stage), "the yes-votes are void")
    await stage.chair("launch", "delegate", "bo", to="dan", reason="at the dentist")
    await stage.vote("launch", "dan", "go", on_behalf_of="bo", scores={"liked": 9})
    await stage.vote("launch", "eva", "abstain", on_behalf_of="cy")
    await stage.chair("launch", "withdraw", "eva", on_behalf_of="cy", reason="too early")
    await stage.vote("launch", "eva", "go", on_behalf_of="cy")
    later = datetime.now(UTC) + timedelta(days=90)
    await stage.chair("launch", "extend", "zoe", resolve=later, reason="holidays")
    await stage.chair("launch", "reassign", "zoe", approver="ana", to="max", reason="on leave")
    promise = Promise(text="Rotate the keys", due=later)
    await stage.vote("launch", "max", "conditional-go", conditions=[promise], scores={"liked": 8})
    await stage.until(lambda: _step(stage, 2), "the second step opens")
    await stage.chair("launch", "needs_work", "lea", what="where is the licence?")
    await stage.chair("launch", "submit", "olga")
    view = await stage.gate("launch")
    await stage.chair("launch", "attest", "lea", criterion="safe", state="met", note="seen",
                      revision=view.revision)  # fmt: skip
    await stage.vote("launch", "lea", "go")


async def _void(stage: Stage) -> bool | None:
    votes = (await stage.gate("launch")).votes
    return any(vote.state == "voided" for vote in votes) or None


async def _step(stage: Stage, number: int) -> bool | None:
    return (await stage.gate("launch")).step == number or None
