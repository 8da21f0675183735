"""A fault that cannot be made is told: a run without it would show less than it says."""

from __future__ import annotations

import asyncio
from collections import Counter
from types import SimpleNamespace
from typing import Any

import pytest

from tests.chaos import faults
from tests.chaos.faults import Chaos
from tests.chaos.tally import Tally


async def test_what_breaks_in_the_breaking_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(faults, "GAP", (0.0, 0.0))
    asked, again = list[str](), asyncio.Event()

    async def kill() -> None:
        asked.append("server")
        if len(asked) > 1:  # it goes on
            again.set()
        raise PermissionError("it may not be killed")

    house: Any = SimpleNamespace(server=SimpleNamespace(kill=kill))
    tally = Tally(faults=Counter(faults.KILLS[:2]))
    chaos = Chaos(house, tally, 1, 3, lambda: 1.0)
    async with asyncio.timeout(60), chaos.reigns():
        await again.wait()
    assert {repr(error) for error in chaos.failed} == {"PermissionError('it may not be killed')"}
