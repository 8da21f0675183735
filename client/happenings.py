"""Telling products of an event from outside: those whose search attribute says they wait for it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any, Literal

from temporalio.client import Client
from temporalio.service import RPCError

from client.asking import ask, query_about
from client.attributes import quoted
from client.spelling import spellings
from integrations.judging import judge
from phasegate.errors import EngineError, NotRunning, Rejected
from phasegate.happenings import Awaiting, EventRequest, Happening, Wait

AT_ONCE = 8
"""Products asked at the same time; a repository may have many."""


PASSED = ("milestone-settled", "event-not-awaited", "unknown-milestone", "product-ended")
"""Refusals that say only that the milestone no longer waits: it did when it was asked."""


@dataclass(frozen=True)
class Told:
    """What an event did to one milestone.

    `moved`: it is met by it. `before`: it was, when the event was delivered first. `unmet`: its
    expression is not true of the event, and `why` says so if it could not be judged. `settled`:
    somebody else met or waived it.
    """

    product: str
    milestone: str
    state: Literal["moved", "before", "unmet", "settled"]
    why: str = ""


async def tell(client: Client, event: Happening, data: Any) -> list[Told]:
    """Tell every product that waits for the event. Safe to repeat: each milestone hears it once.

    Raises EngineError when Temporal or a worker gives no answer; what was told until then stays so.
    """
    limit = asyncio.Semaphore(AT_ONCE)

    async def one(workflow_id: str) -> list[Told]:
        async with limit:
            return await _tell(client, workflow_id, event, data)

    asked = [one(workflow_id) for workflow_id in await waiting(client, event)]
    answers = await asyncio.gather(*asked, return_exceptions=True)
    told: list[Told] = []
    for answer in answers:
        if isinstance(answer, BaseException):
            raise answer  # when all have been asked: one that is stuck keeps no other waiting
        told += answer
    return told


async def waiting(client: Client, event: Happening) -> list[str]:
    """The workflows that wait for such an event. Raises EngineError."""
    written = [key for names in await spellings(client) for key in event.keys(names)]
    keys = ", ".join(map(quoted, dict.fromkeys(written)))
    text = (
        "WorkflowType = 'ProductLifecycle' AND ExecutionStatus = 'Running' "
        f"AND PhasegateWaitingOn IN ({keys})"
    )
    try:
        return [execution.id async for execution in client.list_workflows(text)]
    except RPCError as error:
        raise EngineError(
            "the Temporal server cannot say who waits for the event",
            error.message,
            "phasegate doctor",
        ) from error


async def _tell(client: Client, workflow_id: str, event: Happening, data: Any) -> list[Told]:
    handle = client.get_workflow_handle(workflow_id)
    try:
        found = await query_about(handle, "awaits", event, Awaiting)
    except NotRunning:
        return []  # it ended since it was listed
    key = found.product["key"]
    told: list[Told] = []
    for wait in found.waits:
        if wait.state != "open":
            told.append(Told(key, wait.milestone, "before" if wait.state == "told" else "settled"))
            continue
        truth = await asyncio.to_thread(_judged, wait, found, event, data)
        if truth is not None:
            told.append(Told(key, wait.milestone, "unmet", truth))
            continue
        try:
            await ask(handle, "event", EventRequest.of(event, wait.milestone))
            told.append(Told(key, wait.milestone, "moved"))
        except (Rejected, NotRunning) as error:
            if isinstance(error, Rejected) and error.code not in PASSED:
                raise EngineError(
                    f"{workflow_id} cannot be told", str(error), error.hint
                ) from error
            told.append(Told(key, wait.milestone, "settled"))
    return told


def _judged(wait: Wait, found: Awaiting, event: Happening, data: Any) -> str | None:
    """None where the milestone's expression is true of the event, or there is none; else why."""
    if not wait.when:
        return None
    about = {**event.model_dump(include={"type", "subject", "id"}), "source": event.origin}
    truth = judge(wait.when, {"event": {**about, "data": data}, "product": found.product})
    return None if truth else truth.problem
