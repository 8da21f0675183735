"""The lives that record.py plays: paths through the workflows that must go on replaying."""

from __future__ import annotations

from pathlib import Path

from leaving import REVIEW, Leaving
from life import Life
from signers import PEOPLE, Signer, directory, entry, make_key, publish
from signers import POLICY as SIGNED
from stage import Stage

from client.asking import ask, new_request_id
from client.gates import override
from client.happenings import tell
from client.signing import Signing
from phasegate.gate_requests import OverrideRequest
from phasegate.happenings import Happening
from phasegate.ids import gate_id, product_id, sunset_id

REVIEWED = """
policy: reviewed
version: "1"
title: Reviewed
phases:
  - id: market
    title: Market
    in_market: true
    review:
      first: PT0.5S
      every: PT30S
      gate:
        id: plr
        title: Post-launch review
        requires: [{group: product}]
        clocks: {respond: PT1S, resolve: PT2S, remind: [PT0.5S], on_timeout: escalate}
    gate: {id: retire, title: Retire, opens: submit, requires: [{group: product}]}
sunset:
  tasks:
    - {id: eol, title: End of life, kind: date, at: PT1S, remind: [PT0.5S]}
    - {id: keys, title: Revoke keys, kind: manual, by: eng}
    - id: down
      title: Shut down
      kind: gate
      gate: {id: down, title: Down, requires: [{group: eng}]}
"""


async def whole_life(stage: Stage) -> None:
    """Refusals, a change of mind, recycle, hold and resume, conditions, sunset."""
    await stage.start()
    await stage.becomes(phase="build")
    await stage.report("done", action="replan", due="2031-01-01")
    await stage.refused(stage.report("done", "eve"))
    await stage.report("done")
    await stage.gate_opens("launch")
    await stage.refused(stage.vote("launch", "eve", "go"))
    await stage.refused(stage.vote("launch", "olga", "go"))
    await stage.signal("launch", "vote", {"approver": "bo", "vote": "recycle"})
    await stage.signal("launch", "vote", "garbage")
    await stage.signal("launch", "unheard-of", 1, 2)
    await stage.owner("hold", reason="a pause")
    await stage.refused(stage.vote("launch", "cy", "go"))
    await stage.owner("resume")
    await stage.goes_on("launch")
    await stage.votes("launch", "recycle", "ana", "cy", "dan")
    await stage.becomes(gate=None)
    await stage.submit()
    await stage.gate_opens("launch", 2)
    await stage.votes("launch", "hold", "ana", "bo", "cy", "dan")
    await stage.becomes(status="on-hold")
    await stage.owner("resume")
    await stage.gate_opens("launch", 3)
    promise = [{"text": "runbook", "owner": "bo", "due": "2031-02-01"}]
    await stage.vote("launch", "ana", "conditional-go", conditions=promise)
    await stage.votes("launch", "go", "bo", "cy")
    view = await stage.becomes(phase="market")
    await stage.submit()
    await stage.gate_opens("retire")
    await stage.vote("retire", "ana", "go")
    await stage.close(view.conditions[0].id, "bo")
    await stage.task_waits("keys")
    await stage.confirm("keys", "bo")
    await stage.becomes(status="retired")


async def reviewed_life(stage: Stage) -> None:
    """A review that is late and escalates, then asks for the sunset; a gate on the way out."""
    await stage.start(REVIEWED)
    await stage.gate_opens("plr")

    async def escalated() -> bool | None:
        return True if "gate.escalated" in stage.story() else None

    await stage.until(escalated, "escalated")
    await stage.vote("plr", "ana", "kill")
    await stage.gate_opens("retire")
    await stage.vote("retire", "ana", "go")
    await stage.task_waits("keys")
    await stage.confirm("keys", "bo")
    await stage.gate_opens("down")
    await stage.votes("down", "hold", "bo", "cy", "dan")

    async def stopped() -> bool | None:
        return True if "sunset.stopped" in stage.story() else None

    await stage.until(stopped, "stopped")
    await stage.submit()
    await stage.gate_opens("down", 2)
    await stage.vote("down", "bo", "go")
    await stage.becomes(status="retired")


async def short_life(stage: Stage) -> None:
    """Cancelled by the owner, after a gate was cancelled in the UI."""
    await stage.start()
    await stage.becomes(phase="build")
    await stage.submit()
    await stage.gate_opens("launch")
    await stage.engine.workflow(f"product/{stage.key}/gate/launch").cancel()
    await stage.becomes(gate=None)
    await stage.submit()
    await stage.gate_opens("launch", 2)
    await stage.owner("cancel", reason="no market")
    await stage.becomes(status="cancelled")


COMMITTEE = """
directory: committee
people:
  olga: {manager: max}
  ana: {manager: max, deputy: dan}
  bo: {}
  cy: {absences: [{start: 2020-01-01, end: 2099-12-31, delegate: eva}]}
  dan: {}
  eva: {}
  lea: {}
  max: {}
groups:
  product: {members: [ana, olga]}
  eng: {members: [bo, cy]}
  legal: {members: [lea]}
  board: {members: [max], permissions: {override: [1, 2, 3], extend: [1, 2, 3]}}
"""
STRICT = """
policy: committee
version: "1"
title: Committee
phases:
  - id: build
    title: Build
    gate:
      id: launch
      title: Launch
      opens: submit
      requires: [{group: product}, {group: eng, need: 2}, {group: legal, step: 2}]
      reviewers: [legal]
      criteria: [{id: terms, text: Terms, attested_by: legal}]
      clocks: {respond: PT2S, resolve: PT4S, remind: [PT1S], escalate: PT1S}
  - {id: market, title: Market}
"""


async def committee_life(stage: Stage) -> None:
    """Stand-ins, evidence in mid-gate, work, steps, escalation, a new directory, an override."""
    await stage.start(STRICT, COMMITTEE)
    await stage.becomes(phase="build")
    await stage.submit()
    await stage.gate_opens("launch")
    await stage.vote("launch", "eva", "go")
    await stage.vote("launch", "bo", "go")
    await stage.chair("launch", "withdraw", "bo")
    await stage.chair("launch", "delegate", "bo", to="dan")
    await stage.refused(stage.chair("launch", "delegate", "ana", to="nobody"))
    await stage.chair("launch", "needs_work", "ana", what="load tests")
    await stage.evidence("Load tests")
    await stage.chair("launch", "submit", "olga")
    await stage.chair("launch", "attest", "lea", criterion="terms", state="met", note="read")
    await stage.refused(stage.chair("launch", "override", "ana", outcome="go", reason="why not"))
    await stage.chair("launch", "look_again", "ops")

    async def managers_act() -> bool | None:
        view = await stage.gate("launch")
        return True if any("max" in p.acting for p in view.pending) else None

    await stage.until(managers_act, "max may act for ana")
    await stage.vote("launch", "max", "go", on_behalf_of="ana")
    await stage.vote("launch", "eva", "go")
    await stage.vote("launch", "dan", "go", on_behalf_of="bo")
    give = {"approver": "lea", "to": "eva", "reason": "lea is ill"}
    await stage.refused(stage.chair("launch", "reassign", "max", **give))
    late = {"resolve": "2031-01-01", "respond": "2030-12-31", "reason": "the fair"}
    await stage.chair("launch", "extend", "max", **late)
    await stage.chair("launch", "override", "max", outcome="go", reason="the contract says so")
    await stage.becomes(status="completed")


async def changing_life(life: Life) -> None:
    """Another definition, another owner, an override, a waiver, an investment, a second life."""
    await life.begin(review="review: " + PLR)
    await life.update(summary="A better kettle")
    await life.opened()
    await life.evidence("report", "tim", figures={"stars": 4})
    await life.handover("max", "zoe")
    await life.votes("launch", "recycle", "ana", "bo", "cy")
    await life.becomes(gate=None)
    await life.override("go")
    await life.gate_opens("plr")
    await life.vote("plr", "ana", "recycle")
    await life.becomes(phase="build")
    await life.opened("launch", 2, "max")
    promise = [{"text": "docs", "owner": "bo"}]
    await life.vote("launch", "ana", "conditional-go", conditions=promise)
    await life.vote("launch", "bo", "go")
    await life.becomes(phase="market")
    await life.waive("launch-2-1", "zoe")
    await life.owner("cancel", "max", reason="enough")
    await life.becomes(status="cancelled")


async def second_life(life: Life) -> None:
    await life.begin()
    await life.opened()
    await life.votes("launch", "kill", "ana", "bo", "cy", "tim")
    await life.becomes(status="killed")
    await life.revive()
    await life.opened("launch", 2)
    await life.owner("cancel", reason="after all")
    await life.becomes(status="cancelled")


async def returning_life(leaving: Leaving) -> None:
    """A plan and a legal hold, a sunset that is aborted, and a second that is carried through."""
    await leaving.begin(review=REVIEW)
    await leaving.launched()
    await leaving.asks("plan", adjustments={"skip": {"note": "everybody knows"}})
    await leaving.asks("hold", matter="case-7")
    await leaving.asks("customers", text="twelve more")
    await leaving.leave()
    await leaving.confirm("keys", "bo")
    await leaving.gate_opens("down")
    await leaving.asks("abort")
    await leaving.back()
    await leaving.leave(2)
    await leaving.asks("hold", matter="case-7", lift=True)
    await leaving.confirm("keys", "bo")
    await leaving.gate_opens("down", 2)
    await leaving.votes("down", "go", "ana", "bo")
    await leaving.becomes(status="retired")


TOLD = """
policy: told
version: "1"
title: Told by others
phases:
  - id: build
    title: Build
    milestones:
      - {id: shipped, title: Shipped, check: {kind: event, source: github, type: release}}
      - {id: passed, title: Passed, check: {kind: event, source: ci, type: passed, subject: told}}
    gate: {id: launch, title: Launch, opens: submit, requires: [{group: product}]}
  - id: market
    title: Market
    in_market: true
    gate: {id: retire, title: Retire, opens: submit, requires: [{group: product}]}
sunset:
  tasks:
    - {id: keys, title: Revoke keys, kind: manual, by: eng}
"""


async def told_life(stage: Stage) -> None:
    """Events of other systems: before the gate, twice, and while it sits."""

    async def told(type: str, id: str, **more: str) -> None:
        event = Happening.model_validate({"origin": "/x", "type": type, "id": id, **more})

        async def heard() -> bool | None:
            return True if await tell(stage.engine.client, event, None) else None

        await stage.until(heard, f"{type} is heard")

    await stage.start(TOLD)
    await stage.becomes(phase="build")
    await told("release", "1", source="github", subject="acme/told")
    await told("release", "1", source="github", subject="acme/told")
    await stage.submit()
    await stage.gate_opens("launch")
    await told("passed", "2", source="ci", subject="told")
    await stage.vote("launch", "ana", "go")
    await stage.becomes(phase="market")
    await stage.owner("cancel", reason="enough")
    await stage.becomes(status="cancelled")


async def signed_life(stage: Stage, folder: Path) -> None:
    """Signed and unsigned words, a key that is lost, and a stop that is overridden."""
    keys = {who: make_key(folder, who) for who in PEOPLE}
    signer = Signer(stage, keys)
    known = {who: [entry(key)] for who, key in keys.items()}
    await stage.start(SIGNED, directory(known, stage.key))
    await stage.becomes(phase="build")
    await stage.submit()
    await stage.gate_opens("launch")
    await stage.refused(stage.vote("launch", "bo", "go"))
    await stage.signal("launch", "vote", {"approver": "bo", "vote": "go"})
    await stage.refused(signer.votes("bo", key=keys["eve"]))
    await signer.votes("bo")
    await signer.chair("delegate", "cy", to="del")
    await signer.votes("del", on_behalf_of="cy")
    await publish(signer, {"bo": [entry(keys["bo"], revoked="2026-01-01")]})

    async def voided() -> bool | None:
        view = await stage.gate("launch")
        return True if any(vote.state == "voided" for vote in view.votes) else None

    await stage.until(voided, "the lost key's vote is void")
    for who in ("ana", "cy", "dan"):
        await signer.votes(who, "recycle")
    max_reassigns = {"approver": "bo", "to": "eve", "reason": "bo lost the key"}
    await signer.chair("reassign", "max", **max_reassigns)
    await signer.votes("eve", "recycle")
    await stage.becomes(gate=None)
    unsigned = OverrideRequest(actor="max", outcome="go", reason="x", request_id=new_request_id())
    product = stage.engine.workflow(product_id(stage.key))
    await stage.refused(ask(product, "override", unsigned))
    signing = Signing(True, str(keys["max"]))
    again = unsigned.model_copy(update={"request_id": new_request_id()})
    await override(stage.engine, stage.key, None, again, signing)
    await stage.becomes(phase="market")
    await stage.owner("cancel", reason="enough")
    await stage.becomes(status="cancelled")


PLR = """
      first: PT0.5S
      every: PT30S
      invest: build
      gate: {id: plr, title: Post-launch review, requires: [{group: product}]}"""


async def many_runs(stage: Stage) -> None:
    """On a server that suggests a fresh history after every few events: all three continue as new,
    with votes standing, on hold, and with a gate and a sunset open."""
    await stage.start()
    await stage.becomes(phase="build")
    for number in range(8):
        await stage.report("done", action="replan", due=f"2031-01-0{number + 1}")
    await stage.report("done")
    await stage.gate_opens("launch")
    for word in ("hold", "recycle", "abstain", "kill", "go", "hold", "go"):
        await stage.vote("launch", "bo", word)
    await stage.owner("hold", reason="reorganisation")
    await stage.owner("resume")
    await stage.goes_on("launch")
    await stage.votes("launch", "go", "ana", "cy")
    await stage.becomes(phase="market")
    await stage.retires()


async def lost_life(stage: Stage) -> None:
    """A gate is terminated in the UI when the run that opened it is over."""
    await stage.start()
    await stage.becomes(phase="build")
    await stage.report("done")
    await stage.gate_opens("launch")
    for _ in range(4):
        await stage.owner("hold")
        await stage.owner("resume")
    await stage.engine.workflow(gate_id(stage.key, "launch")).terminate(reason="by mistake")
    await stage.owner("hold")
    await stage.owner("resume")
    await stage.becomes(gate=None, status="active")
    await stage.owner("cancel", reason="enough")
    await stage.becomes(status="cancelled")


async def sealed_life(stage: Stage) -> None:
    """In confidential mode: what a run shows hides names, and so its commands differ."""
    await stage.start()
    await stage.becomes(phase="build")
    await stage.report("done")
    await stage.gate_opens("launch")
    await stage.refused(stage.vote("launch", "eve", "go"))
    await stage.votes("launch", "go", "ana", "bo", "cy")
    await stage.becomes(phase="market")
    await stage.retires()


async def killed_life(stage: Stage) -> None:
    """The shortest: one gate, and its approvers stop the product."""
    await stage.start()
    await stage.becomes(phase="build")
    await stage.submit()
    await stage.gate_opens("launch")
    await stage.votes("launch", "kill", "ana", "bo", "cy", "dan")
    await stage.becomes(status="killed")


async def renewed_life(leaving: Leaving) -> None:
    """Somebody asks for fresh histories, as one does for a new build, and the plan is changed."""
    engine, key = leaving.engine, leaving.key
    await leaving.begin()
    await engine.workflow(product_id(key)).signal("renew")
    await leaving.opened()
    await leaving.vote("launch", "bo", "go")
    await engine.workflow(gate_id(key, "launch")).signal("renew")
    await leaving.vote("launch", "ana", "go")
    await leaving.becomes(phase="market", gate=None)
    await leaving.leave()
    await engine.workflow(sunset_id(key)).signal("renew")
    await leaving.refused(leaving.asks("plan", "eve", adjustments={}))
    successor = {"name": "Kettle 2", "link": "https://acme.example/kettle-2"}
    await leaving.asks("plan", adjustments={"successor": successor})
    await leaving.confirm("keys", "bo")
    await leaving.gate_opens("down")
    await leaving.votes("down", "go", "ana", "bo")
    await leaving.becomes(status="retired")
