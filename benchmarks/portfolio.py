"""What grows with the number of open products: one server, one worker, more and more products.

At each size: the worker's memory, what the server and the ledger keep on disk, the inbox of one
approver, the product list and the roadmap beside bare listings, and how soon votes are taken after
the worker was killed.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any

from temporalio.client import Client

from benchmarks.bare import QUEUE
from benchmarks.cli import command
from benchmarks.floors import Counting
from benchmarks.harness import Report, ratios, side_by_side, spread
from benchmarks.installation import Installation, WorkerProcess, cpu_of, installation
from benchmarks.made_up import ME, OPEN, open_products, until_open
from benchmarks.restart import restart
from client.engine import Engine
from client.inbox import inbox
from client.products import listing
from client.roadmaps import Wanted, gather
from client.tuning import CACHED

INBOX_BAR, MEMORY_BAR, RESTART_BAR = 1.0, 1024.0, 2.0
"""Seconds of an inbox and MiB of a worker at 10,000 open products; seconds to the first vote."""

ROADMAP = 480.0
"""Seconds after which the roadmap of everything is not waited for any longer."""

LISTED = "WorkflowType = 'ProductLifecycle' AND ExecutionStatus = 'Running'"


async def listed(engine: Engine, query: str, limit: int | None = None) -> int:
    """The floor of every listing: the rows, as the server gives them."""
    return len([row async for row in engine.client.list_workflows(query, limit=limit)])


async def measure(report: Report) -> None:
    asked = report.asked
    async with installation(asked.folder) as home:
        worker, bare = await home.worker(), await home.bare_worker()
        plain = await Client.connect(home.server.address)
        empty = {
            "worker MiB": round(worker.memory(), 1),
            "bare worker MiB": round(bare.memory(), 1),
            "ledger": home.ledger_bytes(),
        }
        report.put("empty", empty)
        grown = database = 0
        for size in asked.sizes:
            before = home.database_bytes()
            await _grow(report, home, worker, grown, size)
            database += home.database_bytes() - before
            await _floor(plain, grown, size)
            grown = size
            report.put(f"{size} memory", _memory(home, worker, bare, empty, size, database))
            with report.trying(f"{size} reading"):
                await _reading(report, home, size)
            with report.trying(f"{size} roadmap"):
                report.note(f"{size}: roadmap, {ROADMAP:.0f} s at most")
                report.put(f"{size} roadmap", await _roadmap(home.engine, size))
            after = {"worker MiB": round(worker.memory(), 1)}
            report.put(f"{size} memory after reading", after)
            with report.trying(f"{size} restart"):
                report.note(f"{size}: killing the worker")
                report.put(f"{size} restart", await restart(home, worker, size, asked.rounds))


async def _grow(
    report: Report, home: Installation, worker: WorkerProcess, grown: int, size: int
) -> None:
    began, cpu = time.monotonic(), (worker.cpu(), cpu_of(home.server.process.pid))
    more = size - grown

    def told(done: int) -> None:
        if done % max(1, more // 10) == 0:
            report.note(f"{size}: {grown + done} products started")

    await open_products(home.engine, range(grown, size), told)
    await until_open(home.engine, size)
    seconds = time.monotonic() - began
    report.put(
        f"{size} opening",
        {
            "products per second": round(more / seconds, 1),
            "worker CPU seconds each": round((worker.cpu() - cpu[0]) / more, 4),
            "server CPU seconds each": round((cpu_of(home.server.process.pid) - cpu[1]) / more, 4),
        },
    )


async def _floor(client: Client, grown: int, size: int) -> None:
    """Two bare workflows for each product: it has itself and its gate."""
    room = asyncio.Semaphore(50)

    async def one(number: int) -> None:
        async with room:
            await client.start_workflow(Counting.run, 1, id=f"bare-{number}", task_queue=QUEUE)

    await asyncio.gather(*(one(number) for number in range(2 * grown, min(2 * size, 2 * CACHED))))
    await asyncio.sleep(2)


def _memory(
    home: Installation,
    worker: WorkerProcess,
    bare: WorkerProcess,
    empty: dict[str, float],
    size: int,
    database: int,
) -> dict[str, Any]:
    """`database` is what the server's took for the products alone."""
    cached, ours, floor = min(2 * size, CACHED), worker.memory(), bare.memory()
    above = (ours - empty["worker MiB"], floor - empty["bare worker MiB"])
    return {
        "worker MiB": round(ours, 1),
        "bare worker MiB": round(floor, 1),
        "cached workflows": cached,
        "KiB per cached workflow": round(above[0] * 1024 / cached, 1),
        "KiB per bare cached workflow": round(above[1] * 1024 / cached, 1),
        "ratio": round(ours / floor, 2),
        "server's bytes per product": database // size,
        "ledger's bytes per product": (home.ledger_bytes() - empty["ledger"]) // size,
    }


async def _reading(report: Report, home: Installation, size: int) -> None:
    engine, rounds = home.engine, report.asked.rounds
    mine = f"{OPEN} AND PhasegateWaitingOn IN ('person:{ME}')"

    async def page() -> None:
        assert [row async for row in listing(engine, limit=100)]

    async def everything() -> None:
        assert [row async for row in listing(engine, limit=None)]

    ways = {
        "inbox": lambda: inbox(engine, ME),
        "inbox floor": lambda: listed(engine, mine),
        "phasegate inbox": command("phasegate", "inbox", "--as", ME),
        "list of 100": page,
        "list of 100 floor": lambda: listed(engine, LISTED, 100),
        "list of all": everything,
        "list of all floor": lambda: listed(engine, LISTED),
    }
    report.note(f"{size}: inbox and list")
    taken = await side_by_side(rounds, ways)
    found: dict[str, Any] = {name: spread(seconds) for name, seconds in taken.items()}
    for name in ("inbox", "list of 100", "list of all"):
        found[f"{name}, ratio"] = ratios(taken[name], taken[f"{name} floor"])
    found["phasegate inbox, ratio"] = ratios(taken["phasegate inbox"], taken["inbox floor"])
    found["inbox rows"] = len(await inbox(engine, ME))
    report.put(f"{size} reading", found)


async def _roadmap(engine: Engine, size: int) -> dict[str, Any]:
    """Once: it asks every product itself, and takes as long as all of them take."""
    from datetime import UTC, datetime  # noqa: PLC0415

    done, began = 0, time.perf_counter()

    def progress(read: int, total: int) -> None:
        nonlocal done
        done = read

    try:
        async with asyncio.timeout(ROADMAP):
            await gather(engine, Wanted(), datetime.now(UTC), progress)
    except TimeoutError:
        pass
    seconds = time.perf_counter() - began
    return {
        "products read": done,
        "whole": done == size,
        "seconds": round(seconds, 2),
        "products per second": round(done / seconds, 1),
    }
