"""A chaos run in figures."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.chaos.tally import Tally
from tests.chaos.world import World


@dataclass
class Run:
    seed: int
    ledger: str
    lifecycles: int
    workers: int
    tally: Tally
    world: World
    seconds: float = 0.0
    starts: int = 0
    replayed: int = 0
    audited: int = 0
    skipped: list[str] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)


def table(run: Run) -> str:
    """Names and figures, one to a line, then what was left out, then what went wrong."""
    tally, world = run.tally, run.world
    waits = sorted(cast.waited for cast in tally.casts) or [0.0]
    events, calls = sum(world.sent.values()), sum(world.calls.values())
    mails = [str(mail["Message-ID"]) for mail in world.mails.mails]
    rows: list[tuple[str, object]] = [
        ("seed", run.seed),
        ("ledger", run.ledger),
        ("lifecycles", run.lifecycles),
        ("workers at a time", run.workers),
        ("gates decided", tally.steps),
        ("votes accepted", len(tally.answered("accepted"))),
        ("votes refused", len(tally.answered("refused"))),
        (
            "votes whose first answer was lost, and that came too late then",
            len(tally.answered("unknown")),
        ),
        ("votes asked more than once", sum(cast.tries > 1 for cast in tally.casts)),
        *sorted(tally.faults.items()),
        ("workers started", run.starts),
        ("events sent to the subscriber", events),
        ("of these sent again, and swallowed by their key", events - len(world.sent)),
        ("refused by it for a timestamp of a clock that jumped", world.stale),
        ("requests cut off before they were whole", world.cut_off),
        ("calls of retirement tasks", calls),
        ("of these made again, and swallowed by their key", calls - len(world.calls)),
        ("irreversible calls of which a person was asked", tally.asked),
        ("mails", len(mails)),
        ("of these sent again under the same Message-ID", len(mails) - len(set(mails))),
        ("a vote waited, median (s)", f"{waits[len(waits) // 2]:.2f}"),
        ("a vote waited, 99 of 100 (s)", f"{waits[int(len(waits) * 0.99)]:.1f}"),
        ("a vote waited, at most (s)", f"{waits[-1]:.1f}"),
        ("histories replayed", run.replayed),
        ("bundles audited", run.audited),
        ("duration (s)", f"{run.seconds:.0f}"),
        ("violations", len(run.violations)),
    ]
    width = max(len(name) for name, _ in rows)
    lines = [f"{name:<{width}}  {value}" for name, value in rows]
    lines += [f"left out: {what}" for what in run.skipped]
    return "\n".join([*lines, *(f"violation: {what}" for what in run.violations)])
