"""Progress: seen on a terminal when something takes long, and never in a pipe."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]

SLOW = """
import sys, time
from commands import progress
from commands.output import note
progress.QUICK = QUICK_ENOUGH
with progress.working("reading products") as told:
    told(3, 10)
    time.sleep(LONG)
    told(10)
    print("data", flush=True)
    note("said")
print("over")
"""


def slow(long: float, quick: float = 0.2) -> str:
    return SLOW.replace("LONG", str(long)).replace("QUICK_ENOUGH", str(quick))


def on_a_terminal(code: str, **env: str) -> tuple[str, str]:
    """Standard error is a terminal, standard output a pipe: what each got."""
    ours, theirs = pty.openpty()
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ, "TERM": "xterm", **env},
        stdout=subprocess.PIPE,
        stderr=theirs,
        text=True,
        timeout=180,
        check=True,
    )
    os.close(theirs)
    seen = b""
    while chunk := _read(ours):
        seen += chunk
    os.close(ours)
    return done.stdout, seen.decode()


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # how a pseudo-terminal says that nobody writes any more
        return b""


def test_what_takes_long_is_seen_and_leaves_nothing_behind() -> None:
    out, seen = on_a_terminal(slow(3))
    assert out == "data\nover\n"
    assert "reading products" in seen
    assert "3/10" in re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", seen)
    assert "\x1b[2K" in seen, "its line is taken away"
    assert seen.rstrip().endswith("said"), "nothing shows any more once something is said"


def test_what_is_quick_shows_nothing() -> None:
    assert on_a_terminal(slow(0, quick=60))[1].split() == ["said"]


def test_a_terminal_that_can_do_nothing_is_left_alone() -> None:
    assert on_a_terminal(slow(1), TERM="dumb")[1].split() == ["said"]


def test_in_a_pipe_there_is_nothing_of_it() -> None:
    done = subprocess.run(
        [sys.executable, "-c", slow(1)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=180,
        check=True,
    )
    assert (done.stdout, done.stderr) == ("data\nover\n", "said\n")
