"""A stage to play lifecycles on: a real server, a real worker, and short ways to say things."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from temporalio.api.enums.v1 import EventType
from temporalio.service import RPCError

from client import gates, products
from client.asking import ask, in_step, new_request_id
from client.engine import Engine
from phasegate.errors import EngineError, Refusal
from phasegate.gate_requests import (
    AttestRequest,
    DelegateRequest,
    ExtendRequest,
    LookAgainRequest,
    NeedsWorkRequest,
    OverrideRequest,
    ReassignRequest,
    WithdrawRequest,
)
from phasegate.ids import gate_id, product_id, sunset_id
from phasegate.ports import CHECK_MILESTONE, CHECK_PRODUCT
from phasegate.reading import read_directory, read_policy, read_product
from phasegate.requests import (
    Asked,
    ConditionRequest,
    ConfirmRequest,
    EvidenceRequest,
    MilestoneRequest,
    OwnerRequest,
    Receipt,
    SubmitRequest,
    VoteRequest,
)
from phasegate.sunset_ports import CARRY_OUT, SETTLE_ACT
from phasegate.sunset_views import SunsetView
from phasegate.views import GateView, ProductView

DIRECTORY = """
directory: default
people: {olga: {}, ana: {}, bo: {}, cy: {}, dan: {}, lea: {}}
groups:
  product: {members: [ana, olga]}
  eng: {members: [bo, cy, dan]}
  legal: {members: [lea]}
"""

POLICY = """
policy: two-phases
version: "1"
title: Build and sell
phases:
  - id: build
    title: Build
    milestones: [{id: done, title: Feature complete}]
    gate: {id: launch, title: Launch, requires: [{group: product}, {group: eng, need: 2}]}
  - id: market
    title: Market
    in_market: true
    gate: {id: retire, title: Retire, opens: submit, requires: [{group: product}]}
sunset:
  tasks:
    - {id: note, title: Public notice, kind: notice}
    - {id: keys, title: Revoke keys, kind: manual, by: eng}
"""

CHAIR: dict[str, type[Asked]] = {
    "withdraw": WithdrawRequest,
    "delegate": DelegateRequest,
    "reassign": ReassignRequest,
    "attest": AttestRequest,
    "needs_work": NeedsWorkRequest,
    "submit": SubmitRequest,
    "extend": ExtendRequest,
    "override": OverrideRequest,
    "look_again": LookAgainRequest,
}

T = TypeVar("T")

WAIT = 60.0
"""Seconds: machines under load are slow, and only a failing test waits for so long."""

LASTING = {CHECK_MILESTONE, CHECK_PRODUCT, CARRY_OUT, SETTLE_ACT}
"""Activities that may be tried for days; whatever else goes on is soon in the record."""


@dataclass
class Stage:
    """One product on the stage; every method is something a person does or sees."""

    engine: Engine
    key: str

    async def start(
        self, policy: str = POLICY, directory: str = DIRECTORY, product: str = ""
    ) -> None:
        text = product or f"key: {self.key}\nname: The {self.key}\nowner: olga\ntier: 2\n"
        await products.start(
            self.engine,
            read_product(text, "product"),
            read_policy(policy, "policy"),
            read_directory(directory, "directory"),
        )

    async def vote(self, gate: str, who: str, what: str, **more: Any) -> Receipt:
        more.setdefault("request_id", new_request_id())
        request = VoteRequest(approver=who, vote=what, **more)
        return await gates.vote(self.engine, self.key, gate, request)

    async def votes(self, gate: str, what: str, *people: str) -> None:
        for person in people:
            await self.vote(gate, person, what)

    async def chair(self, gate: str, update: str, who: str, **fields: Any) -> Receipt:
        """Ask something of the open round beside voting."""
        fields.setdefault("request_id", new_request_id())
        request = CHAIR[update](actor=who, **fields)
        return await ask(self.engine.workflow(gate_id(self.key, gate)), update, request)

    async def refused(self, asked: Awaitable[Any]) -> str:
        """The code of the refusal that this must meet."""
        try:
            receipt = await asked
        except Refusal as refusal:
            return refusal.code
        except EngineError as error:
            return f"engine: {error.what}"
        raise AssertionError(f"not refused: {receipt}")

    async def refused_or(self, asked: Awaitable[Any]) -> str:
        """The code of the refusal, or nothing if it was taken."""
        try:
            await asked
        except Refusal as refusal:
            return refusal.code
        return ""

    async def signal(self, gate: str, name: str, *args: Any) -> None:
        handle = self.engine.workflow(gate_id(self.key, gate))
        await handle.signal(name, args=list(args))

    async def report(self, milestone: str, who: str = "olga", **more: Any) -> Receipt:
        request = MilestoneRequest(
            actor=who, milestone=milestone, request_id=new_request_id(), **more
        )
        return await products.request(self.engine, self.key, "milestone", request)

    async def submit(self, gate: str | None = None, who: str = "olga") -> Receipt:
        request = SubmitRequest(actor=who, gate=gate, request_id=new_request_id())
        return await gates.submit(self.engine, self.key, request)

    async def owner(self, verb: str, who: str = "olga", reason: str = "") -> Receipt:
        request = OwnerRequest(actor=who, reason=reason, request_id=new_request_id())
        return await products.request(self.engine, self.key, verb, request)

    async def evidence(self, title: str, who: str = "olga", **more: Any) -> Receipt:
        request = EvidenceRequest(actor=who, title=title, request_id=new_request_id(), **more)
        return await products.request(self.engine, self.key, "evidence", request)

    async def close(self, condition: str, who: str = "olga") -> Receipt:
        request = ConditionRequest(
            actor=who, condition=condition, note="see the report", request_id=new_request_id()
        )
        return await products.request(self.engine, self.key, "condition", request)

    async def confirm(self, task: str, who: str = "olga") -> Receipt:
        request = ConfirmRequest(actor=who, task=task, note="done", request_id=new_request_id())
        return await ask(self.engine.workflow(sunset_id(self.key)), "confirm", request)

    async def product(self) -> ProductView:
        return await products.show(self.engine, self.key)

    async def gate(self, gate: str, round_number: int | None = None) -> GateView:
        return await gates.show(self.engine, self.key, gate, round_number)

    async def sunset(self) -> SunsetView | None:
        handle = self.engine.workflow(sunset_id(self.key))
        view: SunsetView | None = await in_step(
            lambda: handle.query("show", result_type=SunsetView | None)
        )
        return view

    async def gate_opens(self, gate: str, round_number: int = 1) -> GateView:
        async def opened() -> GateView | None:
            try:
                view = await self.gate(gate)
            except EngineError:
                return None
            is_it = view.round == round_number and view.opened_at is not None
            return view if is_it and view.respond_due is not None else None

        return await self.until(opened, f"{gate} round {round_number} opens")

    async def goes_on(self, gate: str) -> GateView:
        """Wait until a round that stood still is open again."""
        return await self.gate_is(gate, "open")

    async def holds(self, gate: str, reason: str = "") -> None:
        """The owner holds the product, and the open round has heard of it."""
        await self.owner("hold", reason=reason)
        await self.gate_is(gate, "on-hold")

    async def gate_is(self, gate: str, status: str) -> GateView:
        async def is_so() -> GateView | None:
            view = await self.gate(gate)
            return view if view.status == status else None

        return await self.until(is_so, f"{gate} is {status}")

    async def retires(self) -> ProductView:
        """What is left of the life of a product under `POLICY` that is in the market."""
        await self.submit()
        await self.gate_opens("retire")
        await self.vote("retire", "ana", "go")
        await self.task_waits("keys")
        await self.confirm("keys", "bo")
        return await self.becomes(status="retired")

    async def becomes(self, **want: Any) -> ProductView:
        """Wait until the product's fields have these values."""

        async def is_so() -> ProductView | None:
            view = await self.product()
            return view if all(getattr(view, k) == v for k, v in want.items()) else None

        return await self.until(is_so, f"{want}")

    async def task_waits(self, task: str) -> SunsetView:
        async def waits() -> SunsetView | None:
            try:
                view = await self.sunset()
            except Exception:
                return None
            here = view and any(t.id == task and t.state == "waiting" for t in view.tasks)
            return view if here else None

        return await self.until(waits, f"sunset task {task} waits")

    async def until(self, probe: Callable[[], Awaitable[T | None]], what: str) -> T:
        deadline, pause = time.monotonic() + WAIT, 0.03
        while time.monotonic() < deadline:
            if (found := await probe()) is not None:
                return found
            await asyncio.sleep(pause)
            pause = min(pause * 1.3, 0.25)  # whoever looks without rest slows down what it awaits
        raise AssertionError(f"not within {WAIT:.0f} s: {what}; {await self.product()}")

    async def history(self, workflow_id: str | None = None) -> Any:
        handle = self.engine.workflow(workflow_id or product_id(self.key))
        return await handle.fetch_history()

    async def written(self) -> None:
        """Wait until what has happened is in the ledger: it comes there after the answer."""

        async def there() -> bool | None:
            view = await self.product()
            gates = [gate.gate for gate in view.gates] + ([view.gate] if view.gate else [])
            ids = [product_id(self.key), sunset_id(self.key)]
            for workflow_id in [*ids, *(gate_id(self.key, gate) for gate in gates)]:
                try:
                    raw = (await self.engine.workflow(workflow_id).describe()).raw_description
                except RPCError:  # there is none
                    continue
                names = {activity.activity_type.name for activity in raw.pending_activities}
                if names - LASTING or raw.HasField("pending_workflow_task"):
                    return None
            return True

        await self.until(there, "what has happened is in the ledger")
        # What one workflow tells another is on its way for a moment, and with neither of them.
        await asyncio.sleep(0.1)
        await self.until(there, "what came of it is in the ledger, too")

    async def at_rest(self, workflow_id: str | None = None) -> int:
        """Wait until a workflow has come to rest; how many events its history has then."""
        await self.written()

        async def still() -> int | None:
            length = len((await self.history(workflow_id)).events)
            await asyncio.sleep(0.5)  # what follows an answer follows within milliseconds
            return length if len((await self.history(workflow_id)).events) == length else None

        return await self.until(still, "its history grows no more")

    async def added(self, length: int, workflow_id: str | None = None) -> list[str]:
        """The types of the events that a history has got since it had so many.

        Without those of tasks where one was given out once more: no worker took it within a second,
        so that the server wrote it down, be it for something that is refused.
        """
        events = (await self.history(workflow_id)).events[length:]
        types = [EventType.Name(event.event_type) for event in events]
        if "EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT" in types:
            return [type for type in types if not type.startswith("EVENT_TYPE_WORKFLOW_TASK_")]
        return types

    def story(self) -> list[str]:
        """The types of this product's events, in the ledger's order."""
        return [entry.announcement.type for entry in self.engine.ledger.events(self.key)]

    def texts(self, type: str) -> list[str]:
        entries = self.engine.ledger.events(self.key, types=(type,))
        return [entry.announcement.text for entry in entries]
