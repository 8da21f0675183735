"""`phasegate simulate`: a policy rehearsed on the time-skipping server."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from commands.options import Output

if TYPE_CHECKING:
    from datetime import datetime

    from client.rehearsing import Rehearsing
    from phasegate.rehearsal_view import Rehearsal

MANY = 20
"""Runs where the script leaves something to luck, unless told otherwise."""

LONGEST = "10 years"
FURTHEST = 500
"""Years from now; more of them only cost time, and calendars end in the year 9999."""

LEFT_OUT = "3 years"
"""How far people are left out where that was not asked for: two yearly reviews after a launch."""


def simulate(
    policy: Annotated[str, Parameter(help="A policy's NAME (shipped or published), or a FILE")],
    /,
    *,
    product: Annotated[
        str | None, Parameter(help="A product's definition (YAML); one is made up if unset")
    ] = None,
    directory: Annotated[
        str | None,
        Parameter(help="A directory, NAME or FILE; two people for each group are made up if unset"),
    ] = None,
    people: Annotated[
        str | None,
        Parameter(help="Who is slow, away or against (YAML); if unset, all say go in time"),
    ] = None,
    runs: Annotated[
        int | None, Parameter(help="How many; unset: 20 where the people file leaves luck, else 1")
    ] = None,
    seed: Annotated[int, Parameter(help="The same seed, the same luck")] = 1,
    start: Annotated[
        str | None, Parameter(help="The day it starts, to come; tomorrow if unset")
    ] = None,
    until: Annotated[
        str | None,
        Parameter(
            help="How far: 10y, '18 months', a day, or launch; unset: 10y for one run, else launch"
        ),
    ] = None,
    absent_each: Annotated[
        bool | None,
        Parameter(
            help="Also without each person in turn; unset: for three years, where a directory is "
            "given and the policy is played once"
        ),
    ] = None,
    html: Annotated[str | None, Parameter(help="One page of HTML that needs nothing else")] = None,
    output: Output = "table",
) -> None:
    """Rehearse a policy: the real workflows, with years passing in seconds.

    Says when each gate would decide, which clocks fire, whom it waits for and where it gets stuck.
    Nothing leaves this machine: checks and acts are done by the people of the play. Needs the
    extra `simulate`.
    """
    from client.usage import UsageError
    from commands.output import emit, note

    if runs is not None and not 1 <= runs <= 10_000:
        raise UsageError(f"--runs {runs} cannot be used", "needs 1 to 10000", "--runs 100")
    what = _plan(policy, product, directory, people, runs, seed, start, until, absent_each)
    found = _rehearsed(what)
    if html:
        _write_html(found, html, what.given)
        note(f"wrote {html}")
    from commands.simulate_tables import rehearsal_blocks

    emit(found, lambda: rehearsal_blocks(found), output)


def _write_html(found: Rehearsal, file: str, given: str) -> None:
    from pathlib import Path

    from client.pictures.rehearsal import rehearsal_html
    from client.usage import UsageError

    try:
        Path(file).write_text(rehearsal_html(found), encoding="utf-8")
    except OSError as error:
        raise UsageError(
            f"--html {file} cannot be written",
            error.strerror or str(error),
            f"phasegate simulate {given} --html {found.policy}.html",
        ) from error


def _plan(
    policy: str,
    product: str | None,
    directory: str | None,
    people: str | None,
    runs: int | None,
    seed: int,
    start: str | None,
    until: str | None,
    absent_each: bool | None,
) -> Rehearsing:
    """Everything read and checked. Raises UsageError and DocumentError."""
    from client.documents import (
        check_directory,
        check_policy,
        check_start,
        find_directory,
        find_policy,
        find_product,
        read_text,
        refuse,
    )
    from client.rehearsing import Rehearsing
    from client.settings import Settings
    from client.usage import UsageError
    from ledger import Ledger
    from phasegate.problems import DocumentError
    from phasegate.reading import parse
    from phasegate.rehearsal import Script
    from phasegate.rehearsal_policy import askable, made_up, made_up_people
    from phasegate.rehearsal_unknown import unknown

    ledger = Ledger(Settings.load().ledger_url)
    try:
        rules = find_policy(policy, ledger)
        refuse(check_policy(rules))
        known = find_directory(directory, ledger) if directory else None
        if known:
            refuse(check_directory(known))
        group = known.model if known else made_up_people(rules.model)
        if known:
            refuse(check_policy(rules, group))
        defined = find_product(product) if product else None
        if defined and known:
            check_start(defined, rules, known)
    finally:
        ledger.close()
    mine = defined.model if defined else made_up(rules.model, group)
    script = parse(Script, read_text(people), people) if people else None
    if script and (flaws := unknown(script.model, rules.model, mine, group)):
        raise DocumentError(tuple(script.problem(path, message) for path, message in flaws))
    played = script.model if script else Script()
    times = runs or (MANY if played.is_random else 1)
    begin = _begin(start)
    to_launch = until == "launch" or (until is None and times > 1)
    in_market = any(phase.in_market for phase in rules.model.phases)
    if until == "launch" and not in_market:
        why = "no phase of the policy is in the market (in_market: true)"
        raise UsageError("--until launch cannot be used", why, f"--until '{LONGEST}'")
    each = absent_each if absent_each is not None else bool(known) and times == 1
    end = _until(LONGEST if until in (None, "launch") else str(until), begin)
    return Rehearsing(
        policy=rules.model,
        product=mine,
        directory=group,
        script=played,
        seed=seed,
        runs=times,
        start=begin,
        until=end,
        to_launch=to_launch and in_market,
        absent=tuple(askable(rules.model, mine, group)) if each else (),
        absent_until=None if absent_each else min(end, _until(LEFT_OUT, begin)),
        people=people or "",
        named=policy,
    )


def _begin(start: str | None) -> datetime:
    from datetime import UTC, datetime, time, timedelta

    from client.usage import UsageError
    from commands.times import instant_of

    now = datetime.now(UTC)
    if start is None:
        return datetime.combine(now.date() + timedelta(days=1), time(9), UTC)
    at = instant_of(start, "--start", day="starts").replace(second=0, microsecond=0)
    if at <= now:
        raise UsageError(
            f"--start {start} cannot be used",
            "it has begun: the server's time goes forward only, from now",
            f"--start {now.date() + timedelta(days=1)}",
        )
    return at


def _until(text: str, begin: datetime) -> datetime:
    from datetime import UTC, datetime, timedelta

    from client.usage import UsageError
    from commands.times import instant_of

    words = {"y": "years", "m": "months", "w": "weeks", "d": "days"}
    if short := re.fullmatch(r"(\d+) ?([ymwd])", text.strip()):
        text = f"{short[1]} {words[short[2]]}"
    until = instant_of(text, "--until", now=begin)
    if until <= begin:
        raise UsageError(
            f"--until {text} cannot be used", "it is before the start", f"--until '{LONGEST}'"
        )
    if until - datetime.now(UTC) > timedelta(days=366 * FURTHEST):
        why = f"it is more than {FURTHEST} years from now"
        raise UsageError(f"--until {text} cannot be used", why, f"--until '{FURTHEST} years'")
    return until.replace(second=0, microsecond=0)


def _rehearsed(what: Rehearsing) -> Rehearsal:
    """Played in a folder of its own, with none of this installation's settings.

    An event loop that is still importing heeds no Ctrl-C: it is started when all is there.
    """
    import asyncio
    import logging
    import signal
    from collections.abc import AsyncIterator
    from contextlib import asynccontextmanager
    from pathlib import Path
    from tempfile import TemporaryDirectory

    from temporalio.client import Client

    from client.logs import configure_logs
    from client.rehearsing import rehearse
    from client.rehearsing_player import LABEL
    from client.settings import Settings
    from commands.progress import working
    from demo.house import surroundings
    from integrations import Integrations
    from phasegate.errors import EngineError
    from worker import WorkerOptions, build_worker

    @asynccontextmanager
    async def worker(client: Client, settings: Settings) -> AsyncIterator[object]:
        options = WorkerOptions(build=None, label=LABEL, metrics=None, health=None)
        async with build_worker(
            client, settings, integrations=Integrations(), options=options
        ) as running:
            yield running

    async def played(name: str) -> Rehearsal:
        folder = Path(name)
        with (
            (folder / "worker.log").open("w") as log,
            surroundings({"PHASEGATE_DATA_DIR": name}, folder / "temporal.toml"),
        ):
            configure_logs(json=False, level="ERROR", to=log)
            playing, asked = asyncio.current_task(), asyncio.Event()
            assert playing is not None

            def end() -> None:
                asked.set()
                playing.cancel()

            # The server is in a session of its own: whoever ends us must not leave it behind.
            for ended in (signal.SIGTERM, signal.SIGHUP):  # SIGHUP: the terminal is gone
                asyncio.get_running_loop().add_signal_handler(ended, end)
            try:
                with working("rehearsing") as progress:
                    return await rehearse(what, folder, worker, progress)
            except asyncio.CancelledError:
                if not asked.is_set():
                    raise  # Ctrl-C
                raise EngineError(
                    "the rehearsal was broken off",
                    "it was asked to end",
                    f"phasegate simulate {what.given}",
                ) from None
            finally:
                logging.getLogger().handlers[:] = []

    with TemporaryDirectory(prefix="phasegate-simulate-") as folder:
        return asyncio.run(played(folder))
