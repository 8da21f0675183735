"""What every part of the benchmarks shares: how it is asked, how it counts, where it writes.

A part is a module with a coroutine `measure(report)`. It runs in a process of its own, and whatever
it has found by the time it ends, or is ended, is in its JSON file.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import math
import os
import platform
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
SIZES, ROUNDS = (100, 1_000, 10_000), 5


@dataclass(frozen=True)
class Asked:
    """What the environment asks for: BENCH_SIZES, BENCH_ROUNDS, BENCH_FOLDER."""

    sizes: tuple[int, ...] = SIZES
    rounds: int = ROUNDS
    folder: Path = field(default_factory=Path.cwd)
    """For databases and logs; whoever starts the part removes it."""

    @classmethod
    def load(cls, env: Mapping[str, str] = os.environ) -> Asked:
        """Raises ValueError, which names the variable."""
        sizes = _counts(env, "BENCH_SIZES") or SIZES
        rounds = _counts(env, "BENCH_ROUNDS") or (ROUNDS,)
        if len(rounds) > 1:
            raise ValueError(f"BENCH_ROUNDS is one number, not {env['BENCH_ROUNDS']}")
        return cls(tuple(sorted(sizes)), rounds[0], Path(env.get("BENCH_FOLDER") or "."))

    @property
    def quick(self) -> bool:
        """Whether this is a trial of the benchmarks rather than a measurement."""
        return max(self.sizes) < 1_000


def _counts(env: Mapping[str, str], name: str) -> tuple[int, ...]:
    words = [word for word in env.get(name, "").split(",") if word]
    if not all(word.isdecimal() and int(word) for word in words):
        raise ValueError(f"{name} takes whole numbers above 0, as in {name}=3, not {env[name]}")
    return tuple(int(word) for word in words)


@dataclass
class Report:
    """The figures of one part, written down anew with each that is added."""

    part: str
    path: Path
    asked: Asked
    figures: dict[str, Any] = field(default_factory=dict)
    state: str = "running"
    why: str = ""
    began: float = field(default_factory=time.monotonic)
    machine: dict[str, Any] = field(default_factory=dict)

    def put(self, name: str, value: Any) -> None:
        self.figures[name] = value
        self.write()

    @contextmanager
    def trying(self, name: str) -> Iterator[None]:
        """What fails in here is named, and the part goes on with the rest."""
        try:
            yield
        except Exception as error:
            said = f"{name}: {type(error).__name__}: {error}"
            self.why = f"{self.why}; {said}" if self.why else said
            self.note(f"FAILED {said}")
            self.write()

    def note(self, text: str) -> None:
        """Progress, for whoever waits."""
        print(f"  {self.part}: {text}", file=sys.stderr, flush=True)

    def write(self) -> None:
        found = {
            "part": self.part,
            "state": self.state,
            "why": self.why,
            "seconds": round(time.monotonic() - self.began, 1),
            "sizes": self.asked.sizes,
            "rounds": self.asked.rounds,
            "machine": self.machine,
            "figures": self.figures,
        }
        beside = self.path.with_suffix(".part")
        beside.write_text(json.dumps(found, indent=1), encoding="utf-8")
        beside.replace(self.path)


def spread(samples: Sequence[float], digits: int = 4) -> dict[str, float | int]:
    """The median of the rounds, and the least and the greatest of them."""
    return {
        "median": round(statistics.median(samples), digits),
        "min": round(min(samples), digits),
        "max": round(max(samples), digits),
        "rounds": len(samples),
    }


def ratios(ours: Sequence[float], floor: Sequence[float]) -> dict[str, float | int]:
    """Each round against the floor of the same round."""
    return spread([a / b for a, b in zip(ours, floor, strict=True) if b], 3)


def percentile(samples: Sequence[float], share: float) -> float:
    """The nearest rank: the least value that this share of the samples does not exceed."""
    ordered = sorted(samples)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def turns(names: Sequence[str], rounds: int) -> Iterator[list[str]]:
    """Who is measured in which order in each round: everybody goes first in turn."""
    for number in range(rounds):
        at = number % len(names)
        yield [*names[at:], *names[:at]]


async def timed(what: Callable[[], Awaitable[object]]) -> float:
    """Seconds that it takes."""
    began = time.perf_counter()
    await what()
    return time.perf_counter() - began


async def side_by_side(
    rounds: int, ways: Mapping[str, Callable[[], Awaitable[object]]]
) -> dict[str, list[float]]:
    """Seconds of each way in each round, taken in turns; a first round warms up and is dropped."""
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for number, order in enumerate(turns(list(ways), rounds + 1)):
        for name in order:
            seconds = await timed(ways[name])
            if number:
                taken[name].append(seconds)
    return taken


def machine() -> dict[str, Any]:
    """What the figures were taken on."""
    from importlib.metadata import version  # noqa: PLC0415

    import temporalio.service  # noqa: PLC0415

    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "cores": os.cpu_count(),
        "cpu": _first_line("/proc/cpuinfo", "model name"),
        "memory": _first_line("/proc/meminfo", "MemTotal"),
        "load": [round(value, 1) for value in os.getloadavg()],
        "system": platform.platform(),
        "python": platform.python_version(),
        "temporalio": temporalio.service.__version__,
        "server": said([str(Path(sys.executable).parent / "temporal"), "--version"]),
        "phasegate": version("phasegate"),
        "commit": said(["git", "-C", str(ROOT), "describe", "--always", "--dirty", "--abbrev=12"]),
    }


def said(command: Sequence[str]) -> str:
    """What a command prints; nothing if it cannot be run."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    except OSError:
        return ""
    return done.stdout.strip()


def _first_line(file: str, name: str) -> str:
    try:
        lines = Path(file).read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    found = (line.partition(":")[2].strip() for line in lines if line.startswith(name))
    return next(found, "")


async def run_part(name: str, path: Path) -> bool:
    """Measure one part in this process; whether it came to its end. SIGTERM ends it tidily."""
    asked = Asked.load()
    report = Report(name, path, asked, machine=machine())
    report.write()
    measuring = asyncio.ensure_future(importlib.import_module(f"benchmarks.{name}").measure(report))
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, measuring.cancel)
    try:
        await measuring
        report.state = "failed" if report.why else "done"
    except asyncio.CancelledError:
        report.state, report.why = "timed out", "it was ended before it had everything"
    except Exception as error:
        report.state, report.why = "failed", f"{type(error).__name__}: {error}"
        raise
    finally:
        report.write()
    return report.state == "done"
