"""What a product's histories in Temporal tell: all that was announced, and acts that were begun.

A workflow forgets an announcement once the ledger has taken it. Its history does not: what was
announced is the input of an activity, and where the record then stood is its result.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar

from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client
from temporalio.service import RPCError

from client.audit_histories import runs
from phasegate.errors import EngineError
from phasegate.events import Anchor, Announcement
from phasegate.ids import product_id
from phasegate.lifecycle import Lifecycle
from phasegate.ports import ANNOUNCE, AnnounceRequest
from phasegate.sunset_ports import CARRY_OUT, ActOrder, ActResult

_Model = TypeVar("_Model")

PREFIX = product_id("")

_ENDS = {
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW,
}

_KINDS: dict[str, type[AnnounceRequest | ActOrder]] = {
    ANNOUNCE: AnnounceRequest,
    CARRY_OUT: ActOrder,
}


@dataclass(frozen=True)
class Lost:
    """An announcement that had been written, and the place at or before which it stood."""

    seq: int
    at: datetime
    event: Announcement


@dataclass(frozen=True)
class Begun:
    """The state that a run of the product began with."""

    at: datetime
    state: Lifecycle


@dataclass
class Told:
    """What one product's histories tell. `states` are oldest first."""

    events: list[Lost] = field(default_factory=list)
    states: list[Begun] = field(default_factory=list)
    acts: list[tuple[ActOrder, datetime, ActResult | None]] = field(default_factory=list)
    said: set[str] = field(default_factory=set)
    """Ids of all that was announced, answered or not."""
    runs: dict[str, str] = field(default_factory=dict)
    """Of those that run: the end of the run's id, as announcements have it, to its workflow."""


async def products_in(client: Client) -> list[str]:
    """The keys of all products that Temporal still has a history of, sorted. Raises RPCError."""
    query = "WorkflowType = 'ProductLifecycle'"
    return sorted({found.id.removeprefix(PREFIX) async for found in client.list_workflows(query)})


async def told(client: Client, key: str) -> Told:
    """Read every history of a product that Temporal still has.

    Raises RPCError; EngineError where one of them cannot be read.
    """
    found = Told()
    async for workflow_id, run_id in runs(client, key):
        await _read(client, workflow_id, run_id, found)
    found.states.sort(key=lambda each: each.at)
    return found


async def _read(client: Client, workflow_id: str, run_id: str, told: Told) -> None:
    kind = EventType.EVENT_TYPE_UNSPECIFIED
    ordered: dict[int, tuple[datetime, AnnounceRequest | ActOrder]] = {}
    async for event in _events(client, workflow_id, run_id):
        kind = event.event_type
        if kind == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED:
            started = event.workflow_execution_started_event_attributes
            if started.workflow_type.name == "ProductLifecycle":
                state = await _decoded(client, started.input.payloads, Lifecycle)
                told.states.append(Begun(event.event_time.ToDatetime(tzinfo=UTC), state))
        elif kind == EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
            asked = event.activity_task_scheduled_event_attributes
            if model := _KINDS.get(asked.activity_type.name):
                request = await _decoded(client, asked.input.payloads, model)
                if isinstance(request, AnnounceRequest):
                    told.said |= {each.id for each in request.events}
                ordered[event.event_id] = (event.event_time.ToDatetime(tzinfo=UTC), request)
        elif kind == EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED:
            done = event.activity_task_completed_event_attributes
            at, order = ordered.pop(done.scheduled_event_id, (None, None))
            if isinstance(order, AnnounceRequest) and at:
                anchor = await _decoded(client, done.result.payloads, Anchor)
                first = anchor.seq - len(order.events) + 1
                told.events += [Lost(first + n, at, each) for n, each in enumerate(order.events)]
            elif isinstance(order, ActOrder) and at and order.effect != "reversible":
                result = await _decoded(client, done.result.payloads, ActResult)
                told.acts.append((order, at, result))
    if kind not in _ENDS:
        told.runs[run_id[-8:]] = workflow_id
    for at, order in ordered.values():  # without an answer: it may be under way
        if isinstance(order, ActOrder) and order.effect != "reversible":
            told.acts.append((order, at, None))


async def _events(client: Client, workflow_id: str, run_id: str) -> AsyncIterator[HistoryEvent]:
    handle = client.get_workflow_handle(workflow_id, run_id=run_id)
    try:
        async for event in handle.fetch_history_events():
            yield event
    except RPCError as error:
        raise EngineError(
            f"the history of {workflow_id} cannot be read",
            error.message,
            f"temporal workflow show -w {workflow_id} -r {run_id}",
        ) from error


async def _decoded(client: Client, payloads: Sequence[Any], kind: type[_Model]) -> _Model:
    (found,) = await client.data_converter.decode(payloads, [kind])
    assert isinstance(found, kind)
    return found
