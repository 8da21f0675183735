"""Ten years of a product of the standard policy, rehearsed: the whole command, as a process.

Beside it a command that starts no server and plays nothing; and the same play once more with each
of the 23 people of the example directory away in turn, which has no target.
"""

from __future__ import annotations

import os

from benchmarks.cli import command
from benchmarks.harness import ROOT, Report, side_by_side, spread, timed

PEOPLE = ROOT / "examples" / "example.directory.yaml"


async def measure(report: Report) -> None:
    os.environ["PHASEGATE_DATA_DIR"] = str(report.asked.folder)
    words = ("simulate", "standard", "--directory", str(PEOPLE), "--until", "10y", "-o", "json")
    taken = await side_by_side(
        report.asked.rounds,
        {
            "ten years": command("phasegate", *words, "--no-absent-each"),
            "policy show": command("phasegate", "policy", "show", "standard"),
        },
    )
    for name, seconds in taken.items():
        report.put(name, spread(seconds))
    with report.trying("each person away in turn"):
        took = await timed(command("phasegate", *words, "--absent-each"))
        report.put("each person away in turn", round(took, 1))
