"""What must be true when the demo ends, read from the engine and its ledger."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from client import gates, products
from client.audit_checks import verify_ledger
from client.engine import Engine
from demo.play import Play
from demo.stage import Stage
from phasegate.views import GateView, ProductView

SETTLE = 5.0
"""Seconds in which the list of workflows catches up with their ends."""


async def problems(engine: Engine, play: Play, stage: Stage) -> list[str]:
    """What did not end as it should, in sentences; empty if all is well."""
    product = await products.show(engine, stage.key)
    rounds = gates.closed_rounds(engine, stage.key)
    found = [
        *_ending(play, product),
        *_rounds(play, rounds),
        *_votes(stage, rounds),
        *_refusals(stage, rounds),
        *_clocks(play, stage),
    ]
    return [f"{stage.inputs.product.name}: {text}" for text in found]


def _ending(play: Play, product: ProductView) -> Iterator[str]:
    if product.status != play.ending.status:
        yield f"it should be {play.ending.status}, and is {product.status}"
    closed = [condition for condition in product.conditions if condition.state == "closed"]
    if len(closed) != play.ending.conditions or len(closed) != len(product.conditions):
        yield f"{play.ending.conditions} conditions should be closed; it has {product.conditions}"
    for milestone in product.milestones:
        if milestone.state != "met":
            yield f"milestone {milestone.id} is {milestone.state}"


def _rounds(play: Play, rounds: list[GateView]) -> Iterator[str]:
    held = [(view.gate, view.round, view.outcome) for view in rounds]
    if held != list(play.ending.rounds):
        yield f"its gates should have decided {list(play.ending.rounds)}, and decided {held}"


def _votes(stage: Stage, rounds: list[GateView]) -> Iterator[str]:
    """Every vote that was taken is in the record once, and no other."""
    taken = sorted(stage.done.votes)
    recorded = sorted(
        (view.gate, view.round, vote.approver, vote.vote, vote.channel)
        for view in rounds
        for vote in view.votes
    )
    if taken != recorded:
        yield f"votes taken but not recorded: {[vote for vote in taken if vote not in recorded]}"
        yield f"votes recorded but not taken: {[vote for vote in recorded if vote not in taken]}"
    announced = sorted(
        (data["gate"], data["round"], event.actor, data["vote"], data["channel"])
        for event in stage.chronicle.of("gate.vote")
        for data in (event.data,)
    )
    if announced != recorded:
        yield f"votes announced are {announced}, and recorded {recorded}"


def _refusals(stage: Stage, rounds: list[GateView]) -> Iterator[str]:
    tried = sorted(stage.done.refused)
    recorded = sorted(
        (view.gate, refusal.actor, refusal.channel) for view in rounds for refusal in view.refused
    )
    if tried != recorded:
        yield f"refusals should be {tried}, and are {recorded}"


def _clocks(play: Play, stage: Stage) -> Iterator[str]:
    """Timers and reminders fired."""
    chronicle = stage.chronicle
    reminded = [
        who
        for gate, number, who in play.ending.reminded
        for event in chronicle.of("gate.reminder", gate=gate, round=number)
        if who in event.data["pending"]
    ]
    if not reminded:
        yield f"nobody was reminded of a vote, and should have been: {play.ending.reminded}"
    if not chronicle.of("milestone.at-risk"):
        yield "no milestone was ever at risk"
    reminders = chronicle.of("sunset.reminder")
    if len(reminders) != play.ending.sunset_reminders:
        yield f"{len(reminders)} sunset reminders, and not {play.ending.sunset_reminders}"
    for end in chronicle.of("sunset.task-done", task="end-of-life"):
        if any(event.at >= end.at for event in reminders):
            yield "a sunset reminder came after the day it was to remind of"


async def left_open(engine: Engine) -> list[str]:
    """Workflows that still run though everything has ended."""
    query = "ExecutionStatus = 'Running'"
    for _ in range(int(SETTLE / 0.2)):
        if not (await engine.client.count_workflows(query)).count:
            return []
        await asyncio.sleep(0.2)
    return [f"{run.id} still runs" async for run in engine.client.list_workflows(query)]


def verify(engine: Engine, key: str) -> tuple[str, list[str]]:
    """The record of a product, as an auditor derives it: what to say, and what is wrong with it."""
    found = verify_ledger(engine.ledger, key, ())
    wrong = [found.fault] if found.fault else [*found.unchecked, *found.remarks]
    if wrong:
        return f"ledger of {key}: broken", [f"{one.place}: {one.text}" for one in wrong]
    said = f"ledger of {key}: {found.seq} entries, chain intact, head {found.head[:12]}"
    return f"{said}; {found.derived} of {found.rounds} outcomes derived again", []
