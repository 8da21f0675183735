"""Rehearsing a policy: plays side by side on one time-skipping server, by the real worker."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from temporalio.client import Client

from client.engine import Engine
from client.rehearsing_player import Announced, Players
from client.rehearsing_pulse import HUNG, Pulse
from client.rehearsing_server import let_go, skipping, skipping_server
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
from phasegate.rehearsal_record import kinds, life
from phasegate.rehearsal_sums import absences, summed, unreached
from phasegate.rehearsal_view import Rehearsal, RunRehearsed

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
    named: str = ""
    """The policy as it was asked for: a name or a file."""

    @property
    def given(self) -> str:
        """What a command takes for the policy."""
        return self.named or self.policy.policy


async def rehearse(
    what: Rehearsing, folder: Path, start_worker: StartWorker, progress: Progress
) -> Rehearsal:
    """Play it, with the ledger and the server's log in `folder`. `start_worker` is the worker of
    the installation, for the client and the settings that it is given.

    Raises EngineError where there is no test server, a play fails, or nothing goes on.
    """
    pulse = Pulse()
    told = Announced(pulse)
    async with skipping_server(folder / "server.log", [told]) as client:
        settings = Settings.load()
        engine = Engine(client, Ledger(settings.ledger_url), settings)
        try:
            every = _plays(what, engine, pulse)
            turns = {turn.key: turn for turn in every}

            async def take(key: str, now: datetime) -> datetime | None:
                if now < what.start:  # a player that sleeps for years wakes in between
                    return what.start
                with pulse.work():
                    try:
                        return await turns[key].take(now)
                    finally:
                        progress(sum(turn.play.ended for turn in every), len(every))

            told.players = players = Players(take)
            async with start_worker(client, settings), players.worker(client):
                await _until_over(what, client, players, every, pulse)
            return _found(what, engine, every)
        finally:
            engine.ledger.close()


def _plays(what: Rehearsing, engine: Engine, pulse: Pulse) -> list[Turns]:
    policy, product = by_people(what.policy), reported(what.product)
    directory = with_owner(on_leave(what.directory, what.script), product.owner)
    found = []

    def add(key: str, number: int, people: Directory, absent: str = "") -> None:
        mine = product.model_copy(update={"key": key, "policy": policy.policy})
        # Who is left out is left out of the first run: the others have the same luck as there.
        cast = Cast(what.script, people, what.seed, 1 if absent else number)
        until = (what.absent_until if absent else None) or what.until
        play = Play(number, policy, mine, cast, until, absent, to_launch=what.to_launch)
        found.append(Turns(engine, play, people, pulse))

    for number in range(1, what.runs + 1):
        add(f"{product.key[:50]}-{number}", number, directory)
    for number, person in enumerate(what.absent, start=1):
        left = without(directory, person, what.start, what.absent_until or what.until)
        named = left.model_copy(update={"directory": f"without-{number}"})
        add(f"{product.key[:50]}-without-{number}", what.runs + number, named, person)
    return found


async def _until_over(
    what: Rehearsing, client: Client, players: Players, every: Sequence[Turns], pulse: Pulse
) -> None:
    async def play(turn: Turns) -> None:
        try:
            await players.play(turn.key, what.start)
        except PhasegateError as error:
            raise EngineError(
                f"{_named(turn.play)} failed",
                f"with seed {what.seed}: {error.what}: {error.why}",
                f"phasegate simulate {what.given} --seed {what.seed} --runs 1",
            ) from error

    async def watch() -> None:
        while True:
            await pulse.next()
            if pulse.still >= HUNG:
                left = [turn.play for turn in every if not turn.play.ended]
                more = f" and {len(left) - 1} more" if len(left) > 1 else ""
                raise EngineError(
                    f"the rehearsal hangs: {_named(left[0])}{more}",
                    f"with seed {what.seed}, nothing has happened for {HUNG} s",
                    f"phasegate simulate {what.given} --seed {what.seed} --runs 1",
                )
            if pulse.held:
                await let_go(client, lambda: pulse.still > 0)

    async with skipping(client):
        playing = [asyncio.ensure_future(play(turn)) for turn in every]
        aside = [
            asyncio.ensure_future(watch()),
            asyncio.ensure_future(pulse.beating(players.ping)),
        ]
        try:
            left: set[asyncio.Future[None]] = set(playing)
            while left:
                done, _ = await asyncio.wait([*left, *aside], return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
                left -= done
        finally:
            for task in (*playing, *aside):
                task.cancel()
            await asyncio.gather(*playing, *aside, return_exceptions=True)


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
        to_launch=what.to_launch,
    )
    found = summed(head, what.policy, [run for run in lives if not run.absent])
    alone = [run for run in lives if run.absent]
    found.absences = absences(alone, found.lives[0], what.directory)
    if alone:
        found.absent_until = what.absent_until or what.until
        found.absent_unreached = unreached(kinds(what.policy), alone)
    return found
