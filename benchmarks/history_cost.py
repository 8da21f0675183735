"""What a gate with three votes costs in history events, beside a workflow that only counts them.

    make bench        (or: python benchmarks/history_cost.py [--json])

Temporal bills and stores by events, so this is the engine's price. The product's share is what its
history has more than that of a product whose phase ends without a gate.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from temporalio import workflow
from temporalio.service import RPCError
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from client import gates, products
from client.asking import new_request_id
from client.dev_server import dev_server, free_port
from client.engine import Engine
from client.logs import configure_logs
from client.settings import Settings
from phasegate.ids import gate_id, product_id
from phasegate.reading import read_directory, read_policy, read_product
from phasegate.requests import VoteRequest
from worker import build_worker

VOTERS = ("ana", "bo", "cy")
DIRECTORY = """
directory: bench
people: {olga: {}, ana: {}, bo: {}, cy: {}}
groups: {eng: {members: [ana, bo, cy]}}
"""
BAR = 45
"""Events that a gate with three votes should cost, however far apart they are.

Local activities meet it, and do not replay (workflows/calling.py).
"""
PAUSES = {"five-seconds-apart": 5.0, "half-a-second-apart": 0.5, "one-after-another": 0.0}
GATE = "gate: {id: go, title: Go, requires: [{group: eng, need: 3}]}"
POLICY = "policy: %s\nversion: '1'\ntitle: Bench\nphases: [{id: only, title: Only%s}]\n"


@workflow.defn
class Counter:
    """The floor: takes three updates and ends."""

    def __init__(self) -> None:
        self.votes = 0

    @workflow.run
    async def run(self) -> int:
        await workflow.wait_condition(lambda: self.votes == len(VOTERS))
        return self.votes

    @workflow.update
    async def vote(self) -> int:
        self.votes += 1
        return self.votes


async def events(engine: Engine, workflow_id: str) -> int:
    handle = engine.workflow(workflow_id)
    await handle.result()
    return len((await handle.fetch_history()).events)


async def floor(engine: Engine) -> int:
    runner = UnsandboxedWorkflowRunner()
    async with Worker(
        engine.client, task_queue="floor", workflows=[Counter], workflow_runner=runner
    ):
        handle = await engine.client.start_workflow(Counter.run, id="floor", task_queue="floor")
        for _ in VOTERS:
            await handle.execute_update(Counter.vote)
            await asyncio.sleep(0.5)
        return await events(engine, "floor")


async def gated(engine: Engine, key: str, pause: float) -> tuple[int, int]:
    """The events of a gate that three people pass, `pause` seconds apart, and of its product."""
    await start(engine, key, ", " + GATE)
    await opened(engine, key)
    for voter in VOTERS:
        request = VoteRequest(approver=voter, vote="go", request_id=new_request_id())
        await gates.vote(engine, key, "go", request)
        await asyncio.sleep(pause)
    product = await events(engine, product_id(key))
    return await events(engine, gate_id(key, "go")), product


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


async def measure() -> tuple[int, dict[str, list[int]]]:
    os.environ["PHASEGATE_DATA_DIR"] = tempfile.mkdtemp()
    async with dev_server(database=None, port=free_port(), ui_port=None) as server:
        os.environ["TEMPORAL_ADDRESS"] = server.address
        engine = await Engine.connect(Settings.load())
        async with build_worker(engine.client, engine.settings):
            counted = await floor(engine)
            await start(engine, "bare", "")
            bare = await events(engine, product_id("bare"))
            sums = {
                name: [gate, product - bare, gate + product - bare]
                for name, pause in PAUSES.items()
                for gate, product in [await gated(engine, name, pause)]
            }
        engine.ledger.close()
    return counted, sums


def main() -> None:
    configure_logs(json=False, level="ERROR")
    floor, found = asyncio.run(measure())
    met = all(total <= BAR for _, _, total in found.values())
    if "--json" in sys.argv:
        print(json.dumps({"floor": floor, "bar": BAR, "met": met, **found}))
    else:
        row = "{:34} {:>5} {:>8} {:>5} {:>6}".format
        print(row("history events of three votes", "gate", "product", "sum", "ratio"))
        print(row("a workflow that counts (floor)", floor, "", floor, 1))
        for name, (gate, share, total) in found.items():
            label = f"a gate, votes {name.replace('-', ' ')}"
            print(row(label, gate, share, total, round(total / floor, 1)))
        print(f"the bar is {BAR}: {'met' if met else 'NOT met'}")
    sys.exit(not met)


if __name__ == "__main__":
    main()
