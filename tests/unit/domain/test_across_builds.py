"""What a child says may be read by an opener of an older build, and the other way round."""

from __future__ import annotations

import json
from collections.abc import Iterator
from enum import Enum
from typing import Any, Literal, get_args, get_origin

import pytest
from pydantic import BaseModel

from phasegate.base import Wire
from phasegate.sittings import GateReport, OpenerNote
from phasegate.sunset_report import SunsetReport

TOLD = (GateReport, SunsetReport, OpenerNote)


def parts(kind: Any, seen: set[Any]) -> Iterator[Any]:
    """Every type that a type is made of."""
    if kind in seen:
        return
    seen.add(kind)
    yield kind
    inner = get_args(kind)
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        inner = tuple(field.annotation for field in kind.model_fields.values())
    if get_origin(kind) is not Literal:
        for each in inner:
            yield from parts(each, seen)


@pytest.mark.parametrize("model", TOLD)
def test_what_crosses_builds_ignores_what_it_does_not_know(model: type[BaseModel]) -> None:
    models = [p for p in parts(model, set()) if isinstance(p, type) and issubclass(p, BaseModel)]
    assert models
    assert all(issubclass(part, Wire) for part in models), "a document refuses a field it misses"


@pytest.mark.parametrize("model", [GateReport, SunsetReport])
def test_reports_have_words_and_no_closed_lists_of_words(model: type[BaseModel]) -> None:
    """A parent that meets a word of a later build must be able to read the rest."""
    for part in parts(model, set()):
        assert get_origin(part) is not Literal
        assert not (isinstance(part, type) and issubclass(part, Enum))


def test_a_report_of_the_first_release_can_be_read() -> None:
    """It had no more than this; what is added later needs a default."""
    first = {
        "gate": "launch",
        "round": 1,
        "token": "t",
        "outcome": "go",
        "why": "every requirement is met",
        "decided_at": "2026-11-25T12:00:00Z",
    }
    report = GateReport.model_validate_json(json.dumps({**first, "mood": {"of": "the room"}}))
    assert (report.outcome, report.votes, report.override) == ("go", {}, "")
    sunset = SunsetReport.model_validate_json('{"token": "t", "text": "it goes on", "pace": 2}')
    assert (sunset.ended, sunset.legal_holds) == ("", [])
