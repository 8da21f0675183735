"""What people do to one product, each as one call: through the client API, as the CLI does it."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from client import gates, products
from client.asking import ask, new_request_id, query
from client.dev_server import find_temporal
from client.engine import Engine
from demo.chronicle import EVERY, Chronicle, is_a
from demo.inputs import Inputs
from demo.timeline import at
from phasegate.errors import Forbidden
from phasegate.events import Announcement
from phasegate.ids import gate_id, sunset_id
from phasegate.requests import (
    ConditionRequest,
    ConfirmRequest,
    MilestoneRequest,
    Promise,
    SubmitRequest,
    VoteRequest,
)
from phasegate.sunset_views import SunsetView
from phasegate.views import GateView
from phasegate.votes import Vote


class StoryError(Exception):
    """The play did not go as written."""


@dataclass
class Done:
    """What the people of the play did, to compare the record with."""

    votes: list[tuple[str, int, str, str, str]] = field(default_factory=list)
    """Votes the engine took: gate, round, approver, vote, channel."""
    refused: list[tuple[str, str, str]] = field(default_factory=list)
    """Votes the engine refused: gate, actor, channel."""


class Stage:
    """One product under way, and everybody who acts on it."""

    def __init__(
        self, engine: Engine, inputs: Inputs, tell: Callable[[Announcement], None]
    ) -> None:
        self.inputs = inputs
        self.key = inputs.product.key
        self.owner = inputs.product.owner
        self.chronicle = Chronicle(engine, self.key, tell)
        self.done = Done()
        self._engine = engine
        self._timeline = inputs.timeline

    # -- time -----------------------------------------------------------------------------------

    async def on(self, date: str) -> None:
        """Wait for a real date."""
        self.chronicle.waiting = f"{date[:10]} to come"
        ahead = self.played(date) - datetime.now(UTC)
        await asyncio.sleep(max(ahead.total_seconds(), 0))

    def played(self, date: str) -> datetime:
        """When a real date is played."""
        return self._timeline.played(at(date))

    # -- the owner ------------------------------------------------------------------------------

    async def start(self) -> None:
        inputs = self.inputs
        await products.start(self._engine, inputs.product, inputs.policy, inputs.directory)

    async def report(self, *milestones: str, by: str | None = None) -> None:
        for milestone in milestones:
            request = MilestoneRequest(
                actor=by or self.owner, milestone=milestone, request_id=new_request_id()
            )
            await products.request(self._engine, self.key, "milestone", request)

    async def submit(self, gate: str, reason: str) -> None:
        request = SubmitRequest(
            actor=self.owner, reason=reason, gate=gate, request_id=new_request_id()
        )
        await gates.submit(self._engine, self.key, request)

    async def close_condition(self, condition: str, *, by: str, note: str) -> None:
        request = ConditionRequest(
            actor=by, condition=condition, note=note, request_id=new_request_id()
        )
        await products.request(self._engine, self.key, "condition", request)

    async def confirm(self, task: str, *, by: str, note: str) -> None:
        """Confirm a manual task of the sunset, once its turn has come."""
        await self._until("sunset.planned")
        self.chronicle.waiting = f"sunset task {task}"
        sunset = self._engine.workflow(sunset_id(self.key))
        while True:
            view = await query(sunset, "show", SunsetView)
            if any(found.id == task and found.state == "waiting" for found in view.tasks):
                break
            await asyncio.sleep(EVERY)
        request = ConfirmRequest(actor=by, task=task, note=note, request_id=new_request_id())
        await ask(sunset, "confirm", request)

    # -- gates ----------------------------------------------------------------------------------

    async def opened(self, gate: str, round_number: int = 1) -> None:
        await self._until("gate.opened", gate=gate, round=round_number)

    async def reminded(self, gate: str, who: str, round_number: int = 1) -> None:
        """Wait until the engine has reminded somebody of their vote, or found them overdue.

        On a machine that stalls for a moment, both are due at once and only the latter is said.
        """
        await self.chronicle.until(
            f"a reminder of {gate} to {who}",
            lambda event: (
                event.type in ("gate.reminder", "gate.overdue")
                and (event.data["gate"], event.data["round"]) == (gate, round_number)
                and who in event.data["pending"]
            ),
        )

    async def decided(self, gate: str, outcome: str, round_number: int = 1) -> None:
        """Wait for a round's end. Raises StoryError for another outcome than this."""
        event = await self._until("gate.decided", gate=gate, round=round_number)
        if event.data["outcome"] != outcome:
            raise StoryError(
                f"round {round_number} of {gate} decided {event.data['outcome']}, "
                f"and should have decided {outcome}"
            )

    async def sent_back(self) -> None:
        """Wait until the product has taken note of its recycled gate."""
        await self._until("product.back-to-work")

    async def entered(self, phase: str) -> None:
        await self._until("product.phase-entered", phase=phase)

    async def undecided(self, gate: str, why: str) -> None:
        """Raise StoryError unless the gate is open, for this reason."""
        view = await self.look(gate)
        if view.outcome or why not in view.why:
            raise StoryError(f"{gate} should wait because of {why}, but: {view.why}")

    async def look(self, gate: str) -> GateView:
        return await gates.show(self._engine, self.key, gate)

    async def vote(
        self, gate: str, who: str, vote: Vote, comment: str = "", condition: Promise | None = None
    ) -> None:
        receipt = await gates.vote(
            self._engine, self.key, gate, self._request(who, vote, comment, condition)
        )
        self.done.votes.append((gate, receipt.round or 0, who, vote.value, "update"))

    async def vote_refused(self, gate: str, who: str, code: str) -> None:
        """Somebody tries to vote who may not. Raises StoryError unless refused with this code."""
        self.done.refused.append((gate, who, "update"))
        try:
            await gates.vote(self._engine, self.key, gate, self._request(who, Vote.go, "", None))
        except Forbidden as refusal:
            if refusal.code == code:
                return
            raise StoryError(f"{who} was refused for {refusal.code}, not for {code}") from refusal
        raise StoryError(f"{who} may not vote on {gate}, but the vote was taken")

    def _request(
        self, who: str, vote: Vote, comment: str, condition: Promise | None
    ) -> VoteRequest:
        return VoteRequest(
            approver=who,
            vote=vote,
            comment=comment,
            conditions=[condition] if condition else [],
            request_id=new_request_id(),
        )

    # -- the temporal command -------------------------------------------------------------------

    async def vote_by_signal(self, gate: str, who: str, vote: Vote, comment: str) -> None:
        """Vote with `temporal workflow signal`, as somebody without phasegate would."""
        body = {"approver": who, "vote": vote.value, "comment": comment}
        await self._signal(gate, "--input", json.dumps(body))
        event = await self.chronicle.until(
            f"{who}'s vote by signal on {gate}",
            lambda event: is_a(event, "gate.vote", gate=gate, channel="signal"),
        )
        self.done.votes.append((gate, event.data["round"], who, vote.value, "signal"))

    async def garbage_by_signal(self, gate: str) -> None:
        """Signal bytes that nothing reads. Raises StoryError unless refused, and nothing else."""
        before = await self.look(gate)
        self.done.refused.append((gate, "unknown", "signal"))
        garbage = base64.b64encode(b"\xff\x00 go, go, go!").decode()
        encoding = ("--input-meta", "encoding=binary/unknown")  # as JSON, temporal refuses them
        await self._signal(gate, *encoding, "--input-base64", "--input", garbage)
        await self._until("gate.refused", gate=gate, channel="signal")
        after = await self.look(gate)
        if _substance(after) != _substance(before):
            raise StoryError(f"a garbage signal changed {gate} of {self.key}")

    async def _signal(self, gate: str, *arguments: str) -> None:
        address = self._engine.client.service_client.config.target_host
        command = (
            *(find_temporal(), "workflow", "signal", "--address", address),
            *("--workflow-id", gate_id(self.key, gate), "--name", "vote", *arguments),
        )
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        try:
            said, _ = await process.communicate()
        finally:
            if process.returncode is None:  # we are being stopped
                process.kill()
        if process.returncode:
            raise StoryError(f"`temporal workflow signal` failed: {said.decode().strip()[-300:]}")

    # -- the end --------------------------------------------------------------------------------

    async def ended(self, status: str) -> None:
        await self._until(f"product.{status}")

    async def _until(self, type: str, **data: object) -> Announcement:
        what = " ".join([type, *(f"{name} {value}" for name, value in data.items())])
        return await self.chronicle.until(what, lambda event: is_a(event, type, **data))


def _substance(view: GateView) -> object:
    """A gate without its refusals and without what the clock alone changes."""
    return view.model_dump(include={"votes", "outcome", "status", "revision", "conditions", "step"})
