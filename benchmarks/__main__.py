"""`make bench`: every part in a process of its own, within a bound; then the table of the bar.

BENCH_SIZES=100,300    open products (100,1000,10000)
BENCH_ROUNDS=3         rounds of each measurement (5)
BENCH_ONLY=votes,cli   these parts only; the others keep what was found of them before
BENCH_STRICT=1         exit with 1 if a target is missed or a part failed (0 otherwise)
BENCH_OUT=dist/bench   where JSON and SVG go
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from benchmarks import plots, table
from benchmarks.harness import ROOT, Asked, run_part

PARTS = {
    "cli": 5,
    "gate_cost": 5,
    "lifecycle_cost": 8,
    "rehearsal": 8,
    "votes": 15,
    "reports": 20,
    "portfolio": 60,
}
"""Each part, and the minutes that it may take at most."""

TIDY = 30
"""Seconds for a part that is out of time to stop what it started."""


def out_folder() -> Path:
    folder = Path(os.environ.get("BENCH_OUT") or ROOT / "dist" / "bench")
    folder.mkdir(parents=True, exist_ok=True)
    return folder.resolve()


def measure(part: str, minutes: float, folder: Path) -> str:
    """Run a part; what became of it. Whatever it found is in its file."""
    path = folder / f"{part}.json"
    path.unlink(missing_ok=True)
    with tempfile.TemporaryDirectory(prefix="phasegate-bench-") as place:
        env = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
        env |= {"BENCH_FOLDER": place, "PYTHONPATH": str(ROOT)}
        process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks", "--part", part, str(path)], cwd=ROOT, env=env
        )
        try:
            process.wait(minutes * 60)
        except (subprocess.TimeoutExpired, KeyboardInterrupt) as stopped:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(TIDY)
            if isinstance(stopped, KeyboardInterrupt):
                raise SystemExit(130) from None
        finally:
            process.kill()
            process.wait()
            _end_what_is_left(place)
            if process.returncode:
                for log in Path(place).rglob("*.log"):  # what its worker and its server said
                    shutil.copy(log, folder / f"{part}.{log.name}")
    return _became(path, process.returncode, minutes)


OURS = ("PHASEGATE_", "TEMPORAL_")
"""Settings of whoever runs this must not reach a real installation, nor change what is measured."""


def _became(path: Path, code: int, minutes: float) -> str:
    found: dict[str, Any] = {"part": path.stem, "figures": {}, "state": "failed", "why": ""}
    with suppress(OSError, ValueError):
        found = json.loads(path.read_text(encoding="utf-8"))
    if found["state"] == "running":
        found |= {"state": "timed out", "why": f"it took more than {minutes:g} minutes"}
    if code and found["state"] == "failed" and not found["why"]:
        found["why"] = f"exit code {code}"
    path.write_text(json.dumps(found, indent=1), encoding="utf-8")
    return f"{found['state']}{': ' if found['why'] else ''}{found['why']}"


def _end_what_is_left(place: str) -> None:
    """Servers and workers of a part that was killed: all have its folder in their settings."""
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            told = (entry / "cmdline").read_bytes() + (entry / "environ").read_bytes()
            if place.encode() in told:
                os.kill(int(entry.name), signal.SIGKILL)


def main() -> int:
    if sys.argv[1:2] == ["--part"]:
        return 0 if asyncio.run(run_part(sys.argv[2], Path(sys.argv[3]))) else 1
    wanted = [word for word in os.environ.get("BENCH_ONLY", "").split(",") if word] or list(PARTS)
    if unknown := [word for word in wanted if word not in PARTS]:
        print(f"error: no part {', '.join(unknown)}; there are {', '.join(PARTS)}", file=sys.stderr)
        return 2
    try:
        Asked.load()
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # what is running is ended tidily
    folder, failed = out_folder(), False
    for number, part in enumerate(wanted, 1):
        print(f"[{number}/{len(wanted)}] {part}, {PARTS[part]} minutes at most", file=sys.stderr)
        began = time.monotonic()
        became = measure(part, PARTS[part], folder)
        failed |= became != "done"
        print(f"  {part}: {became}, {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    found = table.load(folder)
    (folder / "results.json").write_text(json.dumps(found, indent=1), encoding="utf-8")
    drawn = plots.draw(found, folder)
    rows = table.bar(found)
    print(table.terminal(rows))
    print(
        f"figures: {folder / 'results.json'}; plots: {', '.join(p.name for p in drawn) or 'none'}"
    )
    missed = failed or any(row.verdict == "miss" for row in rows)
    return 1 if missed and os.environ.get("BENCH_STRICT") == "1" else 0


if __name__ == "__main__":
    sys.exit(main())
