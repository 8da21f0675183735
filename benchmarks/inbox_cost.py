"""The inbox of one approver among 10,000 open gates, beside the bare list query it needs.

    make bench-inbox        (or: python benchmarks/inbox_cost.py [--gates N] [--json])

The gates are real GateReview workflows with the search attributes and memo that a convened round
shows; no worker runs, so nothing but visibility can answer.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from temporalio.common import TypedSearchAttributes

from client.dev_server import dev_server, free_port
from client.engine import Engine
from client.inbox import inbox
from client.logs import configure_logs
from client.settings import Settings
from phasegate.ids import gate_id
from phasegate.search import waiting_on
from workflows.bookkeeping import attribute_pairs

MINE = 40
ME = "ines.duarte"
AT_ONCE = 100


def shown(number: int, gates: int) -> tuple[TypedSearchAttributes, dict[str, Any]]:
    """What a convened round of three approvers shows; every so many of them wait on ME."""
    now = datetime.now(UTC)
    due = now + timedelta(days=number % 14)
    people = [f"approver.{(number * 3 + i) % 900:03}" for i in range(3)]
    if number % (gates // MINE) == 0:
        people[0] = ME
    attributes = attribute_pairs(
        {
            "PhasegateStatus": "open",
            "PhasegateProduct": f"product-{number}",
            "PhasegateOwner": f"owner.{number % 300}",
            "PhasegatePolicy": "standard",
            "PhasegateGate": "launch",
            "PhasegateWaitingOn": waiting_on({person: ["eng"] for person in people}),
            "PhasegateDue": due,
        }
    )
    memo = {
        "opened_at": now.isoformat(),
        "respond_due": due.isoformat(),
        "resolve_due": (due + timedelta(days=7)).isoformat(),
        "revision": "r0123456789ab",
        "round": 1,
        "step": 1,
        "name": f"Product {number}",
        "tier": 2,
        "seats": {person: ["eng"] for person in people},
        "due": {},
        "since": {},
        "acting": {},
        "pending": None,
        "directory": "default",
        "work_since": None,
    }
    return TypedSearchAttributes(attributes), memo


async def open_gates(engine: Engine, gates: int) -> None:
    slots = asyncio.Semaphore(AT_ONCE)

    async def one(number: int) -> None:
        attributes, memo = shown(number, gates)
        async with slots:
            await engine.client.start_workflow(
                "GateReview",
                id=gate_id(f"product-{number}", "launch"),
                task_queue="nobody",
                search_attributes=attributes,
                memo=memo,
            )

    await asyncio.gather(*(one(number) for number in range(gates)))


async def listed(engine: Engine) -> int:
    """The floor: the rows of one keyword query."""
    query = f"WorkflowType = 'GateReview' AND PhasegateWaitingOn IN ('person:{ME}')"
    return len([execution async for execution in engine.client.list_workflows(query)])


async def median_of(what: Callable[[], Awaitable[object]], times: int = 9) -> float:
    taken = []
    for _ in range(times):
        started = time.perf_counter()
        await what()
        taken.append(time.perf_counter() - started)
    return statistics.median(taken)


async def measure(gates: int) -> dict[str, Any]:
    os.environ["PHASEGATE_DATA_DIR"] = tempfile.mkdtemp()
    async with dev_server(database=None, port=free_port(), ui_port=None) as server:
        os.environ["TEMPORAL_ADDRESS"] = server.address
        engine = await Engine.connect(Settings.load())
        await open_gates(engine, gates)
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            if (await engine.client.count_workflows("WorkflowType = 'GateReview'")).count >= gates:
                break
            await asyncio.sleep(0.5)
        rows = len(await inbox(engine, ME))
        floor = await median_of(lambda: listed(engine))
        whole = await median_of(lambda: inbox(engine, ME))
        engine.ledger.close()
    return {
        "gates": gates,
        "rows": rows,
        "list_seconds": round(floor, 3),
        "inbox_seconds": round(whole, 3),
        "ratio": round(whole / floor, 2),
    }


def main() -> None:
    configure_logs(json=False, level="ERROR")
    gates = int(sys.argv[sys.argv.index("--gates") + 1]) if "--gates" in sys.argv else 10_000
    found = asyncio.run(measure(gates))
    if "--json" in sys.argv:
        print(json.dumps(found))
        return
    print(f"{found['rows']} rows for one approver among {found['gates']} open gates")
    print(f"  bare list query   {found['list_seconds']:.3f} s")
    print(f"  inbox             {found['inbox_seconds']:.3f} s, {found['ratio']} times that")


if __name__ == "__main__":
    main()
