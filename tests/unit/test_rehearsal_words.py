"""A rehearsal says one thing in the same words in its table and on its page."""

from __future__ import annotations

import pytest
from pages import Page
from rehearsals import rehearsal

from client.pictures.rehearsal import rehearsal_html
from commands.output import Fields, Grid
from commands.simulate_tables import rehearsal_blocks
from phasegate.rehearsal_view import ClockFired, Rehearsal

OVERDUE = {"clock": "overdue"}


@pytest.fixture
def found() -> Rehearsal:
    return rehearsal(2, 1)


def grid(found: Rehearsal, title: str) -> list[dict[str, object]]:
    """The table of this title, its rows by column."""
    (block,) = [
        one for one in rehearsal_blocks(found) if isinstance(one, Grid) and one.title == title
    ]
    return [dict(zip(block.columns, row, strict=True)) for row in block.rows]


def fields(found: Rehearsal) -> dict[str, str]:
    blocks = [one for one in rehearsal_blocks(found) if isinstance(one, Fields)]
    return {label: str(value) for block in blocks for label, value in block.rows}


def test_late_and_silent_are_two_things(found: Rehearsal) -> None:
    first = found.bottlenecks[0]
    first.asked, first.late, first.unanswered = 9, 7, 0
    row = next(row for row in grid(found, "Bottlenecks") if row["waited for"] == first.who)
    assert (row["asked"], row["late"]) == (9, 7)
    assert "silent" not in row, "nobody is"
    text = Page(rehearsal_html(found)).text
    assert "asked 9 times, late 7, silent 0" in text
    assert "Late is how often their time to answer ran out before they answered." in text


def test_that_it_is_the_managers_turn_says_not_that_one_acted(found: Rehearsal) -> None:
    """There may be none, or it is the owner, who may act for nobody."""
    life, gate = found.lives[0], found.gates[0]
    turn = {"at": life.rounds[0].opened_at, "clock": "manager", "gate": gate.gate, "round": 1}
    acting = {"acting": ["pia"], "acting_for": {"vic": ["pia"]}}
    life.clocks = [
        ClockFired.model_validate({**turn, "people": ["mara"]}),
        ClockFired.model_validate({**turn, "people": ["noor", "otto"], "acting": ["pia"]}),
        ClockFired.model_validate({**turn, "people": ["rosa"], "acting": ["sven"]} | OVERDUE),
        *(
            ClockFired.model_validate({**of, "people": ["una", "vic", "wim"], **acting})
            for of in (turn, turn | OVERDUE)
        ),
    ]
    found.clocks = gate.clocks = {"manager": 2, "overdue": 1}
    assert fields(found)["clocks"] == "managers' turn 2, overdue 1"
    assert grid(found, "Gates")[0]["clocks"] == "managers' turn 2, overdue 1"
    lines = [(row["what"], row["why or who"]) for row in grid(found, "Time line")]
    assert ("g0: managers' turn", "mara (nobody may act)") in lines
    assert ("g0: managers' turn", "noor, otto (pia may act)") in lines
    assert ("g0: overdue", "rosa (sven may act)") in lines
    assert ("g0: managers' turn", "vic (pia may act), una, wim (nobody may act)") in lines
    assert ("g0: overdue", "vic (pia may act), una, wim") in lines
    text = Page(rehearsal_html(found)).text
    assert "Manager acted" not in text
    assert "managers' turn: mara (nobody may act)" in text
