"""Whether confidential mode is on, and whether everybody agrees on that."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client

from client.checkup import Check
from client.keyring import FILE, Keyring, load_keyring
from client.settings import Settings
from client.spelling import OPEN, in_the_open
from phasegate.pseudonyms import MARK

NAME = "confidential mode"

GONE = timedelta(seconds=90)
"""The server remembers a worker for five minutes; one that works asks it once a minute at least."""

_IDENTITY = re.compile(rf"\d+@{MARK}[0-9a-f]+/(?P<fingerprint>[0-9a-f]+)/(?P<current>.+)")


async def examine_confidentiality(client: Client, settings: Settings) -> Check:
    """Raises RPCError."""
    ring = load_keyring()  # it could be read as the client connected
    if differing := await _workers(client, settings, ring):
        return differing
    hidden = f"PhasegateOwner STARTS_WITH '{MARK}' AND {OPEN}"
    if ring is None:
        if locked := (await client.count_workflows(hidden)).count:
            what = f"it is off here, and {locked} running workflows are encrypted"
            return Check(check=NAME, state="fail", what=what, mend=f"set {FILE}")
        what = "it is off: the server can read what products, votes and evidence say"
        return Check(check=NAME, state="ok", what=what)
    what = f"it is on: {ring.current} encrypts, {', '.join(ring.keys)} decrypt"
    if plain := await in_the_open(client):
        what = f"{what}; {plain} running workflows are from before, and show names"
        mend = "nothing: a product hides them when its phase ends, a gate in its next round"
        return Check(check=NAME, state="warn", what=what, mend=mend)
    return Check(check=NAME, state="ok", what=what)


async def _workers(client: Client, settings: Settings, ring: Keyring | None) -> Check | None:
    """What is wrong with the keys of those who work; their identities say which they have."""
    queue = settings.task_queue
    asked = DescribeTaskQueueRequest(
        namespace=client.namespace,
        task_queue=TaskQueue(name=queue),
        task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
    )
    found = await client.workflow_service.describe_task_queue(asked)
    gone = datetime.now(UTC) - GONE
    for poller in found.pollers:
        if poller.last_access_time.ToDatetime(UTC) < gone:
            continue
        told = _IDENTITY.fullmatch(poller.identity)
        if told is None and ring is not None:
            what, mend = "has no key ring", f"set {FILE} for it, and start it again"
        elif told is not None and ring is None:
            what, mend = "has a key ring, and this command has none", f"set {FILE}"
        elif told is None or ring is None:
            continue
        elif told["fingerprint"] != ring.fingerprint:
            what = "has the key ring of another installation"
            mend = "phasegate keyring show  # there and here"
        elif told["current"] != ring.current:
            what = f"encrypts with {told['current']}, and this command with {ring.current}"
            mend = "start it again, with the same key ring"
        else:
            continue
        return Check(check=NAME, state="warn", what=f"worker {poller.identity} {what}", mend=mend)
    return None
