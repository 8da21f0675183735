"""Whether somebody works: one look at the task queue of each kind of work."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import timedelta

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.client import Client

from client.checkup import Check
from client.polling import GONE, last_seen, pollers
from client.settings import Settings
from ledger.url import is_file
from phasegate.queues import Kind, queue_of

SHOWN = 3
"""Workers that are named; the rest is counted."""

IDLE: dict[Kind, str] = {
    "checks": "milestones are not checked",
    "outgoing": "nobody is told what happens",
}
"""What nobody does where nobody polls. Acts of sunsets have a check of their own."""


async def examine_workers(client: Client, settings: Settings) -> Check:
    """Who polls the queues. Raises RPCError."""
    main = settings.task_queue
    seen = await last_seen(client, main, TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW)
    names = sorted(name for name, ago in seen.items() if ago < GONE)
    others = await asyncio.gather(
        *(
            pollers(client, queue_of(main, kind), TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY)
            for kind in IDLE
        ),
    )
    if not names:
        return Check(
            check="worker",
            state="warn",
            what=f"no worker polls the task queue {main}: nothing will move{_gone(seen)}",
            mend="phasegate worker run",
        )
    idle = [kind for kind, found in zip(IDLE, others, strict=True) if not found]
    if idle:
        said = "; ".join(f"{queue_of(main, kind)}: {IDLE[kind]}" for kind in idle)
        return Check(
            check="worker",
            state="warn",
            what=f"no worker polls {said}",
            mend=f"phasegate worker run {' '.join(f'--only {kind}' for kind in idle)}",
        )
    machines = sorted({machine for name in names if (machine := name.partition("@")[2])})
    if len(machines) > 1 and is_file(settings.ledger_url):
        return Check(
            check="worker",
            state="warn",
            what=f"workers are on {', '.join(machines)}, and the ledger is an SQLite file: where "
            "these are machines, each writes a record of its own",
            mend="export PHASEGATE_LEDGER=postgresql+psycopg://USER@HOST/DATABASE",
        )
    shown = ", ".join(name + _silent(seen[name]) for name in names[:SHOWN])
    shown += f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return Check(check="worker", state="ok", what=f"task queue {main} is polled by {shown}")


def _silent(ago: timedelta) -> str:
    """Who works asks again within a minute."""
    return f" (last seen {ago.total_seconds():.0f} s ago)" if ago > timedelta(minutes=1) else ""


def _gone(seen: Mapping[str, timedelta]) -> str:
    if not seen:
        return ""
    last = min(seen, key=lambda name: seen[name])
    return f"; {last} was there{_silent(seen[last])}"
