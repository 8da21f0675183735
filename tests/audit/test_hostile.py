"""Records that are chained well and full of nonsense: a report, never a traceback."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

import pytest
from forging import Body, bodies, forged, with_document

from phasegate.audit.findings import Verified
from phasegate.audit.record import Record
from phasegate.audit.verifying import verify

GAMES = 80

NONSENSE: list[Any] = [
    None, True, -1, 0, 10**30, 1.5, "", "x", "2026-11-25T20:00:00", "9999-12-31T23:59:59+00:00",
    [], [None], {}, {"a": 1}, [[]], "\N{RIGHT-TO-LEFT OVERRIDE}", "go", ["ana"], {"ana": None},
]  # fmt: skip


def places(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    if path:
        yield path
    pairs: Any = value.items() if isinstance(value, dict) else ()
    for key, item in enumerate(value) if isinstance(value, list) else pairs:
        yield from places(item, (*path, key))


def put(value: Any, path: tuple[str | int, ...], new: Any) -> None:
    for key in path[:-1]:
        value = value[key]
    value[path[-1]] = new


def verified(record: Record) -> Verified:
    return verify(record, (), signature=lambda *_: "", judge=lambda *_: False)


def spoilt(dice: Random, said: list[Body]) -> None:
    """Put nonsense somewhere into one of these."""
    body = dice.choice(said)
    own = {name: body[name] for name in ("data", "at", "actor", "text", "source", "run")}
    put(body, dice.choice(list(places(own))), dice.choice(NONSENSE))


@pytest.mark.parametrize("times", [1, 4])
def test_nonsense_in_an_entry_is_reported(lives: Any, times: int) -> None:
    dice = Random(times)  # noqa: S311 - a game
    for _ in range(GAMES):
        said = bodies(lives.signed)
        for _ in range(times):
            spoilt(dice, said)
        report = verified(forged(lives.signed, said))
        assert report.ok == (report.fault is None)
        report.model_dump_json()


@pytest.mark.parametrize("kind", ["policy", "directory"])
def test_nonsense_in_a_document_is_reported(lives: Any, kind: str) -> None:
    dice = Random(kind)  # noqa: S311 - a game

    def change(content: Body) -> None:
        put(content, dice.choice(list(places(content))), dice.choice(NONSENSE))

    for _ in range(GAMES // 2):
        report = verified(with_document(lives.signed, kind, change))
        assert report.ok == (report.fault is None)


def test_entries_in_any_order_are_reported(lives: Any) -> None:
    dice = Random(7)  # noqa: S311 - a game
    for _ in range(GAMES // 5):
        said = bodies(lives.signed)
        dice.shuffle(said)
        assert not verified(forged(lives.signed, said)).ok
