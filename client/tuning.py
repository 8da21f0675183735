"""How much one worker process takes on at a time."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from temporalio.worker import ResourceBasedSlotConfig, WorkerTuner

from client.usage import UsageError
from ledger.server import CONNECTIONS
from phasegate.queues import Kind

QUICK = CONNECTIONS
"""Activities at once that ask the ledger, each in a thread and with a connection of its own. What
is beyond that stays in the task queue, where another worker may take it."""

SLOW = 100
"""Activities at once of each other kind: they wait for others, and nearly all without a thread."""

CACHED = 1000
"""Workflows kept in memory."""

MEMORY, CPU = "PHASEGATE_MEMORY_TARGET", "PHASEGATE_CPU_TARGET"
CACHE = "PHASEGATE_CACHED_WORKFLOWS"

USUAL_MEMORY, USUAL_CPU = 0.8, 0.9
"""Where only the other one is given."""


@dataclass(frozen=True)
class Tuning:
    """By default fixed numbers. With a target, fewer of them while the machine (or the container,
    where it has a limit) uses more than that share of its memory or its CPU."""

    memory_target: float | None = None
    cpu_target: float | None = None
    cached_workflows: int = CACHED

    @classmethod
    def load(cls, env: Mapping[str, str] = os.environ) -> Tuning:
        """Read PHASEGATE_MEMORY_TARGET, PHASEGATE_CPU_TARGET and PHASEGATE_CACHED_WORKFLOWS.

        Raises UsageError.
        """
        return cls(_share(env, MEMORY), _share(env, CPU), _count(env, CACHE, CACHED))

    def tuner(self, kind: Kind) -> WorkerTuner:
        """The slots of a worker for one kind of work."""
        if self.memory_target is None and self.cpu_target is None:
            return WorkerTuner.create_fixed(activity_slots=slots(kind))
        return WorkerTuner.create_resource_based(
            target_memory_usage=self.memory_target or USUAL_MEMORY,
            target_cpu_usage=self.cpu_target or USUAL_CPU,
            # Some always go on: a neighbour that uses up the machine must not end the work.
            activity_config=ResourceBasedSlotConfig(minimum_slots=2, maximum_slots=slots(kind)),
        )


def slots(kind: Kind) -> int:
    """Activities of a kind that one worker carries out at once, at most."""
    return QUICK if kind == "workflows" else SLOW


def _share(env: Mapping[str, str], name: str) -> float | None:
    text = env.get(name)
    if not text:
        return None
    try:
        share = float(text)
    except ValueError:
        share = 0.0
    if not 0 < share <= 1:
        raise UsageError(
            f"{_option(name)} ({name}) cannot be {text}",
            "it is a share of what the machine has, above 0 and not above 1",
            f"phasegate worker run {_option(name)} 0.8",
        )
    return share


def _count(env: Mapping[str, str], name: str, usual: int) -> int:
    text = env.get(name)
    if not text:
        return usual
    if not (text.isdecimal() and int(text)):
        raise UsageError(
            f"{_option(name)} ({name}) cannot be {text}",
            "it is a whole number above 0",
            f"phasegate worker run {_option(name)} {usual}",
        )
    return int(text)


def _option(variable: str) -> str:
    """The option of `phasegate worker run` that goes before the variable."""
    return "--" + variable.removeprefix("PHASEGATE_").lower().replace("_", "-")
