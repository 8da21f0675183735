"""What a gate with three votes costs in history events and Actions, beside two floors.

The product's share is what its history has more than that of a product whose phase ends without a
gate. The floors are benchmarks.floors: a workflow that only counts, and one that also has each vote
written down.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, suppress
from typing import Any

from temporalio.client import Client
from temporalio.service import RPCError

from benchmarks.bare import QUEUE, bare_worker
from benchmarks.floors import Counting, Writing
from benchmarks.harness import Report
from benchmarks.histories import Cost, cost_of
from benchmarks.installation import Installation, installation
from client import gates, products
from client.asking import new_request_id
from client.engine import Engine
from phasegate.ids import gate_id, product_id
from phasegate.reading import read_directory, read_policy, read_product
from phasegate.requests import VoteRequest

VOTERS = ("ana", "bo", "cy")
DIRECTORY = """
directory: bench
people: {olga: {}, ana: {}, bo: {}, cy: {}}
groups: {eng: {members: [ana, bo, cy]}}
"""
BAR = 45
"""Events that a gate with three votes should cost, however far apart they are.

Only an activity that the SDK runs within the task that took the vote, a local one, could meet it:
and that would write down a vote before the Update that brought it is durable (docs/performance.md).
"""
PAUSES = {"five seconds apart": 5.0, "half a second apart": 0.5, "one after another": 0.0}
GATE = "gate: {id: go, title: Go, requires: [{group: eng, need: 3}]}"
POLICY = "policy: %s\nversion: '1'\ntitle: Bench\nphases: [{id: only, title: Only%s}]\n"


async def ended(client: Client, workflow_id: str) -> Cost:
    """The cost of a workflow, once it has ended."""
    handle = client.get_workflow_handle(workflow_id)
    await asyncio.wait_for(handle.result(), 60)
    return cost_of((await handle.fetch_history()).events)


async def floor(client: Client, kind: type[Counting] | type[Writing], pause: float) -> Cost:
    one = f"{kind.__name__}-{pause}"
    handle = await client.start_workflow(kind.run, len(VOTERS), id=one, task_queue=QUEUE)
    for _ in VOTERS:
        await handle.execute_update(kind.vote)
        await asyncio.sleep(pause)
    return await ended(client, one)


async def gated(engine: Engine, key: str, pause: float) -> tuple[Cost, Cost]:
    """The cost of a gate that three people pass, `pause` seconds apart, and of its product."""
    await start(engine, key, ", " + GATE)
    await opened(engine, key)
    for voter in VOTERS:
        request = VoteRequest(approver=voter, vote="go", request_id=new_request_id())
        await gates.vote(engine, key, "go", request)
        await asyncio.sleep(pause)
    product = await ended(engine.client, product_id(key))
    return await ended(engine.client, gate_id(key, "go")), product


async def opened(engine: Engine, key: str) -> None:
    """By a description: a query in the middle of a task would cost events of its own."""
    while True:
        with suppress(RPCError):
            await engine.workflow(gate_id(key, "go")).describe()
            break
        await asyncio.sleep(0.05)
    await asyncio.sleep(0.5)


async def start(engine: Engine, key: str, gate: str) -> None:
    await products.start(
        engine,
        read_product(f"key: {key}\nname: {key}\nowner: olga\n", "product"),
        read_policy(POLICY % (key, gate), "policy"),
        read_directory(DIRECTORY, "directory"),
    )


async def measure(report: Report) -> None:
    async with installation(report.asked.folder) as home, AsyncExitStack() as stack:
        await home.worker()
        plain = await Client.connect(home.server.address)
        await stack.enter_async_context(bare_worker(plain, home.folder / "notebook.db"))
        report.put("bar", BAR)
        await start(home.engine, "bare", "")
        bare = await ended(home.engine.client, product_id("bare"))
        for name, pause in PAUSES.items():
            report.put(name, await _at(home, plain, name, pause, bare))


async def _at(
    home: Installation, plain: Client, name: str, pause: float, bare: Cost
) -> dict[str, Any]:
    counting = await floor(plain, Counting, pause)
    writing = await floor(plain, Writing, pause)
    gate, product = await gated(home.engine, name.replace(" ", "-"), pause)
    whole = gate + product.less(bare)
    return {
        "counting": counting.told(),
        "writing": writing.told(),
        "gate": gate.told(),
        "product's share": product.less(bare).told(),
        "whole": whole.told(),
        "events against counting": round(whole.events / counting.events, 2),
        "events against writing": round(whole.events / writing.events, 2),
    }
