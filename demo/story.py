"""The demo: two real products from inception to their end, on a real server, in about a minute."""

from __future__ import annotations

import asyncio
import shlex
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from client import gates
from demo.cast import PLAYS
from demo.checks import left_open, problems, verify
from demo.chronicle import EVERY
from demo.house import House, open_house
from demo.inputs import Inputs, prepare
from demo.play import Play
from demo.screen import Screen
from demo.stage import Stage, StoryError
from phasegate.errors import PhasegateError
from phasegate.sunset import ArchiveTask

LONGEST = 120.0
"""Seconds the plays may take; they take about 50."""

LEAD = timedelta(seconds=0.5)
"""From writing the files to the first scene."""

INTERRUPTED = 130

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


async def main(keep: bool = False) -> int:
    """Play both products; 0 if everything ended as it should, 130 when interrupted.

    With `keep`, server and worker stay up until Ctrl-C. Raises EngineError when they do not start.
    """
    screen = Screen()
    folder = Path(tempfile.mkdtemp(prefix="phasegate-demo-"))
    code = 1
    try:
        with interruptible() as interrupt:
            try:
                screen.say("Starting the embedded Temporal server and a worker …")
                async with open_house(folder) as house:
                    code = await perform(house, folder, screen)
                    if keep:
                        how_to_explore(house, screen)
                        await interrupt.awaited()
                        screen.say("Stopping …")
            except asyncio.CancelledError:
                if not interrupt.happened:
                    raise
                code = INTERRUPTED
                screen.say("Interrupted: server and worker are stopped.")
    finally:
        if code == 1 or keep:
            screen.say(f"Data, input files and logs stay in {folder}")
            screen.say(f"    phasegate dev --data-dir {folder}  (opens them again)")
        else:
            shutil.rmtree(folder, ignore_errors=True)
    return code


async def perform(house: House, folder: Path, screen: Screen) -> int:
    """The plays, the table, the checks; the exit code."""
    began = datetime.now(UTC)
    screen.say(f"Temporal UI: {house.ui_url}")
    screen.footer(f"Temporal UI: {house.ui_url}")
    screen.say(
        "Releases, people and roles are real; the votes, their days and words, are made up.\n",
        "dim",
    )
    curtain = began + LEAD
    stages = []
    for play in PLAYS:
        inputs = prepare(play.staging, curtain, folder / "inputs")
        screen.follow(inputs)
        stages.append(Stage(house.engine, inputs, partial(screen.tell, inputs)))
        put_sources(inputs, folder / "archive-source")
    with screen.live():
        wrong = await run(house, stages)
    rounds = [
        (stage.inputs, view)
        for stage in stages
        for view in gates.closed_rounds(house.engine, stage.key)
    ]
    screen.say("")
    screen.gates(rounds)
    for play, stage in zip(PLAYS, stages, strict=True):
        said, broken = verify(house.engine, stage.key)
        screen.say(said)
        wrong += broken
        if house.up:
            wrong += await problems(house.engine, play, stage)
    if not wrong:
        wrong = await left_open(house.engine)
    took = (datetime.now(UTC) - began).total_seconds()
    for text in wrong:
        screen.say(f"did not end as it should: {text}", "bold red")
    if not wrong:
        screen.say(f"Everything ended as it should, in {took:.0f} s.", "bold green")
    return 1 if wrong else 0


async def run(house: House, stages: list[Stage]) -> list[str]:
    """Play all products at the same time; what went wrong."""
    acting = [
        asyncio.create_task(act(play, stage)) for play, stage in zip(PLAYS, stages, strict=True)
    ]
    everything = asyncio.create_task(all_of(acting))
    broken = asyncio.create_task(house.broken())
    following = [asyncio.create_task(stage.chronicle.follow()) for stage in stages]
    ends: set[asyncio.Task[None]] = {everything, broken, *following}
    try:
        done, _ = await asyncio.wait(ends, timeout=LONGEST, return_when=asyncio.FIRST_COMPLETED)
        wrong = [task.result() for task in acting if task.done() and task.result()]
        wrong += [str(task.exception()) for task in done if task.exception()]
        wrong += [
            f"{stage.inputs.product.name}: stopped while it waited for {stage.chronicle.waiting}"
            for stage, task in zip(stages, acting, strict=True)
            if not task.done()
        ]
        if not done:
            wrong.insert(0, f"the plays were not over after {LONGEST:.0f} s")
        await asyncio.sleep(3 * EVERY)  # the last events reach the screen
        return wrong
    finally:
        for task in (*acting, *ends):
            task.cancel()
        await asyncio.gather(*acting, *ends, return_exceptions=True)


async def all_of(tasks: list[asyncio.Task[str]]) -> None:
    await asyncio.wait(tasks)


def put_sources(inputs: Inputs, root: Path) -> None:
    """Something for the sunset to archive, in place of a source release."""
    for task in inputs.policy.sunset.tasks if inputs.policy.sunset else ():
        if isinstance(task, ArchiveTask):
            source = root / task.source.replace("{product}", inputs.product.key)
            source.mkdir(parents=True, exist_ok=True)
            stand_in = f"Stands in for the last source release of {inputs.product.name}.\n"
            (source / "README.txt").write_text(stand_in, encoding="utf-8")


async def act(play: Play, stage: Stage) -> str:
    """One product's play; what went wrong, or nothing."""
    try:
        await play.script(stage)
    except (PhasegateError, StoryError) as error:
        return f"{stage.inputs.product.name}: {error}"
    return ""


def how_to_explore(house: House, screen: Screen) -> None:
    screen.say(f"\nServer and worker stay up. Temporal UI: {house.ui_url}", "bold")
    screen.say("In another shell:")
    for name, value in house.exports.items():
        screen.say(f"    export {name}={shlex.quote(value)}")
    screen.say("    phasegate product list --all")
    screen.say("    phasegate gate show python-3-8/feature-freeze --round 1")
    screen.say("Ctrl-C stops both.")


class Interrupt:
    """Ctrl-C, or a polite kill: ends the task, or the wait for it. Only the first one counts, so
    that an impatient second one does not leave processes behind."""

    def __init__(self, task: asyncio.Task[object]) -> None:
        self.happened = False
        self._task = task
        self._wait: asyncio.Event | None = None

    def __call__(self) -> None:
        if self._wait:
            self._wait.set()
        elif not self.happened:
            self.happened = True
            self._task.cancel()

    async def awaited(self) -> None:
        """Wait for it; from now on it interrupts nothing else."""
        self._wait = asyncio.Event()
        await self._wait.wait()


@contextmanager
def interruptible() -> Iterator[Interrupt]:
    """Let signals stop the current task cleanly until the block ends."""
    task = asyncio.current_task()
    assert task is not None
    interrupt, loop = Interrupt(task), asyncio.get_running_loop()
    for name in SIGNALS:
        loop.add_signal_handler(name, interrupt)
    try:
        yield interrupt
    finally:
        for name in SIGNALS:
            loop.remove_signal_handler(name)
