"""Whether somebody carries out the acts of sunsets whose policy has a task queue of its own."""

from __future__ import annotations

import asyncio

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.client import Client

from client.checkup import Check
from client.polling import pollers
from client.settings import Settings
from ledger import Ledger, LedgerError

NAMED = 3
"""Policies that are named; the rest is counted."""


async def examine_retirement(client: Client, settings: Settings) -> Check | None:
    """The task queues that published policies name for acts; None where none does.

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
        if not await pollers(client, queue, TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY):
            idle[queue] = policies
    if not idle:
        return Check(check=name, state="ok", what=f"polled for acts: {', '.join(wanted)}")
    said = "; ".join(f"{queue} (policy {_some(policies)})" for queue, policies in idle.items())
    return Check(
        check=name,
        state="warn",
        what=f"no worker polls where acts of sunsets are carried out, so that they wait: {said}",
        mend=f"phasegate worker run --only retirement --task-queue {next(iter(idle))}",
    )


def _queues(settings: Settings) -> dict[str, list[str]]:
    """Task queue → names of policies, of all that were published: products stay with theirs."""
    documents = Ledger(settings.ledger_url).documents
    found: dict[str, list[str]] = {}
    for name in documents.names("policy"):
        for digest in {each.digest: None for each in documents.history("policy", name)}:
            sunset = documents.read_policy(digest).sunset
            if sunset is not None and sunset.task_queue is not None:
                named = found.setdefault(sunset.task_queue, [])
                if name not in named:
                    named.append(name)
    return found


def _some(names: list[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more
