"""Whether the key ring here goes with those who work, told from their identities."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Any

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import (
    Client,
    Interceptor,
    OutboundInterceptor,
    SignalWorkflowInput,
    StartWorkflowInput,
    StartWorkflowUpdateInput,
    StartWorkflowUpdateWithStartInput,
    WorkflowHandle,
    WorkflowUpdateHandle,
)
from temporalio.service import RPCError

from client.keyring import FILE, UNTOLD, Keyring
from phasegate.errors import EngineError
from phasegate.pseudonyms import MARK

GONE = timedelta(seconds=90)
"""The server remembers a worker for five minutes; one that works asks it once a minute at least."""

STARTING = 3.0
"""Seconds for which one with the same keys is waited for: those that it replaces are known yet."""

PAUSE = 0.3

GOOD_FOR = 60.0
"""Seconds for which workers that were found to have the same keys are not asked for again."""

THEIRS = f"export {FILE}=keyring.json  # the file that the workers have; docs/confidential.md"

_IDENTITY = re.compile(rf"\d+@{MARK}[0-9a-f]+/(?P<fingerprint>[0-9a-f]+)/(?P<keys>.+)")


@dataclass(frozen=True)
class Odds:
    """Why a process does not go with a worker: one cannot read what the other writes."""

    what: str
    """Of the worker, for who examines it."""
    mend: str
    error: EngineError
    """For who would send it something."""


@dataclass(frozen=True)
class Working:
    """A worker, and what it says of its keys: no fingerprint where it has no ring."""

    identity: str
    fingerprint: str = ""
    keys: tuple[str, ...] = ()
    """The one that encrypts first."""

    def odds(self, ring: Keyring | None) -> Odds | None:
        """Why this worker and who has `ring` would not understand each other, if so."""
        if ring is None:
            return self._locked() if self.fingerprint else None
        if not self.fingerprint:
            return self._open()
        if self.fingerprint != ring.fingerprint:
            return self._foreign(ring)
        if ring.current not in self.keys and UNTOLD not in self.keys:
            return self._behind(ring)
        return None if self.keys[0] in ring.keys else self._ahead(ring)

    def _locked(self) -> Odds:
        return Odds(
            "has a key ring, and this command has none",
            f"set {FILE}",
            EngineError(
                "the workers here are confidential, and this command has no key ring",
                f"{self.identity} has one; what is sent without would stay readable to the server",
                THEIRS,
            ),
        )

    def _open(self) -> Odds:
        return Odds(
            "has no key ring",
            f"set {FILE} for it, and start it again",
            EngineError(
                "this command has a key ring, and the workers here have none",
                f"{self.identity} could not read what it sends",
                f"phasegate worker run  # with the same {FILE}; "
                f"one that stopped is forgotten after {GONE.seconds} s",
            ),
        )

    def _foreign(self, ring: Keyring) -> Odds:
        return Odds(
            "has the key ring of another installation",
            "phasegate keyring show  # there and here",
            EngineError(
                "this command has the key ring of another installation",
                f"its fingerprint is {ring.fingerprint}, and that of the workers "
                f"{self.fingerprint}: neither could read the other",
                THEIRS,
            ),
        )

    def _behind(self, ring: Keyring) -> Odds:
        return Odds(
            f"has no key {ring.current}, with which this command encrypts",
            "start it again, with the same key ring",
            EngineError(
                f"the workers here have no key {ring.current}, with which this command encrypts",
                f"{self.identity} has {', '.join(self.keys)}; it could not read what is sent",
                "phasegate worker run  # start them again with this key ring: "
                "the new key is given to all first, and used then",
            ),
        )

    def _ahead(self, ring: Keyring) -> Odds:
        return Odds(
            f"encrypts with {self.keys[0]}, which the key ring here does not have",
            THEIRS,
            EngineError(
                f"the key ring here has no key {self.keys[0]}, with which the workers encrypt",
                f"it has {', '.join(ring.keys)}; what they answer could not be read",
                THEIRS,
            ),
        )


def told(identity: str) -> Working:
    """A worker by what it calls itself."""
    found = _IDENTITY.fullmatch(identity)
    if found is None:
        return Working(identity)
    return Working(identity, found["fingerprint"], tuple(found["keys"].split("+")))


async def working(client: Client, queue: str) -> list[Working]:
    """Who takes workflows from a task queue. Raises RPCError."""
    asked = DescribeTaskQueueRequest(
        namespace=client.namespace,
        task_queue=TaskQueue(name=queue),
        task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
    )
    found = await client.workflow_service.describe_task_queue(asked)
    gone = datetime.now(UTC) - GONE
    polled = [p for p in found.pollers if p.last_access_time.ToDatetime(UTC) >= gone]
    return [told(poller.identity) for poller in polled]


async def require_same(client: Client, queue: str, ring: Keyring | None) -> bool:
    """Whether there are workers; one with the same keys is enough, since it does in the end what
    others cannot read. Raises EngineError where none has them."""
    end = monotonic() + STARTING
    while True:
        try:
            found = await working(client, queue)
        except RPCError:  # who may not ask this may yet send
            return False
        odds = [worker.odds(ring) for worker in found]
        first = odds[0] if odds else None
        if first is None or not all(odds):
            return bool(found)
        if monotonic() > end:
            raise first.error
        await asyncio.sleep(PAUSE)


class SameKeys(Interceptor):
    """Sends nothing that no worker could read, and asks nothing whose answer could not be read."""

    def __init__(self, queue: str, ring: Keyring | None) -> None:
        self._queue, self._ring = queue, ring
        self._asked: float | None = None
        self.client: Client | None = None

    def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:
        return _Sending(next, self)

    async def require(self) -> None:
        """Raises EngineError where there are workers, and none has the same keys."""
        if self.client is None or (
            self._asked is not None and monotonic() - self._asked < GOOD_FOR
        ):
            return
        if await require_same(self.client, self._queue, self._ring):
            self._asked = monotonic()


class _Sending(OutboundInterceptor):
    def __init__(self, next: OutboundInterceptor, keys: SameKeys) -> None:
        super().__init__(next)
        self._keys = keys

    async def start_workflow(self, input: StartWorkflowInput) -> WorkflowHandle[Any, Any]:
        await self._keys.require()
        return await super().start_workflow(input)

    async def signal_workflow(self, input: SignalWorkflowInput) -> None:
        await self._keys.require()
        await super().signal_workflow(input)

    async def start_workflow_update(
        self, input: StartWorkflowUpdateInput
    ) -> WorkflowUpdateHandle[Any]:
        await self._keys.require()
        return await super().start_workflow_update(input)

    async def start_update_with_start_workflow(
        self, input: StartWorkflowUpdateWithStartInput
    ) -> WorkflowUpdateHandle[Any]:
        await self._keys.require()
        return await super().start_update_with_start_workflow(input)
