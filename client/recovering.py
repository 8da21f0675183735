"""What a ledger misses that was put back from a backup, found in Temporal's histories.

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
from ledger import DocumentUnknown, Intent, Ledger
from phasegate.base import digest_of
from phasegate.errors import EngineError
from phasegate.events import Anchor, Announcement
from phasegate.ids import product_id
from phasegate.lifecycle import Lifecycle
from phasegate.policy import Policy
from phasegate.ports import ANNOUNCE, AnnounceRequest
from phasegate.product import Product
from phasegate.sunset_ports import CARRY_OUT, ActOrder, ActResult

_Model = TypeVar("_Model")

PREFIX = product_id("")

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


@dataclass
class Recovered:
    """What the ledger misses of a product. `wanted` says what no history has: documents."""

    product: str
    head: int
    events: list[Lost] = field(default_factory=list)
    definitions: list[Product] = field(default_factory=list)
    acts: list[Intent] = field(default_factory=list)
    wanted: list[str] = field(default_factory=list)

    @property
    def nothing(self) -> bool:
        return not (self.events or self.definitions or self.acts or self.wanted)


@dataclass
class _Told:
    """What one product's histories tell."""

    events: list[Lost] = field(default_factory=list)
    states: list[Lifecycle] = field(default_factory=list)
    acts: list[tuple[ActOrder, datetime, ActResult | None]] = field(default_factory=list)


async def products_in(client: Client) -> list[str]:
    """The keys of all products that Temporal still has a history of, sorted. Raises RPCError."""
    query = "WorkflowType = 'ProductLifecycle'"
    return sorted({found.id.removeprefix(PREFIX) async for found in client.list_workflows(query)})


async def missing(client: Client, ledger: Ledger, key: str) -> Recovered:
    """Compare a product's histories with the ledger; nothing is written.

    Raises RPCError where Temporal does not answer, LedgerError where the ledger does not.
    """
    told = await _told(client, key)
    found = Recovered(key, ledger.head(key).seq)
    absent = ledger.absent([lost.event.id for lost in told.events])
    lost = [each for each in told.events if each.event.id in absent]
    # Numbers are the true order, unless the ledger was put back before, and some stand twice.
    twice = len({each.seq for each in lost}) < len(lost)
    found.events = sorted(lost, key=lambda each: (each.at,) if twice else (each.seq,))
    for state in told.states:
        _compare_documents(ledger, state, found)
    for order, at, result in told.acts:
        if ledger.intents.find(order.key) is None:
            found.acts.append(_intent(order, at, result))
    return found


def write(ledger: Ledger, found: Recovered, *, late: bool = False) -> None:
    """Write what is missing, in the order in which it had been written.

    Acts that were under way become acts of which nobody knows whether they happened: they are
    probed or asked about, and never done a second time. Raises LedgerError; EngineError where the
    record has gone on meanwhile, unless `late` lets the rest follow behind that.
    """
    taken = next((each for each in found.events if each.seq <= found.head), None)
    if taken and not late:
        raise EngineError(
            f"the record of {found.product} has gone on without entry {taken.seq}",
            "workers wrote to the ledger after it was put back, so what is missing would come late",
            "stop the workers, put the backup back once more, and run phasegate events recover "
            f"{found.product}; or add --late",
        )
    now = datetime.now(UTC)
    for product in found.definitions:
        ledger.documents.publish("product", product.key, product, now, product.owner)
    for act in found.acts:
        ledger.intents.restore(act)
    if found.events:
        ledger.append(found.product, [each.event for each in found.events])


def bring_back(ledger: Ledger, product: Product, policy: Policy) -> None:
    """Publish what a running product rests on, where the ledger does not have it.

    Raises LedgerError.
    """
    documents, now = ledger.documents, datetime.now(UTC)
    try:
        documents.read_policy(digest_of(policy))
    except DocumentUnknown:
        documents.publish("policy", policy.policy, policy, now, product.owner)
    try:
        documents.read_product(digest_of(product))
    except DocumentUnknown:
        documents.publish("product", product.key, product, now, product.owner)


# -- histories ------------------------------------------------------------------------------------


async def _told(client: Client, key: str) -> _Told:
    told = _Told()
    async for workflow_id, run_id in runs(client, key):
        await _read(client, workflow_id, run_id, told)
    return told


async def _read(client: Client, workflow_id: str, run_id: str, told: _Told) -> None:
    ordered: dict[int, tuple[datetime, AnnounceRequest | ActOrder]] = {}
    async for event in _events(client, workflow_id, run_id):
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED:
            started = event.workflow_execution_started_event_attributes
            if started.workflow_type.name == "ProductLifecycle":
                told.states.append(await _decoded(client, started.input.payloads, Lifecycle))
        elif event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
            asked = event.activity_task_scheduled_event_attributes
            if kind := _KINDS.get(asked.activity_type.name):
                request = await _decoded(client, asked.input.payloads, kind)
                ordered[event.event_id] = (event.event_time.ToDatetime(tzinfo=UTC), request)
        elif event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED:
            done = event.activity_task_completed_event_attributes
            at, order = ordered.pop(done.scheduled_event_id, (None, None))
            if isinstance(order, AnnounceRequest) and at:
                anchor = await _decoded(client, done.result.payloads, Anchor)
                first = anchor.seq - len(order.events) + 1
                told.events += [Lost(first + n, at, each) for n, each in enumerate(order.events)]
            elif isinstance(order, ActOrder) and at and order.effect != "reversible":
                result = await _decoded(client, done.result.payloads, ActResult)
                told.acts.append((order, at, result))
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


# -- what is there --------------------------------------------------------------------------------


def _compare_documents(ledger: Ledger, state: Lifecycle, found: Recovered) -> None:
    product, policy = state.product, state.policy
    if digest_of(product) == state.definition_digest and product not in found.definitions:
        try:
            ledger.documents.read_product(state.definition_digest)
        except DocumentUnknown:
            found.definitions.append(product)
    said = f"policy {policy.name} {policy.version} ({policy.digest[:19]})"
    try:
        ledger.documents.read_policy(policy.digest)
    except DocumentUnknown:
        if said not in found.wanted:
            found.wanted.append(said)
    if ledger.documents.current("directory", state.directory) is None:
        name = f"directory {state.directory}"
        found.wanted += [name] if name not in found.wanted else []


def _intent(order: ActOrder, at: datetime, result: ActResult | None) -> Intent:
    proof = result.proof if result and result.state == "done" else None
    return Intent(
        key=order.key,
        product=order.product,
        sunset=order.sunset,
        task=order.task,
        begun_at=at,
        attempt=1,
        state="done" if proof else "begun",
        result=proof.model_dump_json() if proof else "",
    )
