"""The turns of one play: what the engine shows, and what people ask of it, as any client does."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

from temporalio.service import RPCError

from client import gates, products, sunsets
from client.asking import ask, new_request_id, query
from client.engine import Engine
from phasegate.directory import Directory
from phasegate.errors import EngineError, NotRunning, Refusal
from phasegate.gate_requests import AttestRequest
from phasegate.ids import gate_id, product_id, sunset_id
from phasegate.rehearsal_acts import Act
from phasegate.rehearsal_gate import SCORE
from phasegate.rehearsal_owner import PROOF
from phasegate.rehearsal_play import Play
from phasegate.requests import (
    ConditionRequest,
    ConfirmRequest,
    EvidenceRequest,
    MilestoneRequest,
    OwnerRequest,
    Promise,
    SubmitRequest,
    VoteRequest,
)
from phasegate.sunset_views import SunsetView
from phasegate.views import GateView, ProductView
from phasegate.votes import Vote

T = TypeVar("T")

SECOND_TRY, TRIES = 2.0, 10
"""The time-skipping server loses a query now and then (tried): it is asked again."""

CONDITION_DUE = timedelta(days=30)


@dataclass
class Turns:
    """One play on its engine."""

    engine: Engine
    play: Play
    directory: Directory
    lost: Callable[[], None] = lambda: None
    """Told of each query that the server lost."""
    started: bool = False

    @property
    def key(self) -> str:
        return self.play.product.key

    async def take(self, now: datetime) -> datetime | None:
        """Start the product, or look at it and do what is due; when to look again, None when the
        play is over. Raises EngineError where the engine does not answer."""
        play = self.play
        if not self.started:
            self.started = True
            await products.start(self.engine, play.product, play.policy, self.directory)
            return play.next_at()
        view = await self._shown(product_id(self.key), ProductView)
        assert view is not None
        gate = await self._shown(gate_id(self.key, view.gate), GateView) if view.gate else None
        sunset = None
        if view.status == "sunsetting":
            kind: Any = SunsetView | None
            sunset = await self._shown(sunset_id(self.key), kind)
        play.look(now, view, gate, sunset)
        if play.ended:
            await self._leave(view)
            return None
        for act in play.due(now):
            try:
                await self.perform(act, now)
            except Refusal as refusal:
                play.refused[act.key] = f"{refusal.what}: {refusal.why}"
            except NotRunning:
                pass  # it has just been decided, or ended
        return play.next_at()

    async def perform(self, act: Act, now: datetime) -> None:
        """Ask it of the engine. Raises Refusal and EngineError."""
        engine, key, id = self.engine, self.key, new_request_id()
        match act.kind:
            case "vote":
                promise = Promise(text="A condition of the rehearsal", due=now + CONDITION_DUE)
                vote = VoteRequest(
                    approver=act.who,
                    vote=Vote(act.word),
                    conditions=[promise] if act.word == "conditional-go" else [],
                    on_behalf_of=act.on_behalf_of or None,
                    scores=dict.fromkeys(act.scored, SCORE),
                    request_id=id,
                )
                await gates.vote(engine, key, act.gate, vote)
            case "attest":
                said = AttestRequest(
                    actor=act.who, criterion=act.what, state="met", note="rehearsed", request_id=id
                )
                await gates.ask_round(engine, key, act.gate, "attest", said)
            case "submit":
                submit = SubmitRequest(actor=act.who, gate=act.gate or None, request_id=id)
                # Not by gates.submit, which looks at the product first: it may be on the move.
                away = self.play.status == "sunsetting"
                await ask(
                    engine.workflow(sunset_id(key) if away else product_id(key)), "submit", submit
                )
            case "task":
                confirm = ConfirmRequest(
                    actor=act.who,
                    task=act.what,
                    note="rehearsed",
                    proof=dict.fromkeys(act.proof, PROOF),
                    request_id=id,
                )
                await sunsets.confirm(engine, key, confirm)
            case _:
                await products.request(engine, key, act.kind, _of_product(act, id))

    async def _shown(self, workflow_id: str, kind: type[T]) -> T | None:
        for _ in range(TRIES):
            try:
                async with asyncio.timeout(SECOND_TRY):
                    return await query(self.engine.workflow(workflow_id), "show", kind)
            except NotRunning:
                return None
            except TimeoutError:
                self.lost()
        raise EngineError(
            f"{workflow_id} shows nothing", f"asked {TRIES} times", "phasegate simulate --runs 1"
        )

    async def _leave(self, view: ProductView) -> None:
        """Nothing of a play that is over goes on, beside plays that are not."""
        ids = [product_id(self.key), sunset_id(self.key)]
        for workflow_id in [*ids, *([gate_id(self.key, view.gate)] if view.gate else [])]:
            with suppress(RPCError):
                await self.engine.workflow(workflow_id).terminate("the rehearsal is over")


def _of_product(act: Act, id: str) -> Any:
    match act.kind:
        case "milestone":
            return MilestoneRequest(
                actor=act.who, milestone=act.what, note="rehearsed", request_id=id
            )
        case "condition":
            return ConditionRequest(
                actor=act.who, condition=act.what, note="rehearsed", request_id=id
            )
        case "evidence":
            return EvidenceRequest(
                actor=act.who, title=act.title, figures=act.figures, request_id=id
            )
        case _:
            return OwnerRequest(actor=act.who, reason="rehearsed", request_id=id)
