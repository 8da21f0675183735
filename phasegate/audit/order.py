"""Entries in their order, and rounds by their numbers: nothing was left out between them."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

from phasegate.audit.context import Place
from phasegate.audit.telling import Telling

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
