"""Turns: what a name may hold, and all of them together."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from activities.turns import Turns


def test_one_name_leaves_room_for_others_and_all_leave_room_for_the_rest() -> None:
    turns = Turns(each=2, altogether=3)
    with ExitStack() as held:
        got = [held.enter_context(turns.take(name)) for name in ("a", "a", "a", "b", "b", "c")]
    assert got == [True, True, False, True, False, False]
    with turns.take("a") as mine:
        assert mine


def test_a_turn_ends_with_what_it_was_for_however_that_ends() -> None:
    turns = Turns(each=1, altogether=1)
    with pytest.raises(OSError, match="gone"), turns.take("a"):
        raise OSError("gone")
    with turns.take("b") as mine:
        assert mine
