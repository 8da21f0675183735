"""Whose seats somebody may fill, by what a listing knows of a round."""

from __future__ import annotations

from typing import Any

from client.covering import Desk
from client.inbox import attests, holders_for
from phasegate.search import EVERYBODY

NOBODY = Desk({}, frozenset())
COVERS_CY = Desk({"default": frozenset({"cy"})}, frozenset({"eng"}))


def memo(**more: Any) -> dict[str, Any]:
    return {"acting": {}, "directory": "default", **more}


def test_ones_own_seat_and_those_of_whom_one_acts_for() -> None:
    pending = ["ana", "bo", "cy", "dan"]
    named = memo(acting={"eva": ["bo"], "cy": ["dan"]})
    assert holders_for("ana", pending, named, NOBODY) == ["ana"]
    assert holders_for("eva", pending, named, NOBODY) == ["bo"]
    assert holders_for("eva", pending, named, COVERS_CY) == ["bo", "cy", "dan"]
    elsewhere = memo(directory="other")
    assert holders_for("eva", pending, elsewhere, COVERS_CY) == []


def test_who_had_a_hand_in_the_product_fills_nobodys_seat() -> None:
    assert holders_for("eva", ["cy"], memo(barred=["eva"]), COVERS_CY) == []
    assert holders_for("eva", ["cy"], memo(barred=["olga"]), COVERS_CY) == ["cy"]


def test_who_attests_is_named_or_in_the_memo_of_a_round_that_asks_for_everybody() -> None:
    assert attests("lea", ["attests:lea"], memo())
    assert attests("lea", [EVERYBODY], memo(attesters=["kim", "lea"]))
    assert not attests("lea", [EVERYBODY], memo(attesters=None))
    assert not attests("lea", ["person:lea"], memo(attesters=["lea"]))
