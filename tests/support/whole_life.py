"""The record of a product from inception to removal: two sunsets, the first of them aborted."""

from __future__ import annotations

from typing import Any

from tales import Tale, day

from phasegate.policy import Policy
from phasegate.reading import read_policy
from phasegate.views import (
    ConditionView,
    CriterionView,
    GateView,
    OverrideView,
    PendingView,
    RefusalView,
    VoteView,
)

POLICY = """
policy: tiny
version: "1"
title: Build and sell
phases:
  - id: build
    title: Build
    milestones: [{id: done, title: Feature complete}]
    gate: {id: launch, title: Launch, opens: submit, requires: [{group: product}]}
  - id: market
    title: Market
    in_market: true
    gate: {id: retire, title: Retire, opens: submit, requires: [{group: product}]}
sunset:
  minimum_notice: {ga: 30 days}
  tasks:
    - {id: note, title: Public notice, kind: notice}
    - {id: sales, title: Sales end, kind: date, at: 40 days, marks: end-of-sales}
    - {id: prices, title: Price list, kind: manual, at: 40 days}
    - {id: eol, title: It ends, kind: date, at: 90 days, marks: end-of-life}
    - {id: backup, title: Final backup, kind: manual, at: 91 days, proof: [digest, count]}
    - id: down
      title: Take it down
      kind: gate
      point_of_no_return: true
      gate: {id: down, title: Take it down, requires: [{group: product}]}
    - id: wipe
      title: Delete data
      kind: http
      at: 120 days
      url: https://kettle.example.org/wipe
      effect: deletion
"""
HOSTILE = "<script>alert(1)</script> \u202e\"'&--> {{ 7*7 }} ]]> \x00"


def policy() -> Policy:
    return read_policy(POLICY, "policy")


def view(key: str, gate: str, on: float, outcome: str, **more: Any) -> dict[str, Any]:
    """How a round ended, as the record has it."""
    votes = [
        VoteView(
            approver="ana",
            on_behalf_of="bo",
            vote=outcome,
            comment=more.pop("comment", "the beta was liked"),
            conditions=["rotate keys"] if outcome == "conditional-go" else [],
            at=day(on),
            assurance="claimed",
            revision="r1",
            state="standing",
        )
    ]
    given: dict[str, Any] = {
        "product": key,
        "gate": gate,
        "title": gate.title(),
        "round": 1,
        "revision": "r1",
        "status": "decided",
        "outcome": outcome,
        "why": "as they said",
        "cannot_pass": False,
        "step": 1,
        "opened_at": day(on - 2),
        "decided_at": day(on),
        "workflow_id": f"product/{key}/gate/{gate}",
        "requirements": [],
        "votes": votes,
        "pending": [],
        "criteria": [],
        "conditions": [],
        "refused": [],
        "respond_due": None,
        "resolve_due": None,
        **more,
    }
    return GateView.model_validate(given).model_dump(mode="json")


def whole_life(key: str = "kettle", digest: str = "sha256:0", said: str = "fine") -> Tale:
    """The tale; `said` is everything that anybody wrote."""
    planned = [{"id": "done", "phase": "build", "due": day(20).isoformat()}]
    promise = ConditionView(id="launch-1-1", text=said, owner="olga", due=day(60), state="open")
    rejected = RefusalView(
        actor="eve", what="a vote", why="no member", at=day(24), channel="update", code="stranger"
    )
    tale = Tale(key, digest).start(
        name=f"Kettle {said}",
        summary=said,
        milestones=planned,
        goals=[{"goal": said, "metric": "sold", "target": "5"}],
        customer_needs=[{"need": said, "evidence": said}],
        features=[{"title": said, "link": f"javascript:{said}"}],
        market={"segment": said, "problem": said},
    )
    moved = {"milestone": "done", "due": day(23).isoformat()}
    tale.say(18, "milestone.planned", "olga", **moved)
    tale.say(22, "milestone.met", "olga", milestone="done")
    tale.open(23, submitter="olga").say(24, "gate.refused", "eve", gate="launch", round=1)
    tale.vote(24, "ana", comment=said, on_behalf_of="bo")
    tale.gate(
        25,
        "decided",
        outcome="conditional-go",
        view=view(
            key,
            "launch",
            25,
            "conditional-go",
            comment=said,
            title=f"Launch {said}",
            conditions=[promise],
            refused=[rejected],
            refused_more=1,
            criteria=[CriterionView(id="cost", kind="must", state="met", why=said, text=said)],
            evidence=[{"title": said, "link": "javascript:alert(1)", "digest": "sha256:1"},
                      {"title": said, "link": "https://kettle.example.org/<b>", "digest": ""}],
            pending=[PendingView(approver="cy", group="eng", since=day(23), respond_due=day(28))],
            override=OverrideView(actor="zoe", reason=said, at=day(25), votes_said="hold"),
        ),
    )  # fmt: skip
    tale.enter(25, "market")
    tale.say(30, "condition.closed", "olga", condition="launch-1-1", link="https://x.example/7")
    tale.say(40, "product.handed-over", "olga", **{"from": "olga", "to": "max"})
    tale.say(50, "product.held", "max").say(60, "product.resumed", "max")
    changed = {"key": key, "name": f"Kettle {said}", "owner": "max", "tier": 2, "summary": said}
    tale.say(61, "product.updated", "max", product=changed, changed=["summary"], digest="sha256:2")
    _retire(tale, 70)
    _first_sunset(tale, said)
    _retire(tale, 200)
    _second_sunset(tale, said)
    return tale


def _retire(tale: Tale, on: float) -> None:
    number = 1 if on < 100 else 2
    tale.open(on - 2, "retire", number)
    tale.gate(
        on,
        "decided",
        gate="retire",
        round=number,
        outcome="go",
        view=view(tale.key, "retire", on, "go", round=number),
    )


def _dates(on: float, **moved: float) -> dict[str, str]:
    tasks = {"note": 0.0, "sales": 40, "prices": 40, "eol": 90, "backup": 91, "down": 91}
    return {id: day(on + at).isoformat() for id, at in {**tasks, "wipe": 120, **moved}.items()}


def _first_sunset(tale: Tale, said: str) -> None:
    tale.say(70, "product.sunsetting", sunset=1)
    notice = {"notice_at": day(70).isoformat()}
    tale.say(70, "sunset.planned", number=1, tasks=_dates(70), moved=[said], **notice)
    tale.say(70, "sunset.task-done", task="note", digest="", proof={})
    more = {"number": 1, "tasks": _dates(70, eol=100), "changed": [said]}
    tale.say(80, "sunset.replanned", "max", **more, **notice)
    tale.say(110, "sunset.task-done", "max", task="prices", proof={"list": said}, by="max")
    tale.say(112, "sunset.abort-begun", "max", reason=said)
    tale.say(113, "sunset.task-undone", "max", task="prices")
    tale.say(113, "sunset.withdrawn", task="note")
    tale.say(114, "sunset.aborted")
    tale.say(114, "product.back-in-market", "max", sunset=1, phase="market", reason=said)


def _second_sunset(tale: Tale, said: str) -> None:
    tale.say(195, "product.sunset-planned", "max", adjustments={"notice_text": said})
    tale.say(200, "product.sunsetting", sunset=2)
    tale.say(
        200,
        "sunset.planned",
        number=2,
        notice_at=day(200).isoformat(),
        tasks=_dates(200, **{"archive": 92}),
        moved=[],
    )
    tale.say(201, "sunset.customers", "max", digest="sha256:3")
    tale.say(201, "sunset.customers", counts={"total": 3, "open": 2}, digest="sha256:4")
    tale.say(202, "sunset.legal-hold-placed", "ruth", matter="case-7", reason=said)
    tale.say(240, "sunset.task-done", task="sales")
    tale.say(240, "sunset.task-overdue", task="prices")
    tale.say(241, "sunset.task-done", "max", task="prices", by="max", proof={})
    tale.say(290, "sunset.task-done", task="eol")
    tale.say(260, "sunset.customers-reminded", task="eol", proof={"sent": 2})
    tale.say(
        290, "sunset.customers", counts={"total": 3, "open": 0}, digest="sha256:5", said=[said]
    )
    tale.say(
        291,
        "sunset.task-done",
        "max",
        task="backup",
        by="max",
        digest="sha256:" + "b" * 64,
        proof={"digest": "sha256:" + "b" * 64, "count": 12345, "note": said},
    )
    tale.open(291, "down")
    tale.gate(293, "decided", gate="down", outcome="go", view=view(tale.key, "down", 293, "go"))
    tale.say(293, "sunset.task-done", task="down")
    tale.say(320, "sunset.task-held", task="wipe")
    tale.say(330, "sunset.legal-hold-lifted", "ruth", matter="case-7", reason="settled")
    tale.say(330, "sunset.task-intended", task="wipe", key="k", effect="deletion")
    tale.say(330, "sunset.task-unknown", task="wipe", why=said)
    tale.say(331, "sunset.settled", "max", task="wipe", outcome="done", note=said)
    wiped = {"digest": "sha256:" + "c" * 64, "proof": {"rows": 9876}}
    tale.say(331, "sunset.task-done", "max", task="wipe", by="max", **wiped)
    tale.say(332, "sunset.retired")
    tale.say(332, "product.retired")
