"""`phasegate dev`: the embedded server and a worker, together."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from commands.options import Whole

if TYPE_CHECKING:
    from client.dev_server import DevServer
    from client.settings import Settings


async def dev(
    *,
    data_dir: Annotated[
        str | None, Parameter(help="Where state and logs are kept; PHASEGATE_DATA_DIR if unset")
    ] = None,
    port: Annotated[Whole, Parameter(help="Of the Temporal server")] = 7233,
    ui_port: Annotated[Whole, Parameter(help="Of the Temporal UI")] = 8233,
    worker: Annotated[bool, Parameter(negative="--no-worker", help="Run a worker, too")] = True,
    output: Annotated[
        Literal["table", "json"], Parameter(name=("--output", "-o"), help="How to say where it is")
    ] = "table",
) -> None:
    """Run an embedded Temporal server with its UI, and a worker, until Ctrl-C or SIGTERM.

    State stays in the data folder and is there again after a restart. The worker is stopped
    first, then the server; the exit code is then 0. Not for production.
    """
    import os
    import signal

    from client.dev_lock import locked
    from client.dev_server import dev_server
    from client.settings import Settings

    if data_dir:
        os.environ["PHASEGATE_DATA_DIR"] = data_dir
    os.environ["PHASEGATE_UI_URL"] = f"http://localhost:{ui_port}"
    settings = Settings.load()
    folder = settings.data_dir
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop.set)
    with locked(folder) as lock:
        async with (
            _ui_options(ui_port) as options,
            dev_server(
                database=folder / "temporal.db",
                port=port,
                ui_port=ui_port,
                log=folder / "server.log",
                options=options,
                lock=lock,
            ) as server,
        ):
            announce = _announcement(server, settings, worker=worker, form=output)
            await _serve(server, settings, stop, announce, worker=worker)
            print("stopped; the state stays in", folder, file=sys.stderr)


@asynccontextmanager
async def _ui_options(ui_port: int) -> AsyncIterator[tuple[str, ...]]:
    """In confidential mode the UI is told who decrypts for it."""
    from client.keyring import load_keyring

    ring = load_keyring()
    if ring is None:
        yield ()
        return
    try:
        from serving.codec_beside import codec_beside
    except ModuleNotFoundError as error:
        if error.name not in ("starlette", "uvicorn"):
            raise
        shown = "note: the UI shows what is encrypted as it is; pip install 'phasegate[web]'"
        print(shown, file=sys.stderr)
        yield ()
        return
    async with codec_beside(ring, ui_port) as address:
        yield ("--ui-codec-endpoint", address)


async def _serve(
    server: DevServer, settings: Settings, stop: asyncio.Event, announce: str, *, worker: bool
) -> None:
    """Until somebody asks to stop; the server's or the worker's death is an error."""
    from client.leaving import leave
    from commands.failing import FAILED, tell
    from phasegate.errors import EngineError

    serving = _work(server, settings, stop, announce) if worker else _idle(stop, announce)
    working = asyncio.create_task(serving)
    died = asyncio.create_task(server.process.wait())
    await asyncio.wait((working, died), return_when=asyncio.FIRST_COMPLETED)
    if died.done() and not stop.is_set():
        tell(
            EngineError(
                "the embedded Temporal server ended by itself",
                f"exit code {died.result()}",
                f"cat {settings.data_dir / 'server.log'}",
            )
        )
        leave(FAILED)  # a worker without its server cannot stop: it would wait for ever
    await working
    died.cancel()


async def _idle(stop: asyncio.Event, announce: str) -> None:
    print(announce, flush=True)
    await stop.wait()


async def _work(server: DevServer, settings: Settings, stop: asyncio.Event, announce: str) -> None:
    from client.connection import connect
    from client.logs import configure_logs
    from client.schedules import keep_schedules
    from integrations.loading import load_integrations
    from ledger.privacy import private_file
    from worker import build_worker

    private_file(file := settings.data_dir / "worker.log")
    with file.open("a", encoding="utf-8", buffering=1) as log:
        configure_logs(json=True, to=log)
        client, integrations = await connect(server.address), load_integrations()
        async with build_worker(client, settings, integrations=integrations):
            await keep_schedules(client, settings.task_queue, integrations)
            await _idle(stop, announce)


def _announcement(server: DevServer, settings: Settings, *, worker: bool, form: str) -> str:
    import json
    import os

    from client.keyring import TEXT
    from ledger.url import shown

    exports = _exports(server, settings)
    if form == "json":
        document: dict[str, Any] = {
            "schema_version": 1,
            "address": server.address,
            "ui_url": server.ui_url,
            "data_dir": str(settings.data_dir),
            "ledger": shown(settings.ledger_url),
            "worker": worker,
            "environment": exports,
        }
        return json.dumps(document)
    lines = [
        f"Temporal   {server.address}",
        f"UI         {server.ui_url}",
        f"worker     {'running' if worker else 'none; start one with: phasegate worker run'}",
        f"data       {settings.data_dir}  (temporal.db, ledger.db, server.log, worker.log)",
    ]
    if exports:
        lines += ["", "In another shell:"]
        lines += [f"  export {name}={value}" for name, value in exports.items()]
    if os.environ.get(TEXT):
        lines += ["", f"Other shells need {TEXT}, too, as it is set here."]
    return "\n".join([*lines, "", "Ctrl-C stops it; the state stays."])


def _exports(server: DevServer, settings: Settings) -> dict[str, str]:
    """What another shell must set to reach this server: only what is not the default."""
    import os
    from pathlib import Path
    from shlex import quote

    from client.keyring import FILE
    from ledger import data_dir

    usual = {
        "TEMPORAL_ADDRESS": "127.0.0.1:7233",
        "PHASEGATE_DATA_DIR": str(data_dir({})),
        "PHASEGATE_UI_URL": "http://localhost:8233",
        FILE: None,
    }
    ring = os.environ.get(FILE)
    here = {
        "TEMPORAL_ADDRESS": server.address,
        "PHASEGATE_DATA_DIR": str(settings.data_dir),
        "PHASEGATE_UI_URL": settings.ui_url,
        FILE: str(Path(ring).expanduser().absolute()) if ring else None,
    }
    return {name: quote(value) for name, value in here.items() if value and value != usual[name]}
