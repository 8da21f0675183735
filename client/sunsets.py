"""The sunset of a product: what its owner, its people and its lawyers ask of it.

A request goes to the sunset while one runs, and else to the product, which hands it on.
"""

from __future__ import annotations

from client.asking import ask, query
from client.engine import Engine
from client.products import show as show_product
from phasegate.errors import EngineError, NotRunning
from phasegate.ids import product_id, sunset_id
from phasegate.requests import (
    AbortRequest,
    Asked,
    ConfirmRequest,
    LegalHoldRequest,
    PlanSunsetRequest,
    Receipt,
    SubmitRequest,
)
from phasegate.sunset_views import SunsetView
from phasegate.undoing_view import UndoView, require_way_back, undoing
from phasegate.views import ProductView
from phasegate.way_out import gate_out


async def show(engine: Engine, key: str) -> SunsetView:
    """Where each task stands. Raises EngineError where there is no sunset."""
    try:
        view: SunsetView | None = await query(
            engine.workflow(sunset_id(key)),
            "show",
            SunsetView | None,  # type: ignore[arg-type]  # a union is no type[T]
        )
    except NotRunning as error:
        raise none_yet(await show_product(engine, key)) from error
    if view is None:
        raise EngineError(
            f"the sunset of {key} is not planned yet",
            "it has just begun; its plan is being read",
            f"phasegate sunset show {key}",
        )
    view.ui_url = engine.page(view.workflow_id)
    return view


def none_yet(product: ProductView) -> EngineError:
    """Why there is no sunset to show, and what there is."""
    return EngineError(
        f"{product.key} has no sunset",
        f"it is {product.status}" + (f", in phase {product.phase}" if product.phase else ""),
        f"phasegate sunset plan {product.key} --dry-run"
        if product.ended_at is None
        else f"phasegate product show {product.key}",
    )


async def record_plan(engine: Engine, key: str, request: PlanSunsetRequest) -> Receipt:
    """Adjust the policy's sunset for this product. Raises Rejected, Forbidden or EngineError."""
    return await _ask_either(engine, key, "plan_sunset", request)


async def legal_hold(engine: Engine, key: str, request: LegalHoldRequest) -> Receipt:
    """Place a legal hold, or lift it. Raises Rejected, Forbidden or EngineError."""
    return await _ask_either(engine, key, "legal_hold", request)


async def start(engine: Engine, key: str, request: SubmitRequest) -> Receipt:
    """Submit the gate that decides on the sunset. Raises Rejected, Forbidden or EngineError.

    It is the same submission as that of any gate: whoever decides there decides on the sunset.
    """
    gate = await find_gate_out(engine, key)
    named = request.model_copy(update={"gate": gate or None})
    return await ask(engine.workflow(product_id(key)), "submit", named)


async def find_gate_out(engine: Engine, key: str) -> str:
    """The gate that leads to the sunset; empty for a phase that its owner ends without one.

    Raises Rejected with the reason where none does now.
    """
    view = await show_product(engine, key)
    policy = engine.ledger.documents.read_policy(view.policy_digest)
    return gate_out(policy, view)


async def confirm(engine: Engine, key: str, request: ConfirmRequest) -> Receipt:
    """Say that a task is done, or was not. Raises Rejected, Forbidden or EngineError."""
    return await _ask_sunset(engine, key, "confirm", request)


async def abort(engine: Engine, key: str, request: AbortRequest) -> Receipt:
    """Bring the product back into the market. Raises Rejected, Forbidden or EngineError."""
    return await _ask_sunset(engine, key, "abort", request)


async def undoing_of(engine: Engine, key: str) -> list[UndoView]:
    """What an abort would undo, in its order. Raises Rejected where there is no way back."""
    view = await show(engine, key)
    require_way_back(view)
    return undoing(view)


async def _ask_sunset(engine: Engine, key: str, update: str, request: Asked) -> Receipt:
    try:
        return await ask(engine.workflow(sunset_id(key)), update, request)
    except NotRunning as error:
        raise none_yet(await show_product(engine, key)) from error


async def _ask_either(engine: Engine, key: str, update: str, request: Asked) -> Receipt:
    if (await show_product(engine, key)).status == "sunsetting":
        try:
            return await ask(engine.workflow(sunset_id(key)), update, request)
        except NotRunning:
            pass  # it has just ended, or is just being started: the product knows which
    return await ask(engine.workflow(product_id(key)), update, request)
