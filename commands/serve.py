"""`phasegate serve`."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from commands.options import Whole


async def serve(
    *,
    host: Annotated[str, Parameter(help="The address to listen at; 0.0.0.0 for every one")] = (
        "127.0.0.1"
    ),
    port: Annotated[Whole, Parameter(help="The port to listen at; 0 for a free one")] = 8600,
    metrics: Annotated[
        str | None,
        Parameter(
            env_var="PHASEGATE_METRICS",
            help="HOST:PORT at which Prometheus finds its metrics, at /metrics",
        ),
    ] = None,
) -> None:
    """Take events and customers of other systems over HTTP, until SIGTERM or Ctrl-C.

    Who may send events is said by `sources` of the file that PHASEGATE_INTEGRATIONS names; each has
    its own address, /events/NAME. Who may send customers, to /customers/KEY, is said by `feeds`.
    What runs may finish first; then the exit code is 0.
    """
    import sys

    from client.listening import METRICS, listening
    from client.logs import configure_logs
    from phasegate.errors import EngineError

    try:
        from serving.server import serve as run
    except ModuleNotFoundError as error:
        if error.name not in ("starlette", "uvicorn"):
            raise
        raise EngineError(
            "phasegate serve needs an extra that is not installed",
            f"there is no module {error.name}",
            "pip install 'phasegate[web]'",
        ) from error

    configure_logs(json=not sys.stderr.isatty())
    await run(host, port, listening(METRICS, metrics))
