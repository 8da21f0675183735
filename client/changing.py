"""Products that change: another definition, another owner, a second life."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import UTC, datetime

from temporalio.client import WithStartWorkflowOperation, WorkflowExecutionStatus
from temporalio.common import (
    SearchAttributePair,
    TypedSearchAttributes,
    WorkflowIDConflictPolicy,
    WorkflowIDReusePolicy,
)

from client import products
from client.asking import PATIENCE, PAUSE, answered, described, query
from client.attributes import KEYS
from client.dependencies import require_still_possible
from client.engine import Engine
from client.remembered import state_left
from ledger import LedgerError
from phasegate.errors import EngineError, NotRunning
from phasegate.ids import product_id
from phasegate.lifecycle import Lifecycle, Revival, Status
from phasegate.product import Product, require_bounded
from phasegate.pseudonyms import in_use
from phasegate.requests import HandoverRequest, Receipt, ReviveRequest, UpdateProductRequest

RUNNING = WorkflowExecutionStatus.RUNNING

ENDINGS = ("product.killed", "product.completed", "product.retired", "product.cancelled")


async def definition(engine: Engine, key: str) -> Product:
    """The product's definition as it is now. Raises EngineError."""
    return await query(engine.workflow(product_id(key)), "definition", Product)


async def update(engine: Engine, key: str, request: UpdateProductRequest) -> Receipt:
    """Replace a product's definition, and publish it so that its digest can be looked up.

    Raises Rejected, Forbidden or EngineError.
    """
    require_bounded(request.product)
    await require_still_possible(engine, request.product)
    receipt = await products.request(engine, key, "update", request)
    _publish(engine, request.product, request.actor)
    return receipt


async def handover(engine: Engine, key: str, request: HandoverRequest) -> Receipt:
    """Give a product another owner. Raises Rejected, Forbidden or EngineError."""
    receipt = await products.request(engine, key, "handover", request)
    _publish(engine, await definition(engine, key), request.actor)
    return receipt


async def publish_definition(engine: Engine, key: str, by: str) -> None:
    """Publish the definition that a product has now. Raises EngineError where it does not say."""
    _publish(engine, await definition(engine, key), by)


def _publish(engine: Engine, product: Product, by: str) -> None:
    """The product has taken it by now. Without a ledger its own record, in the outbox, has it."""
    with suppress(LedgerError):
        engine.ledger.documents.publish("product", product.key, product, datetime.now(UTC), by)


async def revive(engine: Engine, key: str, request: ReviveRequest) -> Receipt:
    """Bring a killed product back to the phase it was killed in.

    It starts again with the state that the ledger keeps, and asks itself whether it may. Raises
    Rejected or Forbidden, and EngineError for a product that was not killed.
    """
    await _at_its_end(engine, key)
    state = await _killed(engine, key)
    state.revival = Revival(by=request.actor, reason=request.reason, key=request.key)
    state.ahead_only = True
    workflow_id = product_id(key)

    async def send() -> Receipt:
        # One call starts it and waits for its answer. Sent again, it finds the run of the first.
        start: WithStartWorkflowOperation[object, object] = WithStartWorkflowOperation(
            "ProductLifecycle",
            state,
            id=workflow_id,
            task_queue=engine.settings.task_queue,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
            static_summary=in_use().said(f"{state.product.name}: revived", "revived")[:180],
            search_attributes=TypedSearchAttributes(
                [
                    SearchAttributePair(KEYS["PhasegateStatus"], state.word),
                    SearchAttributePair(KEYS["PhasegateProduct"], key),
                    SearchAttributePair(
                        KEYS["PhasegateOwner"], in_use().person(state.product.owner)
                    ),
                    SearchAttributePair(KEYS["PhasegatePolicy"], state.policy.name),
                ]
            ),
        )
        receipt: Receipt = await engine.client.execute_update_with_start_workflow(
            "revive",
            request,
            start_workflow_operation=start,
            id=request.request_id,
            result_type=Receipt,
        )
        return receipt

    return await answered(engine.workflow(workflow_id), send)


async def _at_its_end(engine: Engine, key: str) -> None:
    """Wait until the run that was killed has closed: it still writes what it announced, and would
    answer in the place of the one that is to start. Raises EngineError where it does not close."""
    handle = engine.workflow(product_id(key))
    try:
        async with asyncio.timeout(PATIENCE.total_seconds()):
            while (await described(handle)).status is RUNNING:
                if (await products.show(engine, key)).status != Status.killed:
                    return  # it was never killed, or somebody else has revived it
                await asyncio.sleep(PAUSE)
    except NotRunning:
        return  # Temporal no longer has it
    except TimeoutError:
        raise EngineError(
            f"{key} cannot be revived yet",
            "it is killed, and its workflow waits for the ledger to take what it announced",
            "phasegate doctor  # then ask again",
        ) from None


async def _killed(engine: Engine, key: str) -> Lifecycle:
    """The state a product was killed in, from the ledger. Raises EngineError."""
    try:
        status = (await products.show(engine, key)).status
    except NotRunning:  # Temporal keeps histories for a while only, the ledger for ever
        status = ""
    ends = engine.ledger.events(key, types=ENDINGS)
    last = ends[-1].announcement if ends else None
    if last is None or last.type != "product.killed" or status not in ("", Status.killed):
        came_to = status or (last.type.removeprefix("product.") if last else "unknown here")
        terminated = status == "terminated"
        raise EngineError(
            f"{key} cannot be revived",
            f"it is {came_to}, and only a product that a gate killed can be",
            products.revival(key) if terminated else f"phasegate product show {key}",
        )
    if "lifecycle" not in last.data:
        raise EngineError(
            f"{key} cannot be revived",
            "the record of its end was written without its state, while the ledger was away",
            f"phasegate events list {key}  # then start it anew under another key",
        )
    return state_left(key, last)
