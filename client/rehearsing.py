"""Rehearsing a policy: plays side by side on one time-skipping server, by the real worker."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from temporalio.client import Client

from client.engine import Engine
from client.rehearsing_player import Announced, Players
from client.rehearsing_server import skip_again, skipping, skipping_server
from client.rehearsing_turns import Turns
from client.settings import Settings
from ledger import Ledger
from phasegate.base import digest_of
from phasegate.directory import Directory
from phasegate.errors import EngineError, PhasegateError
from phasegate.policy import Policy
from phasegate.product import Product
from phasegate.rehearsal import Script
from phasegate.rehearsal_cast import Cast
from phasegate.rehearsal_play import Play
from phasegate.rehearsal_policy import by_people, on_leave, reported, with_owner, without
from phasegate.rehearsal_record import life
from phasegate.rehearsal_sums import absences, summed
from phasegate.rehearsal_view import Rehearsal, RunRehearsed

LOST = 3.0
"""Seconds without a turn after which time is let go, where a query was lost."""

HUNG = 60.0
"""Seconds without a turn after which a rehearsal is given up; a turn takes milliseconds."""

StartWorker = Callable[[Client, Settings], AbstractAsyncContextManager[object]]
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Rehearsing:
    """What is to be rehearsed. `absent` are the people who are left out, each in a play alone."""

    policy: Policy
    product: Product
    directory: Directory
    script: Script
    seed: int
    runs: int
    start: datetime
    until: datetime
    to_launch: bool = False
    absent: tuple[str, ...] = ()
    absent_until: datetime | None = None
    """How far they are left out; as far as all if unset."""
    people: str = ""


@dataclass
class _Pulse:
    """When anybody last had a turn, and whether the server has lost a query since."""

    at: float = field(default_factory=time.monotonic)
    lost: int = 0

    def beat(self) -> None:
        self.at = time.monotonic()

    def lose(self) -> None:
        self.lost += 1


async def rehearse(
    what: Rehearsing, folder: Path, start_worker: StartWorker, progress: Progress
) -> Rehearsal:
    """Play it, with the ledger and the server's log in `folder`. `start_worker` is the worker of
    the installation, for the client and the settings that it is given.

    Raises EngineError where there is no test server, a play fails, or nothing goes on.
    """
    told, pulse = Announced(), _Pulse()
    async with skipping_server(folder / "server.log", [told]) as client:
        settings = Settings.load()
        engine = Engine(client, Ledger(settings.ledger_url), settings)
        try:
            every = _plays(what, engine, pulse)
            turns = {turn.key: turn for turn in every}

            async def take(key: str, now: datetime) -> datetime | None:
                try:
                    return await turns[key].take(now)
                finally:
                    pulse.beat()
                    progress(sum(turn.play.ended for turn in every), len(every))

            told.players = players = Players(take)
            async with start_worker(client, settings), players.worker(client):
                await _until_over(what, client, players, every, pulse)
            return _found(what, engine, every)
        finally:
            engine.ledger.close()


def _plays(what: Rehearsing, engine: Engine, pulse: _Pulse) -> list[Turns]:
    policy, product = by_people(what.policy), reported(what.product)
    directory = with_owner(on_leave(what.directory, what.script), product.owner)
    found = []

    def add(key: str, number: int, people: Directory, absent: str = "") -> None:
        mine = product.model_copy(update={"key": key, "policy": policy.policy})
        # Who is left out is left out of the first run: the others have the same luck as there.
        cast = Cast(what.script, people, what.seed, 1 if absent else number)
        until = (what.absent_until if absent else None) or what.until
        play = Play(number, policy, mine, cast, until, absent, to_launch=what.to_launch)
        found.append(Turns(engine, play, people, pulse.lose))

    for number in range(1, what.runs + 1):
        add(f"{product.key[:50]}-{number}", number, directory)
    for number, person in enumerate(what.absent, start=1):
        left = without(directory, person, what.start, what.absent_until or what.until)
        named = left.model_copy(update={"directory": f"without-{number}"})
        add(f"{product.key[:50]}-without-{number}", what.runs + number, named, person)
    return found


async def _until_over(
    what: Rehearsing, client: Client, players: Players, every: Sequence[Turns], pulse: _Pulse
) -> None:
    async def play(turn: Turns) -> None:
        try:
            await players.play(turn.key, what.start)
        except PhasegateError as error:
            raise EngineError(
                f"{_named(turn.play)} failed",
                f"with seed {what.seed}: {error.what}: {error.why}",
                f"phasegate simulate {what.policy.policy} --seed {what.seed} --runs 1",
            ) from error

    pulse.beat()
    async with skipping(client):
        playing = asyncio.gather(*(play(turn) for turn in every))
        try:
            while not playing.done():
                await asyncio.wait([playing], timeout=0.5)
                still = time.monotonic() - pulse.at
                if pulse.lost and still > LOST:
                    # The server waits for the answer to a query that it has lost (tried).
                    pulse.lost -= 1
                    pulse.beat()
                    await skip_again(client)
                elif still > HUNG:
                    left = [turn.play for turn in every if not turn.play.ended]
                    raise EngineError(
                        f"the rehearsal hangs: {_named(left[0])} and {len(left) - 1} more"
                        if len(left) > 1
                        else f"the rehearsal hangs: {_named(left[0])}",
                        f"with seed {what.seed}, nothing has happened for {HUNG:.0f} s",
                        f"phasegate simulate {what.policy.policy} --seed {what.seed} --runs 1",
                    )
            await playing
        finally:
            playing.cancel()


def _named(play: Play) -> str:
    return f"the play without {play.absent}" if play.absent else f"run {play.number}"


def _found(what: Rehearsing, engine: Engine, every: Sequence[Turns]) -> Rehearsal:
    lives: list[RunRehearsed] = []
    for turn in every:
        play = turn.play
        lives.append(
            life(
                what.policy,
                turn.key,
                [entry.announcement for entry in engine.ledger.events(turn.key)],
                number=play.number,
                seed=what.seed,
                until=play.until,
                absent=play.absent,
                stuck=play.stuck,
            )
        )
    head = Rehearsal(
        policy=what.policy.policy,
        policy_title=what.policy.title,
        policy_version=what.policy.version,
        policy_digest=digest_of(what.policy),
        product=what.product.key,
        product_name=what.product.name,
        tier=what.product.tier,
        directory=what.directory.directory,
        people=what.people,
        seed=what.seed,
        runs=what.runs,
        start=what.start,
        until=what.until,
    )
    found = summed(head, what.policy, [run for run in lives if not run.absent])
    alone = [run for run in lives if run.absent]
    found.absences = absences(alone, found.lives[0], what.directory)
    return found
