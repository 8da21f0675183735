"""Votes per second and how long each takes: real gates beside bare workflows, in the same run.

As many gates as bare workflows, as many votes in each, as many voters at once, on one server, by
two workers with the same settings. What counts against the gates: their rules, their views, their
announcements to a ledger with a hash chain, their products, and our client, sandbox and converter.
Counted twice: until the last vote was answered, and until everything had come to its end.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from temporalio.client import Client

from benchmarks.bare import QUEUE
from benchmarks.floors import Counting, Writing
from benchmarks.harness import Asked, Report, percentile, ratios, spread, turns
from benchmarks.installation import Installation, WorkerProcess, cpu_of, installation
from client import gates, products
from client.asking import new_request_id
from phasegate.reading import read_directory, read_policy, read_product
from phasegate.requests import VoteRequest

BAR = 0.85
VOTERS, AT_ONCE, ALONE = 10, 16, 20
"""Of each gate; on their way together; and taken one after the other, for the time of one vote."""

POLICY = """
policy: voting
version: "1"
title: Voting
phases:
  - {id: only, title: Only, gate: {id: go, title: Go, requires: [{group: eng, need: 10}]}}
"""
PEOPLE = [f"v{number}" for number in range(VOTERS)]
DIRECTORY = f"""
directory: voters
people: {{olga: {{}}, {", ".join(f"{name}: {{}}" for name in PEOPLE)}}}
groups: {{eng: {{members: [{", ".join(PEOPLE)}]}}}}
"""
Vote = Callable[[], Awaitable[object]]


@dataclass
class Load:
    """What one kind of workflow is asked in one round, and the worker that answers."""

    votes: Sequence[Vote]
    alone: Sequence[Vote]
    settled: Callable[[], Awaitable[None]]
    worker: WorkerProcess


async def of_gates(home: Installation, worker: WorkerProcess, run: str, count: int) -> Load:
    engine, keys = home.engine, [f"{run}-{number:03}" for number in range(count)]
    policy, directory = read_policy(POLICY, "policy"), read_directory(DIRECTORY, "directory")
    room = asyncio.Semaphore(AT_ONCE)

    async def start(key: str) -> None:
        text = f"key: {key}\nname: {key}\nowner: olga\n"
        async with room:
            await products.start(engine, read_product(text, "product"), policy, directory)

    def vote(key: str, who: str) -> Vote:
        request = VoteRequest(approver=who, vote="go", request_id=new_request_id())
        return lambda: gates.vote(engine, key, "go", request)

    await asyncio.gather(*(start(key) for key in keys))
    here = f"WorkflowType = 'GateReview' AND WorkflowId STARTS_WITH 'product/{run}-'"
    await _until(engine.client, f"{here} AND PhasegateStatus = 'open'", count)
    votes = [[vote(key, who) for who in PEOPLE] for key in keys]
    products_too = f"WorkflowId STARTS_WITH 'product/{run}-' AND ExecutionStatus = 'Running'"
    return _load(votes, lambda: _until(engine.client, products_too, 0), worker)


async def of_floors(
    client: Client,
    worker: WorkerProcess,
    kind: type[Counting] | type[Writing],
    run: str,
    count: int,
) -> Load:
    handles = await asyncio.gather(
        *(
            client.start_workflow(kind.run, VOTERS, id=f"{run}-{number}", task_queue=QUEUE)
            for number in range(count)
        )
    )

    def vote(number: int) -> Vote:
        return lambda: handles[number].execute_update(kind.vote)

    async def settled() -> None:
        await asyncio.gather(*(handle.result() for handle in handles))

    return _load([[vote(n) for _ in PEOPLE] for n in range(count)], settled, worker)


def _load(
    votes: list[list[Vote]], settled: Callable[[], Awaitable[None]], worker: WorkerProcess
) -> Load:
    """The first workflows' votes are cast alone, the others' together and mixed."""
    few = -(-ALONE // VOTERS)
    alone = [vote for mine in votes[:few] for vote in mine]
    together = [vote for mine in votes[few:] for vote in mine]
    Random(len(together)).shuffle(together)
    return Load(together, alone, settled, worker)


async def _until(client: Client, query: str, count: int) -> None:
    async with asyncio.timeout(300):
        while (await client.count_workflows(query)).count != count:
            await asyncio.sleep(0.1)


async def cast(load: Load, server: int) -> dict[str, Any]:
    """Cast a round's votes: rates, the seconds of each vote, and the CPU of everybody involved."""
    apart = [await _seconds(vote) for vote in load.alone]
    room, users = asyncio.Semaphore(AT_ONCE), {"worker": load.worker.pid, "server": server}
    users["client"] = os.getpid()
    before = {name: cpu_of(pid) for name, pid in users.items()}

    async def one(vote: Vote) -> float:
        async with room:
            return await _seconds(vote)

    began = time.perf_counter()
    together = await asyncio.gather(*(one(vote) for vote in load.votes))
    answered = time.perf_counter() - began
    await load.settled()
    settled = time.perf_counter() - began
    return {
        "per_second": len(together) / answered,
        "settled_per_second": len(together) / settled,
        "p50": percentile(together, 0.5),
        "p95": percentile(together, 0.95),
        "alone_p50": percentile(apart, 0.5),
        "alone_p95": percentile(apart, 0.95),
        **{
            f"{name}_cpu_per_vote": (cpu_of(pid) - before[name]) / len(together)
            for name, pid in users.items()
        },
    }


async def _seconds(vote: Vote) -> float:
    began = time.perf_counter()
    await vote()
    return time.perf_counter() - began


def many(asked: Asked) -> int:
    return 12 if asked.quick else 60


async def measure(report: Report) -> None:
    count = many(report.asked)
    async with installation(report.asked.folder) as home:
        ours, bare = await home.worker(), await home.bare_worker()
        plain = await Client.connect(home.server.address)
        report.put("load", {"workflows": count, "votes each": VOTERS, "at once": AT_ONCE})
        found: dict[str, dict[str, list[float]]] = {}
        kinds = ("gate", "counting", "writing")
        for number, order in enumerate(turns(kinds, report.asked.rounds + 1)):
            for kind in order:
                run = f"{kind}-{number}"
                if kind == "gate":
                    load = await of_gates(home, ours, run, count)
                else:
                    flow = Counting if kind == "counting" else Writing
                    load = await of_floors(plain, bare, flow, run, count)
                got = await cast(load, home.server.process.pid)
                report.note(f"round {number}, {kind}: {got['per_second']:.0f} votes/s")
                if number:  # the first warms up
                    for name, value in got.items():
                        found.setdefault(kind, {}).setdefault(name, []).append(value)
            if number:
                _tell(report, found)


def _tell(report: Report, found: dict[str, dict[str, list[float]]]) -> None:
    for kind, figures in found.items():
        report.figures[kind] = {name: spread(values) for name, values in figures.items()}
    for ours, floor in (("gate", "counting"), ("gate", "writing"), ("writing", "counting")):
        against = f"{'' if ours == 'gate' else ours + ' '}against {floor}"
        report.put(
            against,
            {
                name: ratios(found[ours][name], found[floor][name])
                for name in ("per_second", "settled_per_second", "p50", "p95", "alone_p50")
            },
        )
