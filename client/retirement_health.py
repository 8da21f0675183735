"""Whether somebody carries out the acts of sunsets, on the task queues that policies name for them
or on that of all other policies."""

from __future__ import annotations

import asyncio

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.client import Client

from client.checkup import Check
from client.polling import pollers
from client.settings import Settings
from ledger import Ledger, LedgerError
from phasegate.queues import KINDS, queue_of

NAMED = 3
"""Policies that are named; the rest is counted."""


async def examine_retirement(client: Client, settings: Settings) -> Check | None:
    """The task queues where published policies have acts done; None where none has a sunset.

    Raises RPCError.
    """
    try:
        wanted = await asyncio.to_thread(_queues, settings)
    except LedgerError:
        return None  # what is wrong with the ledger has a line of its own
    if not wanted:
        return None
    name, idle = "retirement", {}
    for queue, policies in wanted.items():
        if not await _carried_out(client, queue, settings.task_queue):
            idle[queue] = policies
    if not idle:
        return Check(check=name, state="ok", what=f"polled for acts: {', '.join(wanted)}")
    said = "; ".join(f"{queue} (policy {_some(policies)})" for queue, policies in idle.items())
    return Check(
        check=name,
        state="warn",
        what="no worker that can carry out acts of sunsets polls where they are ordered, so that "
        f"they wait: {said}",
        mend=_mend(next(iter(idle)), settings),
    )


async def _carried_out(client: Client, queue: str, main: str) -> bool:
    """Whether a worker there knows acts. On the queues of other kinds of work few do: on that of
    products those that do all there is to do, elsewhere none."""

    async def polling(queue: str) -> set[str]:
        return set(await pollers(client, queue, TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY))

    queues = [queue_of(main, kind) for kind in KINDS]
    if queue == main:
        return bool(set.intersection(*[await polling(each) for each in queues]))
    if queue in queues and queue != queue_of(main, "retirement"):
        return False
    return bool(await polling(queue))


def _mend(queue: str, settings: Settings) -> str:
    command = "phasegate worker run --only retirement"
    if queue == settings.task_queue:
        return "phasegate worker run"
    if queue in (queue_of(settings.task_queue, kind) for kind in ("checks", "outgoing")):
        return "phasegate policy migrate FILE --as WHO --reason WHY, to one with another task_queue"
    if queue == queue_of(settings.task_queue, "retirement"):
        return command
    return f"{command} --task-queue {queue}"


def _queues(settings: Settings) -> dict[str, list[str]]:
    """Task queue → names of policies, of all that were published: products stay with theirs."""
    documents = Ledger(settings.ledger_url).documents
    found: dict[str, list[str]] = {}
    for name in documents.names("policy"):
        for digest in {each.digest: None for each in documents.history("policy", name)}:
            sunset = documents.read_policy(digest).sunset
            if sunset is not None:
                usual = queue_of(settings.task_queue, "retirement")
                named = found.setdefault(sunset.task_queue or usual, [])
                if name not in named:
                    named.append(name)
    return found


def _some(names: list[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more
