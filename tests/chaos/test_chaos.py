"""The short form of the chaos run: a few lifecycles, and a few things that go wrong.

docs/chaos.md has the long form. Nothing here is timed: what must come is waited for.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from postgres import binaries

from tests.chaos.crew import faketime
from tests.chaos.figures import table
from tests.chaos.running import run

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

PATIENCE = 600.0
"""Seconds. Only a lifecycle that is stuck waits for so long."""


@pytest.mark.parametrize(
    ("kind", "lifecycles", "kills", "first", "seen"),
    [
        ("sqlite", 2, 3, ["jump", "store"], "clock jumps"),
        ("postgres", 1, 1, ["store"], "PostgreSQL crash"),
    ],
)
async def test_whatever_dies_no_vote_is_lost_and_nothing_is_done_twice(
    tmp_path: Path, kind: str, lifecycles: int, kills: int, first: list[str], seen: str
) -> None:
    if kind == "postgres" and binaries() is None:
        pytest.skip("PostgreSQL is not installed (on Debian: apt-get install postgresql)")
    found = await run(
        tmp_path,
        kind=kind,
        lifecycles=lifecycles,
        kills=kills,
        workers=2,
        at_once=lifecycles,
        sample=10,
        patience=PATIENCE,
        look=0.3,
        first=first,
    )
    assert not found.violations, table(found)
    assert found.tally.answered("accepted")
    if first[0] != "jump" or faketime():
        assert found.tally.faults[seen]
    assert found.replayed
    assert found.audited
