"""Which requirements are asked of a product: its tier, and what `when` says of its definition."""

from __future__ import annotations

from typing import Any

from phasegate.conditions import asked_of
from phasegate.gate import Requirement

PRODUCT: dict[str, Any] = {"key": "kettle", "figures": {"budget": 40}}
RICH = Requirement(group="fin", when="product.figures.budget > 100")
POOR = Requirement(group="eng", when="product.figures.budget < 100")
ODD = Requirement(group="legal", when="product.figures.country == 'XX'")
PLAIN = Requirement(group="board")
LARGE = Requirement(group="ops", tiers=(2,))


def test_what_is_asked_is_what_its_tier_and_its_condition_ask() -> None:
    found = asked_of([RICH, POOR, LARGE, PLAIN], 1, PRODUCT)
    assert (found.applying, found.problems) == ((1, 3), {})
    assert asked_of([RICH, POOR, LARGE, PLAIN], 2, PRODUCT).applying == (1, 2, 3)


def test_what_nobody_could_judge_is_asked_and_said() -> None:
    found = asked_of([ODD, RICH, PLAIN], 1, PRODUCT)
    assert found.applying == (0, 2)
    assert list(found.problems) == [0]
    assert "country" in found.problems[0]


def test_what_was_asked_in_an_open_round_stays_asked() -> None:
    """Its owner must not end a veto by a figure."""
    found = asked_of([RICH, ODD, POOR], 1, PRODUCT, asked=(0, 1))
    assert (found.applying, found.problems) == ((0, 1, 2), {})
