"""`phasegate worker run`."""

from __future__ import annotations

from typing import Annotated, Literal

from cyclopts import Parameter


async def run(
    *,
    task_queue: Annotated[
        str | None, Parameter(help="The queue to poll; PHASEGATE_TASK_QUEUE if unset")
    ] = None,
    only: Annotated[
        Literal["retirement"] | None,
        Parameter(
            help="retirement: carry out acts of sunsets and nothing else, on the task queue that "
            "policies name for them"
        ),
    ] = None,
) -> None:
    """Run workflows and activities until SIGTERM or Ctrl-C.

    What runs may finish first (20 s); then the exit code is 0.
    """
    import sys

    import worker
    from client.logs import configure_logs

    configure_logs(json=not sys.stderr.isatty())
    await worker.run(task_queue, only)
