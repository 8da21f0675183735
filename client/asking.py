"""Asking a running workflow, and saying plainly what came of it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from time import monotonic
from typing import Any, TypeVar
from uuid import uuid4

from temporalio.client import (
    WorkflowExecutionDescription,
    WorkflowHandle,
    WorkflowQueryFailedError,
    WorkflowQueryRejectedError,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from client.steady import OUT_OF_STEP
from phasegate.base import Wire
from phasegate.errors import EngineError, Forbidden, NotRunning, PhasegateError, Refusal, Rejected
from phasegate.requests import Receipt

T = TypeVar("T")

PATIENCE = timedelta(seconds=15)
"""How long an answer is waited for. A worker that was killed may need ten seconds to be missed."""


PAUSE = 0.2

OVERLOOKED = "no poller seen"
"""What a server says of a query that meets a worker which has nothing free for it just then, where
nothing else was asked for a while; and of one that no worker is there for."""

BUSY = 3.0
"""Seconds after which it is taken for the latter."""

FINAL = (
    RPCStatusCode.NOT_FOUND,
    RPCStatusCode.INVALID_ARGUMENT,
    RPCStatusCode.PERMISSION_DENIED,
    RPCStatusCode.UNAUTHENTICATED,
    RPCStatusCode.UNIMPLEMENTED,
)
"""Answers that asking again does not change."""


def new_request_id() -> str:
    """A fresh id, once per command; its retries reuse it."""
    return uuid4().hex


async def ask(handle: WorkflowHandle[Any, Any], update: str, request: Wire) -> Receipt:
    """Send an Update and return the engine's receipt.

    Raises Rejected or Forbidden when the rules refuse it, EngineError when nobody answers.
    """
    return await answered(handle, lambda: _send(handle, update, request))


async def answered(handle: WorkflowHandle[Any, Any], send: Callable[[], Awaitable[T]]) -> T:
    """Send until there is an answer, which `send` must make safe: by an id that it repeats."""
    try:
        async with asyncio.timeout(PATIENCE.total_seconds()):
            while True:
                try:
                    return await send()
                except RPCError as error:
                    if error.status in FINAL:
                        raise
                # The connection broke, or the workflow was on its way into a new run. The request
                # may have arrived: the same id again is answered, not done twice.
                await asyncio.sleep(PAUSE)
    except WorkflowUpdateFailedError as error:
        raise _refusal(error) from error
    except (TimeoutError, WorkflowUpdateRPCTimeoutOrCancelledError) as error:
        raise _silence(handle) from error
    except RPCError as error:
        raise _gone(handle, error) from error


async def _send(handle: WorkflowHandle[Any, Any], update: str, request: Wire) -> Receipt:
    request_id = request.model_dump()["request_id"]
    receipt: Receipt = await handle.execute_update(
        update, request, id=request_id, result_type=Receipt
    )
    return receipt


async def described(handle: WorkflowHandle[Any, Any]) -> WorkflowExecutionDescription:
    """What the server knows of a workflow. Raises EngineError when it is not there."""
    try:
        async with asyncio.timeout(PATIENCE.total_seconds()):
            return await handle.describe()
    except TimeoutError as error:
        raise _silence(handle) from error
    except RPCError as error:
        raise _gone(handle, error) from error


async def query(handle: WorkflowHandle[Any, Any], name: str, result_type: type[T]) -> T:
    """Ask a workflow for its state. Raises EngineError when it is not there or nobody answers."""
    return await _queried(handle, lambda: handle.query(name, result_type=result_type))


async def query_about(
    handle: WorkflowHandle[Any, Any], name: str, about: Wire, result_type: type[T]
) -> T:
    """The same, for a query that takes an argument."""
    return await _queried(handle, lambda: handle.query(name, about, result_type=result_type))


async def in_step(asked: Callable[[], Awaitable[T]]) -> T:
    """Query again where the query met a workflow between two of its tasks, for as long as the
    caller says; and, for a few seconds, where it met no worker that was free for it."""
    begun = monotonic()
    while True:
        try:
            return await asked()
        except (WorkflowQueryFailedError, RPCError) as error:
            again = OVERLOOKED in str(error) and monotonic() - begun < BUSY
            if not again and OUT_OF_STEP not in str(error):
                raise
        await asyncio.sleep(PAUSE)


async def _queried(handle: WorkflowHandle[Any, Any], asked: Callable[[], Awaitable[T]]) -> T:
    try:
        async with asyncio.timeout(PATIENCE.total_seconds()):
            return await in_step(asked)
    except (WorkflowQueryFailedError, WorkflowQueryRejectedError) as error:
        raise EngineError(
            f"{handle.id} cannot show its state", str(error), "phasegate doctor"
        ) from error
    except TimeoutError as error:
        raise _silence(handle) from error
    except RPCError as error:
        raise _gone(handle, error) from error


def _refusal(error: WorkflowUpdateFailedError) -> PhasegateError:
    cause = error.cause
    if not isinstance(cause, ApplicationError):
        return EngineError("the engine failed on the request", str(cause), "phasegate doctor")
    if not cause.details:  # Temporal's own: the workflow ended while it worked on the request
        return EngineError(
            "the request got no answer",
            cause.message,
            "phasegate product list  # then ask again: what was taken is not done twice",
        )
    details: dict[str, Any] = cause.details[0]
    kind: type[Refusal] = Forbidden if details.get("forbidden") else Rejected
    return kind(
        cause.type or "refused",
        details.get("what") or cause.message,
        details.get("why") or "",
        details.get("hint") or "",
    )


def _silence(handle: WorkflowHandle[Any, Any]) -> EngineError:
    return EngineError(
        f"{handle.id} gave no answer within {PATIENCE.seconds} s",
        "no worker runs, or its workflow fails; the request may still be taken later",
        "phasegate doctor  # then look at it in the Temporal UI",
    )


def _gone(handle: WorkflowHandle[Any, Any], error: RPCError) -> EngineError:
    if error.status is RPCStatusCode.NOT_FOUND:
        return NotRunning(
            f"{handle.id} is not running",
            "it never started, or it has ended",
            "phasegate product list --all",
        )
    if error.status in (RPCStatusCode.DEADLINE_EXCEEDED, RPCStatusCode.CANCELLED):
        return _silence(handle)
    return EngineError("the Temporal server refused the request", error.message, "phasegate doctor")
