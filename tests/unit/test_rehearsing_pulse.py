"""When a rehearsal counts as hanging, and when time is taken from nobody."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from temporalio.service import RPCError, RPCStatusCode

from client.rehearsing_pulse import HUNG, QUIET, SLOW, Pulse
from client.rehearsing_turns import TRIES, again
from phasegate.errors import EngineError, NotRunning

NOW = datetime(2031, 3, 3, 9, tzinfo=UTC)
BROKEN = RPCError("h2 protocol error: http2 error", RPCStatusCode.INTERNAL, b"")


def quiet(beats: int, *, pulse: Pulse | None = None, skips: timedelta = timedelta()) -> Pulse:
    """A pulse after so many beats, between which the server's clock skips so much."""
    pulse = pulse or Pulse()
    for number in range(beats):
        pulse.beat(NOW + number * skips)
    return pulse


def test_time_is_let_go_when_nothing_happens_for_long() -> None:
    assert not quiet(QUIET - 1).held
    pulse = quiet(QUIET)
    assert pulse.held
    assert not quiet(1, pulse=pulse).held
    assert quiet(QUIET - 1, pulse=pulse).held, "it was not enough"
    assert quiet(HUNG - pulse.count, pulse=pulse).still == HUNG, "it hangs for all that"


def test_time_is_taken_from_nobody_who_works() -> None:
    pulse = Pulse()
    with pulse.work():
        quiet(QUIET, pulse=pulse)
        assert not pulse.held
        assert pulse.still == 0
    assert pulse.still == 0
    assert quiet(QUIET, pulse=pulse).held


def test_where_time_is_skipped_nobody_holds_it() -> None:
    assert quiet(QUIET, skips=timedelta(days=1)).still == 0
    assert quiet(QUIET, skips=timedelta(seconds=9)).held, "the clock of the wall alone goes on"


async def test_a_slow_machine_has_slow_beats_and_loses_nothing() -> None:
    pulse, answering = Pulse(beat=0), asyncio.Event()

    async def ping() -> datetime:
        if pulse.count == SLOW:
            answering.set()
            await asyncio.Event().wait()
        return NOW

    async def answer() -> str:
        await answering.wait()
        await asyncio.sleep(0)
        return "late"

    beating = asyncio.create_task(pulse.beating(ping))
    assert await pulse.within(SLOW, answer()) == "late"
    beating.cancel()


async def test_an_answer_that_never_comes_is_missed_and_a_silent_server_too() -> None:
    async def ping() -> datetime:
        raise BROKEN

    pulse = Pulse(beat=0)
    beating = asyncio.create_task(pulse.beating(ping))
    with pytest.raises(TimeoutError):
        await pulse.within(SLOW, asyncio.Event().wait())
    beating.cancel()
    assert pulse.still > SLOW


@pytest.mark.parametrize("broken", [BROKEN, EngineError("refused")])
async def test_what_the_server_breaks_off_is_asked_again(
    broken: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("client.rehearsing_turns.PAUSE", 0)
    if isinstance(broken, EngineError):
        broken.__cause__ = BROKEN
    asked: list[int] = []

    async def ask(fails: int, error: Exception) -> str:
        asked.append(1)
        if len(asked) <= fails:
            raise error
        return "here"

    assert await again(lambda: ask(2, broken)) == "here"
    asked.clear()
    with pytest.raises(type(broken)):
        await again(lambda: ask(TRIES, broken))
    for final in (EngineError("wrong"), NotRunning("gone")):
        asked.clear()
        with pytest.raises(EngineError):
            await again(lambda error=final: ask(TRIES, error))  # type: ignore[misc]
        assert len(asked) == 1
