"""Gates: show, list, vote, submit, and all else that is asked of a round. A closed round is read
from the ledger."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import timedelta

from client.asking import ask, query
from client.attributes import quoted, read, read_due
from client.engine import Engine
from client.products import show as show_product
from client.signing import UNSIGNED, Signing, ready, require_signing, signed
from client.unopened import never_opened
from phasegate.errors import EngineError, NotRunning, PhasegateError, Rejected
from phasegate.events import Announcement, place_of
from phasegate.gate_requests import OverrideRequest
from phasegate.ids import gate_id, product_id, sunset_id
from phasegate.requests import Asked, Receipt, SubmitRequest, VoteRequest
from phasegate.rows import GateRow
from phasegate.signing import Place
from phasegate.views import GateView, OverrideView

WATCH = 0.5
"""Seconds between two looks at a round that is waited for."""

ASKED = {
    "vote": "votes",
    "withdraw": "withdrawals",
    "delegate": "delegations",
    "reassign": "reassignments",
    "attest": "attestations",
    "needs_work": "requests for work",
    "extend": "extensions",
}
"""What people call the Updates of a round."""


async def resolve(engine: Engine, key: str) -> str:
    """The gate of a product that is open, or else the last one it held. Raises EngineError."""
    view = await show_product(engine, key)
    if view.gate:
        return view.gate
    if closed := closed_rounds(engine, key):
        return closed[-1].gate
    raise EngineError(
        f"no gate of {key} is open yet",
        f"it waits for {view.waiting_for}",
        f"phasegate product show {key}",
    )


async def show(engine: Engine, key: str, gate: str, round_number: int | None = None) -> GateView:
    """A round of a gate: the open one asked live, a closed one read from the ledger."""
    if round_number is None or not (found := _closed(engine, key, gate, round_number)):
        found = await live(engine, key, gate)
        if found is None or found.status == "decided":  # the ledger knows what came of it later
            found = _closed(engine, key, gate, found.round if found else round_number) or found
    if found is None or (round_number is not None and found.round != round_number):
        raise EngineError(
            f"{key} has no round {round_number or 1} of {gate}",
            await never_opened(engine, key, gate),
            f"phasegate gate list {key}",
        )
    found.ui_url = engine.page(found.workflow_id)
    if found.open_conditions:
        known = {c.id: c for view in closed_rounds(engine, key) for c in view.conditions}
        found.open_conditions = [known.get(c.id, c) for c in found.open_conditions]
    return found


async def live(engine: Engine, key: str, gate: str) -> GateView | None:
    """The latest round that Temporal knows, asked itself; None where it has none."""
    try:
        return await query(engine.workflow(gate_id(key, gate)), "show", GateView)
    except NotRunning:
        return None


def _closed(engine: Engine, key: str, gate: str, round_number: int | None) -> GateView | None:
    rounds = [view for view in closed_rounds(engine, key) if view.gate == gate]
    if round_number is not None:
        rounds = [view for view in rounds if view.round == round_number]
    return rounds[-1] if rounds else None


def closed_rounds(engine: Engine, key: str) -> list[GateView]:
    """Every closed round of a product, in the order they closed, from the ledger; with the
    outcome that was put in the place of theirs, if one was."""
    types = ("gate.decided", "gate.abandoned", "gate.overridden")
    rounds: dict[tuple[str, int], GateView] = {}
    for entry in engine.ledger.events(key, types=types):
        said = entry.announcement
        if said.type != "gate.overridden":
            view = GateView.model_validate(said.data["view"])
            rounds[view.gate, view.round] = view
        elif overruled := rounds.get((said.data["gate"], said.data["round"])):
            overruled.outcome, overruled.override = (
                said.data["outcome"],
                _overruled(said, overruled),
            )
    return list(rounds.values())


def _overruled(said: Announcement, view: GateView) -> OverrideView:
    """An override that came after the round: its product took it."""
    before = f"{view.outcome or 'nothing'} ({view.why})"
    reason = said.data.get("reason") or said.text
    return OverrideView(actor=said.actor, reason=reason, at=said.at, votes_said=before)


async def open_gates(
    engine: Engine, key: str | None = None, limit: int = 100
) -> AsyncIterator[GateRow]:
    """Open gates from the search attributes, of one product or of all."""
    text = "WorkflowType = 'GateReview' AND ExecutionStatus = 'Running'"
    if key:
        text += f" AND PhasegateProduct = {quoted(key)}"
    async for execution in engine.client.list_workflows(text, limit=limit):
        found = execution.typed_search_attributes
        memo = await execution.memo()
        yield GateRow(
            product=read(found, "PhasegateProduct") or "",
            gate=read(found, "PhasegateGate") or "",
            round=memo.get("round"),
            status=read(found, "PhasegateStatus") or "",
            outcome=read(found, "PhasegateOutcome"),
            respond_due=read_due(found),
            workflow_id=execution.id,
            ui_url=engine.page(execution.id),
        )


async def rounds(engine: Engine, key: str) -> list[GateRow]:
    """Every round of one product: the closed ones from the ledger, then the open one."""
    closed = [
        GateRow(
            product=view.product,
            gate=view.gate,
            round=view.round,
            status=view.status,
            outcome=view.outcome,
            respond_due=view.respond_due,
            workflow_id=view.workflow_id,
            ui_url=engine.page(view.workflow_id),
        )
        for view in closed_rounds(engine, key)
    ]
    seen = {(row.gate, row.round) for row in closed}
    # A round that has just closed may still be listed as open.
    running = [row async for row in open_gates(engine, key) if (row.gate, row.round) not in seen]
    return [*closed, *running]


async def until_decided(
    engine: Engine, key: str, gate: str, round_number: int, timeout: timedelta | None
) -> GateView | None:
    """Wait for a round to be decided and return it; None when `timeout` passes first."""
    try:
        async with asyncio.timeout(timeout.total_seconds() if timeout else None):
            while True:
                view = await show(engine, key, gate, round_number)
                if view.status == "decided":
                    return view
                await asyncio.sleep(WATCH)
    except TimeoutError:
        return None


async def vote(engine: Engine, key: str, gate: str, request: VoteRequest) -> Receipt:
    """Vote by Update. Raises Rejected, Forbidden or EngineError.

    A gate that has closed meanwhile is reported as decided, from the ledger.
    """
    return await ask_round(engine, key, gate, "vote", request)


async def ask_round(
    engine: Engine, key: str, gate: str, update: str, body: Asked | VoteRequest
) -> Receipt:
    """Ask something of the open round of a gate: vote, withdraw, delegate, reassign, attest,
    needs_work, extend. Raises Rejected, Forbidden or EngineError."""
    try:
        return await ask(engine.workflow(gate_id(key, gate)), update, body)
    except NotRunning as error:
        if taken := _taken(engine, key, gate, body):
            return taken
        raise await _not_open(engine, key, gate, update) from error


def _taken(engine: Engine, key: str, gate: str, body: Asked | VoteRequest) -> Receipt | None:
    """The answer to a request that was taken and then lost its answer, as the gate closed over it:
    a vote that decided it must not hear that it came too late."""
    closed = _closed(engine, key, gate, None)
    if closed is None:
        return None
    place = f"{gate_id(key, gate)}/{closed.round}#{place_of(body.key)}."
    for entry in engine.ledger.events(key):
        said = entry.announcement
        if said.id.startswith(place) and said.type not in ("gate.refused", "gate.decided"):
            return Receipt(
                workflow_id=closed.workflow_id,
                text=f"{said.text}; the gate decides {closed.outcome}",
                status=closed.status,
                outcome=closed.outcome,
                round=closed.round,
                revision=closed.revision,
            )
    return None


async def _not_open(engine: Engine, key: str, gate: str, update: str) -> PhasegateError:
    closed = _closed(engine, key, gate, None)
    if closed is None:
        return EngineError(
            f"{gate} of {key} is not open",
            await never_opened(engine, key, gate),
            f"phasegate product show {key}",
        )
    return Rejected(
        "gate-decided",
        f"{gate} of {key} takes no more {ASKED.get(update, 'requests')}",
        f"round {closed.round} is decided: {closed.outcome or 'abandoned'}",
        f"phasegate gate show {key}/{gate}",
    )


async def submit(engine: Engine, key: str, request: SubmitRequest) -> Receipt:
    """Open the product's gate, bring one back that was stopped, also of its sunset; or say that
    the work is done which an approver of the open round asked for."""
    product = await show_product(engine, key)
    gate = request.gate or product.gate
    if gate and (found := await live(engine, key, gate)) and found.status == "waiting-on-owner":
        return await ask_round(engine, key, gate, "submit", request)
    target = sunset_id(key) if product.status == "sunsetting" else product_id(key)
    return await ask(engine.workflow(target), "submit", request)


async def override(
    engine: Engine,
    key: str,
    gate: str | None,
    request: OverrideRequest,
    signing: Signing = UNSIGNED,
) -> Receipt:
    """Decide in the place of the approvers: the open round, or else the product, whose gate was
    decided before. Raises Rejected, Forbidden or EngineError, and what `ready` raises."""
    product = await show_product(engine, key)
    if product.gate and gate in (None, product.gate):
        said = await ready(engine, key, product.gate, "override", request, signing)
        with suppress(NotRunning):  # it has closed meanwhile, and the product knows
            return await ask(engine.workflow(gate_id(key, product.gate)), "override", said)
    stopped = closed_rounds(engine, key)
    if stopped and gate in (None, stopped[-1].gate):
        last = stopped[-1]
        require_signing(last.assurance, key, last.gate, signing)
        if signing.wanted:
            place = Place(
                product=key, gate=last.gate, round=last.round, policy=product.policy_digest
            )
            request = await signed(engine, place, "override", request, signing)
    return await ask(engine.workflow(product_id(key)), "override", request)
