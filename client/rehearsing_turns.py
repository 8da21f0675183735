"""The turns of one play: what the engine shows, and what people ask of it, as any client does."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

from temporalio.client import WorkflowUpdateRPCTimeoutOrCancelledError
from temporalio.service import RPCError

from client import gates, products, sunsets
from client.asking import FINAL, ask, new_request_id, query
from client.engine import Engine
from client.rehearsing_pulse import SLOW, Pulse
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

TRIES, PAUSE = 10, 0.1
"""The time-skipping server loses a query now and then, or breaks a call off (tried): it is asked
again, after so many seconds."""

BROKEN_OFF = (RPCError, TimeoutError, WorkflowUpdateRPCTimeoutOrCancelledError)

RUN = timedelta(days=1000)
"""Players and products begin another run after so long: the server ends each after ten years."""

CONDITION_DUE = timedelta(days=30)


@dataclass
class Turns:
    """One play on its engine."""

    engine: Engine
    play: Play
    directory: Directory
    pulse: Pulse
    started: bool = False
    renewed: datetime | None = None

    @property
    def key(self) -> str:
        return self.play.product.key

    async def take(self, now: datetime) -> datetime | None:
        """Start the product, or look at it and do what is due; when to look again, None when the
        play is over. Raises EngineError where the engine does not answer."""
        play = self.play
        if not self.started:
            await again(
                lambda: products.start(self.engine, play.product, play.policy, self.directory)
            )
            self.started, self.renewed = True, now
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
        await self._renew(view, now)
        for act in play.due(now):
            id = new_request_id()
            try:
                await again(lambda act=act, id=id: self.perform(act, now, id))  # type: ignore[misc]
            except Refusal as refusal:
                play.refused[act.key] = f"{refusal.what}: {refusal.why}"
            except NotRunning:
                pass  # it has just been decided, or ended
        return play.next_at()

    async def perform(self, act: Act, now: datetime, id: str) -> None:
        """Ask it of the engine; with the same id, it is done once. Raises Refusal, EngineError."""
        engine, key = self.engine, self.key
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
            asked = again(lambda: query(self.engine.workflow(workflow_id), "show", kind))
            try:
                return await self.pulse.within(SLOW, asked)
            except NotRunning:
                return None
            except TimeoutError:
                continue
        raise EngineError(
            f"{workflow_id} shows nothing", f"asked {TRIES} times", "phasegate simulate --runs 1"
        )

    async def _renew(self, view: ProductView, now: datetime) -> None:
        """No product may wait in one run for so long that the server ends it. None goes on beside
        a gate or a sunset, whose close would then hold time."""
        quiet = view.status == "active" and not view.gate
        if quiet and self.renewed and now - self.renewed >= RUN:
            self.renewed = now
            with suppress(RPCError):  # it has just ended
                await self.engine.workflow(product_id(self.key)).signal("renew")

    async def _leave(self, view: ProductView) -> None:
        """Nothing of a play that is over goes on, beside plays that are not."""
        ids = [product_id(self.key), sunset_id(self.key)]
        for workflow_id in [*ids, *([gate_id(self.key, view.gate)] if view.gate else [])]:
            with suppress(RPCError):
                await self.engine.workflow(workflow_id).terminate("the rehearsal is over")


async def again(asked: Callable[[], Awaitable[T]]) -> T:
    """Ask until the server does not break the call off; the last time, whatever comes of it.

    What is asked must be safe to ask twice. Raises what it raises.
    """
    for _ in range(TRIES - 1):
        try:
            return await asked()
        except RPCError as error:
            if error.status in FINAL:
                raise
        except EngineError as error:
            if isinstance(error, NotRunning) or not isinstance(error.__cause__, BROKEN_OFF):
                raise
        await asyncio.sleep(PAUSE)
    return await asked()


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
