"""`phasegate worker run`."""

from __future__ import annotations

from typing import Annotated, Literal

from cyclopts import Parameter

from commands.options import Whole


async def run(
    *,
    task_queue: Annotated[
        str | None,
        Parameter(
            help="Where products run; PHASEGATE_TASK_QUEUE if unset. With --only retirement, the "
            "queue that policies name for acts of sunsets"
        ),
    ] = None,
    only: Annotated[
        tuple[Literal["workflows", "checks", "outgoing", "retirement"], ...],
        Parameter(
            negative=(),
            show_default=False,
            help="Do nothing but this: workflows and what votes wait for, checks of milestones, "
            "outgoing events and mail, retirement (acts of sunsets). May be given more than once",
        ),
    ] = (),
    deployment: Annotated[
        str | None,
        Parameter(
            env_var="PHASEGATE_DEPLOYMENT",
            help="The worker deployment that it belongs to. What it begins stays with its build",
        ),
    ] = None,
    build_id: Annotated[
        str | None,
        Parameter(env_var="PHASEGATE_BUILD_ID", help="Its build; goes with --deployment"),
    ] = None,
    metrics: Annotated[
        str | None,
        Parameter(
            env_var="PHASEGATE_METRICS",
            help="HOST:PORT at which Prometheus finds its metrics, at /metrics",
        ),
    ] = None,
    health: Annotated[
        str | None,
        Parameter(
            env_var="PHASEGATE_HEALTH",
            help="HOST:PORT at which it answers /healthz and /readyz",
        ),
    ] = None,
    memory_target: Annotated[
        float | None,
        Parameter(
            env_var="PHASEGATE_MEMORY_TARGET",
            help="Take less on while more than this share of the memory is used: 0.8",
        ),
    ] = None,
    cpu_target: Annotated[
        float | None,
        Parameter(
            env_var="PHASEGATE_CPU_TARGET",
            help="Take less on while more than this share of the CPU is used: 0.9",
        ),
    ] = None,
    cached_workflows: Annotated[
        Whole | None,
        Parameter(
            env_var="PHASEGATE_CACHED_WORKFLOWS",
            help="Workflows kept in memory; 1000 if unset",
        ),
    ] = None,
) -> None:
    """Run workflows and activities until SIGTERM or Ctrl-C.

    What runs may finish first (20 s); then the exit code is 0.
    """
    import sys

    import worker
    from client.listening import HEALTH, METRICS, listening
    from client.logs import configure_logs
    from client.tuning import CACHE, CPU, MEMORY, Tuning
    from client.versioning import Build

    given = {MEMORY: memory_target, CPU: cpu_target, CACHE: cached_workflows}
    tuning = Tuning.load({name: str(value) for name, value in given.items() if value is not None})
    build = Build.of(deployment, build_id)
    configure_logs(json=not sys.stderr.isatty(), build=str(build or ""))
    await worker.run(
        worker.WorkerOptions(
            task_queue=task_queue,
            only=only,
            tuning=tuning,
            build=build,
            metrics=listening(METRICS, metrics),
            health=listening(HEALTH, health),
        )
    )
