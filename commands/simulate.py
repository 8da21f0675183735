"""`phasegate simulate`: a policy rehearsed on the time-skipping server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from commands.options import Output, Whole

if TYPE_CHECKING:
    from client.rehearsing import Rehearsing
    from phasegate.rehearsal_view import Rehearsal


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
        Whole | None,
        Parameter(help="How many; unset: 20 where the people file leaves luck, else 1"),
    ] = None,
    seed: Annotated[Whole, Parameter(help="The same seed, the same luck")] = 1,
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
    from commands.simulate_plan import plan
    from phasegate.errors import PhasegateError

    if runs is not None and not 1 <= runs <= 10_000:
        raise UsageError(f"--runs {runs} cannot be used", "needs 1 to 10000", "--runs 100")
    what = plan(policy, product, directory, people, runs, seed, start, until, absent_each)
    instead = f"phasegate simulate {what.given} --html {what.policy.policy}.html"
    if html is not None and (why := _unwritable(html)):
        raise UsageError(f"--html {html} cannot be written", why, instead)
    found = _rehearsed(what)
    failed = None
    if html is not None:  # before the table: its reader may leave (`| head`)
        try:
            _write_html(found, html)
        except OSError as error:
            failed = error
        else:
            note(f"wrote {html}")
    from commands.simulate_tables import rehearsal_blocks

    emit(found, lambda: rehearsal_blocks(found), output)
    if failed:
        why = failed.strerror or str(failed)
        raise PhasegateError(f"--html {html} could not be written", why, instead) from failed


def _unwritable(file: str) -> str:
    """Why nothing can be written there, as far as it shows before a play that takes minutes."""
    import os
    from pathlib import Path
    from stat import S_ISDIR

    asked = Path(file)
    try:
        if S_ISDIR(asked.stat().st_mode):
            return "it is a folder"
    except (FileNotFoundError, NotADirectoryError):
        asked = asked.parent
        if not asked.is_dir():
            return f"there is no folder {asked}"
    except OSError as error:
        return error.strerror or str(error)
    return "" if os.access(asked, os.W_OK) else "no permission to write there"


def _write_html(found: Rehearsal, file: str) -> None:
    from pathlib import Path

    from client.pictures.rehearsal import rehearsal_html

    Path(file).write_text(rehearsal_html(found), encoding="utf-8")


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
    from integrations.document import Integrations
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
