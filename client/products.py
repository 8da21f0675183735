"""Products: start, list, show, and what their owners ask."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from temporalio.client import WorkflowExecution, WorkflowExecutionStatus
from temporalio.common import SearchAttributePair, TypedSearchAttributes, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from client.asking import ask, described, query
from client.attributes import KEYS, quoted, read, read_due
from client.dependencies import require_possible
from client.engine import Engine
from client.hidden import require_keys, require_seen
from client.recovering import bring_back
from client.spelling import spellings
from ledger.naming import Register
from phasegate.base import Wire, digest_of
from phasegate.directory import Directory
from phasegate.errors import EngineError
from phasegate.events import Outbox
from phasegate.ids import product_id
from phasegate.lifecycle import Lifecycle, PolicyRef, Status
from phasegate.policy import Policy
from phasegate.product import Product, require_bounded
from phasegate.pseudonyms import in_use
from phasegate.requests import Receipt
from phasegate.rows import ProductRow
from phasegate.views import ProductView

MOVING = timedelta(seconds=3)
"""How long a start waits for a worker to take the product up."""


BROKEN_OFF = (
    WorkflowExecutionStatus.TERMINATED,
    WorkflowExecutionStatus.FAILED,
    WorkflowExecutionStatus.TIMED_OUT,
)
"""Ways for a workflow to end without phasegate having a say."""


async def start(
    engine: Engine,
    product: Product,
    policy: Policy,
    directory: Directory,
    *,
    by: str = "",
) -> tuple[str, bool]:
    """Start a product's lifecycle: its workflow id, and whether it is new.

    Publishes the policy and the definition, and the directory if there is none of its name.
    Starting what already runs with the same definition and policy is no error. Raises EngineError
    when the key is taken by another product, or was, or when the directory differs from the
    published one, or when a milestone would wait for itself, or when the workers have another key
    ring; Rejected when the definition is too large.
    """
    require_bounded(product)
    await require_keys(engine)
    if await _known(engine, product.key):
        await _same_or_raise(engine, product, policy)
        bring_back(engine.ledger, product, policy)
        return product_id(product.key), False
    await require_possible(engine.ledger, product, policy, engine)
    now, by = datetime.now(UTC), by or product.owner
    _publish_directory(engine, directory, now, by)
    digest = publish_policy(engine, policy, now, by)
    engine.ledger.documents.publish("product", product.key, product, now, by)
    workflow_id = product_id(product.key)
    state = Lifecycle(
        product=product,
        policy=PolicyRef(name=policy.policy, version=policy.version, digest=digest),
        directory=directory.directory,
        definition_digest=digest_of(product),
        outbox=Outbox(source=workflow_id, product=product.key),
        ahead_only=True,
    )
    try:
        await engine.client.start_workflow(
            "ProductLifecycle",
            state,
            id=workflow_id,
            task_queue=engine.settings.task_queue,
            id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
            static_summary=in_use().said(f"{product.name}: {policy.title}", "a product")[:180],
            search_attributes=TypedSearchAttributes(
                [
                    SearchAttributePair(KEYS["PhasegateStatus"], "active"),
                    SearchAttributePair(KEYS["PhasegateProduct"], product.key),
                    SearchAttributePair(KEYS["PhasegateOwner"], in_use().person(product.owner)),
                    SearchAttributePair(KEYS["PhasegatePolicy"], policy.policy),
                ]
            ),
        )
    except WorkflowAlreadyStartedError:
        await _same_or_raise(engine, product, policy)
        return workflow_id, False
    except RPCError as error:
        raise _start_failed(error) from error
    return workflow_id, True


async def _known(engine: Engine, key: str) -> bool:
    """Whether this product was started. Nothing is published for a start that is refused.

    Raises EngineError for a key of the past: its record is in the ledger, and a second life would
    mix with it.
    """
    try:
        await engine.workflow(product_id(key)).describe()
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise _start_failed(error) from error
        if engine.ledger.head(key).seq == 0:
            return False
        raise EngineError(
            f"{key} was a product before",
            "its record is in the ledger, though Temporal no longer keeps its history",
            f"phasegate events list {key}  # then start the new product under another key",
        ) from error
    return True


def publish_policy(engine: Engine, policy: Policy, now: datetime, by: str) -> str:
    """Publish a policy; one name and version is one text, for ever. Raises EngineError for two."""
    documents = engine.ledger.documents
    for known in documents.history("policy", policy.policy):
        published = documents.read_policy(known.digest)
        if published.version == policy.version and published != policy:
            raise EngineError(
                f"policy {policy.policy} {policy.version} is published already, with other content",
                "products run under it; a changed text is a new version",
                f"phasegate policy show {policy.policy}  # then raise `version` in the file",
            )
    return documents.publish("policy", policy.policy, policy, now, by)


def _publish_directory(engine: Engine, directory: Directory, now: datetime, by: str) -> None:
    """Publish a directory of a new name. One that others rely on is not replaced on the side."""
    documents = engine.ledger.documents
    current = documents.current("directory", directory.directory)
    digest = documents.digest_of("directory", directory.directory, directory)
    if current is not None and current.digest != digest:
        raise EngineError(
            f"directory {directory.directory} is published already, with other content",
            "starting a product must not change who may vote on others",
            "phasegate directory publish FILE --as WHO  # or give this directory a name of its own",
        )
    documents.publish("directory", directory.directory, directory, now, by)


async def _same_or_raise(engine: Engine, product: Product, policy: Policy) -> None:
    running = await show(engine, product.key)
    if running.status == "terminated":
        raise EngineError(
            f"{product.key} was terminated",
            "somebody ended its workflow from outside phasegate; its record stays under its key",
            revival(product.key),
        )
    if Status(running.status).is_final:
        raise EngineError(
            f"{product.key} has ended: {running.status}",
            "its record stays under its key, which is not used again",
            f"phasegate product revive {product.key}  # or start the new one under another key"
            if running.status == Status.killed
            else f"phasegate product show {product.key}  # then start it under another key",
        )
    if not await _same(engine, running, product, policy):
        raise EngineError(
            f"{product.key} is started already",
            f"as {running.name} of {running.owner}, under {running.policy}, and differently",
            f"phasegate product show {product.key}  # or give the new product another key",
        )


async def _same(engine: Engine, running: ProductView, product: Product, policy: Policy) -> bool:
    """Whether it runs with this definition and policy, by what they mean: a digest is over
    defaults, too, of which a later release has more."""
    documents = engine.ledger.documents
    if running.policy_digest != documents.digest_of("policy", policy.policy, policy):
        return False
    if running.definition_digest == digest_of(product):
        return True
    handle = engine.workflow(product_id(product.key))
    return await query(handle, "definition", Product) == product


def _start_failed(error: RPCError) -> EngineError:
    if error.status is RPCStatusCode.INVALID_ARGUMENT and "earch attribute" in error.message:
        return EngineError(
            "the Temporal server does not know phasegate's search attributes",
            error.message,
            "phasegate doctor --fix",
        )
    return EngineError("the Temporal server refused the start", error.message, "phasegate doctor")


async def show(engine: Engine, key: str) -> ProductView:
    """The product as it stands; also one that has ended, while Temporal keeps its history."""
    handle = engine.workflow(product_id(key))
    view, execution = await asyncio.gather(query(handle, "show", ProductView), described(handle))
    view.ui_url = engine.page(view.workflow_id)
    if execution.status in BROKEN_OFF and not Status(view.status).is_final:
        view.status, view.waiting_for = "terminated", f"somebody to bring it back: {revival(key)}"
    return view


def revival(key: str) -> str:
    """The command that brings a terminated product back where it was."""
    return (
        f"temporal workflow reset --workflow-id {product_id(key)} "
        "--type LastWorkflowTask --reason revive"
    )


async def under_way(engine: Engine, key: str) -> bool:
    """Wait until a product that was just started takes requests; False if no worker shows up.

    It first reads its policy, and a milestone reported before that is none it knows of.
    """
    with suppress(TimeoutError, EngineError):
        async with asyncio.timeout(MOVING.total_seconds()):
            while (await show(engine, key)).phase is None:  # noqa: ASYNC110  # only asking shows it
                await asyncio.sleep(0.1)
            return True
    return False


async def listing(
    engine: Engine,
    *,
    status: str | None = None,
    owner: str | None = None,
    policy: str | None = None,
    everything: bool = False,
    limit: int | None = 100,
) -> AsyncIterator[ProductRow]:
    """Products from the search attributes, newest first; without `everything`, running ones."""
    query_text = "WorkflowType = 'ProductLifecycle' AND ExecutionStatus != 'ContinuedAsNew'"
    if status:
        query_text += f" AND PhasegateStatus = {quoted(status)}"
    elif not everything:
        query_text += " AND ExecutionStatus = 'Running'"
    if owner:
        names = [n.person(owner) for n in await spellings(engine.client, query_text)]
        query_text += f" AND PhasegateOwner IN ({', '.join(map(quoted, names))})"
    query_text += f" AND PhasegatePolicy = {quoted(policy)}" if policy else ""
    register, none = Register(engine.ledger), True
    async for execution in engine.client.list_workflows(query_text, limit=limit):
        none = False
        yield _row(engine, execution, register)
    if owner and none:
        await require_seen(engine, f"products of {owner}")


def _row(engine: Engine, execution: WorkflowExecution, register: Register) -> ProductRow:
    found = execution.typed_search_attributes
    key = read(found, "PhasegateProduct") or execution.id.removeprefix("product/")
    return ProductRow(
        key=key,
        status=(
            "terminated" if execution.status in BROKEN_OFF else read(found, "PhasegateStatus") or ""
        ),
        owner=register.person(read(found, "PhasegateOwner") or "", key),
        policy=read(found, "PhasegatePolicy") or "",
        phase=read(found, "PhasegatePhase"),
        gate=read(found, "PhasegateGate"),
        next_due=read_due(found),
        workflow_id=execution.id,
        ui_url=engine.page(execution.id),
    )


async def request(engine: Engine, key: str, update: str, body: Wire) -> Receipt:
    """Send a request: submit, hold, resume, cancel, evidence, milestone, condition or override.

    Those that change what the product is are in client.changing. Raises Rejected, Forbidden or
    EngineError.
    """
    return await ask(engine.workflow(product_id(key)), update, body)
