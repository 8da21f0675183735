"""One chaos run, from the first start to the verdict."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from random import Random

from temporalio.client import Client, WorkflowHistory
from temporalio.worker import Replayer

from client.audit_checks import verify_record
from client.audits import record_of
from client.connection import connect
from client.plugin import phasegate_plugin
from tests.chaos.crew import faketime
from tests.chaos.disk import Limited
from tests.chaos.faults import Chaos
from tests.chaos.figures import Run
from tests.chaos.house import House, house
from tests.chaos.oracle import violations
from tests.chaos.play import Life
from tests.chaos.scripts import Script, scripts
from tests.chaos.settling import settled
from tests.chaos.tally import Tally

WORKERS = 3
SETTLE = 180.0
EVERY = 10.0
"""Seconds between two words on how far it is."""


async def run(
    folder: Path,
    *,
    kind: str = "sqlite",
    lifecycles: int = 8,
    kills: int = 8,
    seed: int = 1,
    workers: int = WORKERS,
    at_once: int = 8,
    sample: int = 30,
    patience: float = 90.0,
    look: float = 1.0,
    first: Sequence[str] = (),
    say: Callable[[str], None] = lambda text: None,
) -> Run:
    """Play the lifecycles, `at_once` at a time, while things break; `patience` in seconds.

    Of histories and bundles a `sample` of so many is checked. `first` are faults that come before
    others.
    """
    begun, plan = time.monotonic(), scripts(seed, lifecycles)
    tally = Tally()
    async with house(folder, kind=kind, workers=workers, lives=lifecycles) as home:
        found = Run(seed, kind, lifecycles, workers, tally, home.world)
        if not faketime():
            found.skipped.append("clock jumps: libfaketime is not installed (Debian's faketime)")
        if isinstance(home.store, Limited):
            found.skipped.append(
                "a disk of its own: this is not root; the workers' writing is limited"
            )
        total = sum(len(script.sittings) for script in plan)

        def progress() -> float:
            return min(1.0, (tally.steps + 1) / total)

        chaos = Chaos(home, tally, seed, kills, progress, first)
        async with chaos.reigns():
            telling = asyncio.create_task(_tell(tally, total, begun, say))
            await _play(home, plan, tally, at_once, deadline=begun + patience, look=look)
            telling.cancel()
        found.violations += sorted({f"a fault went wrong: {error!r}" for error in chaos.failed})
        say(f"played: {tally.stuck or 'all ended'}")
        found.starts = sum(slot.starts for slot in home.crew)
        client = await connect(home.direct())
        found.violations += await settled(home, client, 20.0 if tally.stuck else SETTLE)
        say(f"settled: {found.violations or 'all is delivered, and nothing runs'}")
        ledger = home.engines[0].ledger
        found.violations += await asyncio.to_thread(
            lambda: list(violations(plan, tally, home.world, ledger))
        )
        dice = Random(seed)  # noqa: S311
        found.replayed, unlike = await _replayed(client, dice, sample)
        found.violations += unlike
        for script in dice.sample(plan, min(len(plan), max(1, sample // 10))):
            found.violations += await asyncio.to_thread(_audited, home, script)
            found.audited += 1
    found.seconds = time.monotonic() - begun
    return found


async def _play(
    home: House, plan: Sequence[Script], tally: Tally, at_once: int, **how: float
) -> None:
    room = asyncio.Semaphore(at_once)

    async def one(number: int, script: Script) -> None:
        async with room:
            engine = home.engines[number % len(home.engines)]
            await Life(engine, script, home.world, tally, **how).live()

    await asyncio.gather(*(one(number, script) for number, script in enumerate(plan)))


async def _tell(tally: Tally, total: int, begun: float, say: Callable[[str], None]) -> None:
    while True:
        await asyncio.sleep(EVERY)
        faults = sum(tally.faults.values())
        passed = time.monotonic() - begun
        say(f"{passed:.0f} s: {tally.steps} of {total} gates decided, {faults} faults")


async def _replayed(client: Client, dice: Random, sample: int) -> tuple[int, list[str]]:
    """How many runs were replayed, and which of them do not."""
    every = [
        (one.id, one.run_id)
        async for one in client.list_workflows("ExecutionStatus != 'Running'")
        if one.workflow_type
        in ("ProductLifecycle", "GateReview", "Sunset", "Courier", "MailCourier")
    ]
    chosen = dice.sample(every, min(sample, len(every)))
    unlike: list[str] = []
    replayer = Replayer(workflows=[], plugins=[phasegate_plugin()])
    for id, run_id in chosen:
        history: WorkflowHistory = await client.get_workflow_handle(
            id, run_id=run_id
        ).fetch_history()
        result = await replayer.replay_workflow(history, raise_on_replay_failure=False)
        if result.replay_failure:
            unlike.append(f"{id} ({run_id}) does not replay: {result.replay_failure}")
    return len(chosen), unlike


def _audited(home: House, script: Script) -> list[str]:
    found = verify_record(record_of(home.engines[0].ledger, script.key, datetime.now(UTC)))
    return [] if found.ok else [f"{script.key}: its record does not add up: {found.fault}"]
