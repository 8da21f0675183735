"""The sunset of a product: show it, confirm its manual tasks."""

from __future__ import annotations

from client.asking import ask, query
from client.engine import Engine
from client.products import show as show_product
from phasegate.errors import EngineError, NotRunning
from phasegate.ids import sunset_id
from phasegate.requests import ConfirmRequest, Receipt
from phasegate.views import SunsetView


async def show(engine: Engine, key: str) -> SunsetView:
    """The timetable and where each task stands. Raises EngineError where there is no sunset."""
    try:
        view: SunsetView | None = await query(
            engine.workflow(sunset_id(key)),
            "show",
            SunsetView | None,  # type: ignore[arg-type]  # a union is no type[T]
        )
    except NotRunning as error:
        raise await _none_yet(engine, key) from error
    if view is None:
        raise EngineError(
            f"the sunset of {key} is not planned yet",
            "it has just begun; its plan is being read",
            f"phasegate sunset show {key}",
        )
    view.ui_url = engine.page(view.workflow_id)
    return view


async def _none_yet(engine: Engine, key: str) -> EngineError:
    product = await show_product(engine, key)
    return EngineError(
        f"{key} has no sunset",
        f"it is {product.status}" + (f", in phase {product.phase}" if product.phase else ""),
        f"phasegate product show {key}",
    )


async def confirm(engine: Engine, key: str, request: ConfirmRequest) -> Receipt:
    """Say that a manual task is done. Raises Rejected, Forbidden or EngineError."""
    return await ask(engine.workflow(sunset_id(key)), "confirm", request)
