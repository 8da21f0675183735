"""Made-up products at their first gate: as many as are asked for, always the same.

Twenty teams, each with a directory of its own. One approver, ME, is in the first team, which has
the first forty products: however many others there are, as much waits on ME.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

from client import products
from client.engine import Engine
from phasegate.reading import read_directory, read_policy, read_product

ME, MINE, TEAMS, AT_ONCE = "ines", 40, 20, 24
GATE = "launch"

POLICY = """
policy: bench
version: "1"
title: Build and sell
phases:
  - id: build
    title: Build
    gate: {id: launch, title: Launch, requires: [{group: product}, {group: eng, need: 2}]}
  - id: market
    title: Market
    in_market: true
    gate: {id: retire, title: Retire, opens: submit, requires: [{group: product}]}
sunset:
  tasks: [{id: note, title: Public notice, kind: notice}]
"""
DIRECTORY = """
directory: team-%(team)s
people: {olga: {}, %(me)s: {}, bo%(team)s: {}, cy%(team)s: {}, dan%(team)s: {}}
groups:
  product: {members: [%(me)s]}
  eng: {members: [bo%(team)s, cy%(team)s, dan%(team)s]}
"""
OPEN = "WorkflowType = 'GateReview' AND ExecutionStatus = 'Running' AND PhasegateStatus = 'open'"


def key_of(number: int) -> str:
    return f"p{number:05}"


def team_of(number: int) -> int:
    return 0 if number < MINE else 1 + number % (TEAMS - 1)


def engineers(number: int) -> tuple[str, str, str]:
    """Who votes at a product's gate beside the product lead; two of them are enough."""
    team = team_of(number)
    return f"bo{team}", f"cy{team}", f"dan{team}"


async def open_products(
    engine: Engine, numbers: Iterable[int], told: Callable[[int], None]
) -> None:
    """Start these products; their workers bring them to their gates."""
    room, policy, done = asyncio.Semaphore(AT_ONCE), read_policy(POLICY, "policy"), 0

    async def one(number: int) -> None:
        nonlocal done
        team, key = team_of(number), key_of(number)
        words = {"team": team, "me": ME if team == 0 else f"ana{team}"}
        text = f"key: {key}\nname: Product {number}\nowner: olga\ntier: 2\n"
        async with room:
            await products.start(
                engine,
                read_product(text, "product"),
                policy,
                read_directory(DIRECTORY % words, "directory"),
            )
            done += 1
            told(done)

    async with asyncio.TaskGroup() as group:
        for number in numbers:
            group.create_task(one(number))


async def until_open(engine: Engine, gates: int, patience: float = 1500) -> None:
    """Wait until so many gates are shown as open, and their openings are in the record."""
    async with asyncio.timeout(patience):
        while _told(engine) < gates or (await engine.client.count_workflows(OPEN)).count < gates:
            await asyncio.sleep(0.5)  # only asking shows it


def _told(engine: Engine) -> int:
    with engine.ledger.database.reading() as connection:
        text = "SELECT count(*) FROM events WHERE type = 'gate.opened'"
        return int(connection.exec_driver_sql(text).scalar_one())
