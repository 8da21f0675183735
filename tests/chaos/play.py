"""The people of one lifecycle: they ask until they are answered, and remember the answers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from random import Random
from typing import Any, TypeVar

from temporalio.client import WorkflowExecutionStatus
from temporalio.service import RPCError

from client import gates, products, sunsets
from client.asking import ask, new_request_id
from client.engine import Engine
from phasegate.errors import NotRunning, PhasegateError, Refusal
from phasegate.ids import product_id, sunset_id
from phasegate.reading import read_directory, read_policy, read_product
from phasegate.requests import (
    ConditionRequest,
    ConfirmRequest,
    EvidenceRequest,
    OwnerRequest,
    Promise,
    SubmitRequest,
    VoteRequest,
)
from phasegate.views import ConditionView, GateView, ProductView
from tests.chaos.scripts import DIRECTORY, Ballot, Script, Sitting, policy_text
from tests.chaos.tally import Answer, Cast, Tally
from tests.chaos.world import World

T = TypeVar("T")

AGAIN = 0.4
"""Seconds until somebody asks again who got no answer."""

OWNER = "olga"


class Life:
    """One product, from its start to its end, as its people live it."""

    def __init__(
        self,
        engine: Engine,
        script: Script,
        world: World,
        tally: Tally,
        *,
        deadline: float,
        look: float,
    ) -> None:
        """`deadline` by the monotonic clock: who waits longer is stuck. `look`: so many seconds
        are between two looks at what is waited for, and at most between the votes of a gate."""
        self._engine, self._script, self._world, self._tally = engine, script, world, tally
        self._deadline, self._look, self._waits = deadline, look, ""
        self._dice = Random(script.key)  # noqa: S311
        self.key = script.key

    async def live(self) -> None:
        try:
            async with asyncio.timeout(self._deadline - time.monotonic()):
                await self._live()
        except TimeoutError:
            self._tally.stuck.append(f"{self.key} still waits for {self._waits}")
        except PhasegateError as error:
            self._tally.stuck.append(f"{self.key}: {self._waits}: {type(error).__name__}: {error}")

    async def _live(self) -> None:
        await self._persist("its start", self._start)
        await asyncio.sleep(self._script.ready)
        self._world.ready.add(self.key)
        before: Sitting | None = None
        for sitting in self._script.sittings:
            if before is not None and sitting.gate != "off":
                await self._goes_on(before, sitting)
            elif before is not None:
                await self._keep_promises(before)
            await self._sit(sitting)
            self._tally.steps += 1
            before = sitting
        await self._until("its end", self._ended)

    async def _start(self) -> None:
        url = self._world.url
        text = f"key: {self.key}\nname: The {self.key}\nowner: {OWNER}\ntier: 2\n"
        await products.start(
            self._engine,
            read_product(text, "product"),
            read_policy(policy_text(self._script.wait, url), "policy"),
            read_directory(DIRECTORY, "directory"),
        )

    async def _sit(self, sitting: Sitting) -> None:
        what = f"{sitting.gate} {sitting.round}"
        view = await self._until(f"{what} to open", lambda: self._opened(sitting))
        for ballot in sitting.ballots:
            if ballot.first:
                await self._vote(sitting, ballot.who, ballot.first, view.revision)
                await self._vote(sitting, ballot.who, ballot.says, view.revision)
        intruders = []
        if self._script.intruders:
            intruders = [
                self._vote(sitting, "eve", "go", view.revision),
                self._vote(sitting, OWNER, "go", view.revision),
                self._vote(sitting, "bo", "kill", "of yesterday"),
            ]
        await asyncio.gather(
            *intruders,
            *(
                self._ballot(sitting, ballot, view.revision)
                for ballot in sitting.ballots
                if not ballot.first
            ),
        )
        await self._until(f"{what} to decide", lambda: self._decided(sitting))

    async def _ballot(self, sitting: Sitting, ballot: Ballot, revision: str) -> None:
        await asyncio.sleep(self._dice.uniform(0, self._look))
        await self._vote(sitting, ballot.who, ballot.says, revision)

    async def _vote(self, sitting: Sitting, who: str, says: str, revision: str) -> None:
        """Vote as the command line does: the same request id until there is an answer."""
        request_id, begun, tries = new_request_id(), time.monotonic(), 0
        self._waits = f"an answer to {who} at {sitting.gate} {sitting.round}"
        promises = [Promise(text=f"keep {request_id}")] if says == "conditional-go" else []
        request = VoteRequest(
            approver=who,
            vote=says,
            comment=request_id,
            conditions=promises,
            revision=revision,
            request_id=request_id,
        )
        answer, code = "accepted", ""
        while True:
            tries += 1
            try:
                await gates.vote(self._engine, self.key, sitting.gate, request)
            except Refusal as refusal:
                answer, code = ("refused" if tries == 1 else "unknown"), refusal.code
            except (PhasegateError, RPCError):
                await asyncio.sleep(AGAIN)
                continue
            break
        waited = time.monotonic() - begun
        cast = Cast(
            *(self.key, sitting.gate, sitting.round, who, says, request_id),
            *(_answer(answer), code, tries, waited),
        )
        self._tally.casts.append(cast)

    async def _goes_on(self, before: Sitting, sitting: Sitting) -> None:
        """The owner brings the next gate, or the same one again with more to show."""
        if sitting.gate == before.gate:
            evidence = EvidenceRequest(
                actor=OWNER, title=f"better, {sitting.round}", request_id=new_request_id()
            )
            await self._until("its round to close", self._no_gate)
            if before.outcome == "hold":
                resume = OwnerRequest(actor=OWNER, request_id=new_request_id())
                await self._ask("resume", resume)
            await self._ask("evidence", evidence)
        else:
            await self._until("its market", lambda: self._product(phase="market"))
        await self._keep_promises(before)
        await self._persist("its submission", lambda: self._submit(sitting.gate))

    async def _submit(self, gate: str) -> None:
        """Refused while the product has not heard how the round before ended: then asked anew."""
        request = SubmitRequest(actor=OWNER, gate=gate, request_id=new_request_id())
        while True:
            try:
                await gates.submit(self._engine, self.key, request)
                return
            except Refusal as refusal:
                self._waits = f"its submission: {refusal.code}: {refusal}"
                await asyncio.sleep(AGAIN)
                if await self._product() and (await self._open(gate)):
                    return
                request = SubmitRequest(actor=OWNER, gate=gate, request_id=new_request_id())

    async def _open(self, gate: str) -> bool:
        view = await self._product()
        return view is not None and view.gate == gate

    async def _keep_promises(self, before: Sitting) -> None:
        if before.outcome != "conditional-go":
            return
        for condition in await self._until("what it promised", self._promised):
            await self._keep(condition.id)

    async def _keep(self, condition: str) -> None:
        """Refused while the product has not heard what the gate came to: then asked anew. A query
        may have heard it before, from a worker that died with it."""
        while True:
            request = ConditionRequest(
                actor=OWNER,
                condition=condition,
                note="see the report",
                request_id=new_request_id(),
            )
            try:
                await self._ask("condition", request)
                return
            except Refusal as refusal:
                if refusal.code != "unknown-condition":
                    raise
                self._waits = f"its condition: {refusal}"
                await asyncio.sleep(AGAIN)

    async def _ask(self, update: str, request: Any) -> None:
        await self._persist(
            update, lambda: products.request(self._engine, self.key, update, request)
        )

    async def _opened(self, sitting: Sitting) -> GateView | None:
        view = await gates.show(self._engine, self.key, sitting.gate)
        return view if view.round == sitting.round and view.respond_due is not None else None

    async def _decided(self, sitting: Sitting) -> bool | None:
        """By the record: it is there when everything before it is."""
        find = self._engine.ledger.events
        found = await asyncio.to_thread(find, self.key, 0, ("gate.decided",))
        said = [entry.announcement.data for entry in found]
        return any((d["gate"], d["round"]) == (sitting.gate, sitting.round) for d in said) or None

    async def _product(self, phase: str | None = None) -> ProductView | None:
        view = await products.show(self._engine, self.key)
        return view if phase in (None, view.phase) else None

    async def _no_gate(self) -> bool | None:
        view = await products.show(self._engine, self.key)
        return True if view.gate is None else None

    async def _promised(self) -> list[ConditionView] | None:
        view = await products.show(self._engine, self.key)
        return [condition for condition in view.conditions if condition.state == "open"] or None

    async def _ended(self) -> bool | None:
        """Whether the product has ended; on the way people answer for the tasks that wait for
        them."""
        found = await self._engine.workflow(product_id(self.key)).describe()
        if found.status is not WorkflowExecutionStatus.RUNNING:
            return True
        if self._script.ends == "product.retired":
            await self._confirm()
        return None

    async def _confirm(self) -> None:
        for task in (await sunsets.show(self._engine, self.key)).tasks:
            unknown = task.state == "unknown"
            if unknown or (task.id == "keys" and task.state == "waiting"):
                self._tally.asked += unknown
                handle = self._engine.workflow(sunset_id(self.key))
                request = ConfirmRequest(
                    actor="bo", task=task.id, note="I looked", request_id=new_request_id()
                )
                try:
                    await ask(handle, "confirm", request)
                except Refusal:  # an answer was lost, and it is confirmed
                    continue

    async def _persist(self, what: str, act: Callable[[], Awaitable[T]]) -> T:
        """Do it until it is done; what the rules refuse is refused."""
        self._waits = what
        while True:
            try:
                return await act()
            except Refusal:
                raise
            except (PhasegateError, RPCError):
                await asyncio.sleep(AGAIN)

    async def _until(self, what: str, probe: Callable[[], Awaitable[T | None]]) -> T:
        self._waits = what
        while True:
            try:
                if (found := await probe()) is not None:
                    return found
            except (NotRunning, PhasegateError, RPCError) as error:
                self._waits = f"{what} ({error})"
            await asyncio.sleep(self._dice.uniform(self._look, 1.5 * self._look))


def _answer(word: str) -> Answer:
    return "accepted" if word == "accepted" else "refused" if word == "refused" else "unknown"
