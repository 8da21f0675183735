"""Entries in their order, and rounds by their numbers: nothing was left out between them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from itertools import pairwise

from phasegate.audit.context import Place
from phasegate.audit.telling import Telling
from phasegate.past_round import ENDS

Rounds = Mapping[tuple[str, int], Telling]


def check_order(place: Place, product: Telling) -> None:
    said = product.said
    if not said or said[0].type != "product.started":
        place.fault(
            said[0] if said else 1, "the record does not begin with the start of its product"
        )
    for before, after in pairwise(said):
        if after.at < before.at:
            place.differ(after, "it was said before the entry of the product that precedes it")
        if after.type == "product.started":
            place.differ(after, "the product starts a second time")


def check_numbers(place: Place, rounds: Rounds) -> None:
    """Rounds of a gate are numbered without gaps: none is left out."""
    numbers: dict[str, list[int]] = {}
    for gate, number in rounds:
        numbers.setdefault(gate, []).append(number)
    for gate, found in numbers.items():
        for number in range(1, max(found) + 1):
            if number not in found:
                after = rounds[(gate, min(n for n in found if n > number))].said[0]
                Place(place.context, gate, number, place.doubt).differ(
                    after, f"round {number} of {gate} is not in the record, and later ones are"
                )


def turns_of(rounds: Rounds, product: Telling) -> list[tuple[datetime, str, str]]:
    """All outcomes by time: of the gates, and of overrides of gates that had stopped it."""
    found: list[tuple[datetime, str, str]] = []
    for (gate, _), telling in rounds.items():
        for end in telling.of(*ENDS):
            outcome = end.data.get("outcome") if end.type == "gate.decided" else "abandoned"
            found.append((end.at, gate, str(outcome)))
    for said in product.of("gate.overridden"):
        found.append((said.at, said.text("gate"), said.text("to")))
    return sorted(found, key=lambda turn: turn[0])
