"""Ten years of a product of the standard policy, rehearsed: the whole command, as a process."""

from __future__ import annotations

import os

from benchmarks.cli import command
from benchmarks.harness import ROOT, Report, side_by_side, spread

BAR = 10.0


async def measure(report: Report) -> None:
    os.environ["PHASEGATE_DATA_DIR"] = str(report.asked.folder)
    report.put("bar", BAR)
    people = ROOT / "examples" / "example.directory.yaml"
    words = ["simulate", "standard", "--directory", str(people), "--until", "10y", "--runs", "1"]
    taken = await side_by_side(
        report.asked.rounds,
        {
            "ten years": command("phasegate", *words, "-o", "json"),
            "phasegate policy show (floor)": command("phasegate", "policy", "show", "standard"),
        },
    )
    report.put("command", " ".join(["phasegate", *words]))
    for name, seconds in taken.items():
        report.put(name, spread(seconds))
