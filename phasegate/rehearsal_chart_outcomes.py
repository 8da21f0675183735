"""What the rounds of each gate come to, as parts of a whole."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from phasegate.rehearsal_chart import GAP, NAMES, NOTES, SIZE, WIDTH, percent, plural
from phasegate.rehearsal_view import GateRehearsed
from phasegate.roadmap_words import OUTCOMES
from phasegate.text_width import fit, width_of

ORDER = (*OUTCOMES, "open")
STACK, STACK_ROW = 18.0, 26.0


@dataclass(frozen=True)
class Part:
    """The rounds of a gate that came to one outcome."""

    x: float
    width: float
    outcome: str
    label: str
    text: str


@dataclass(frozen=True)
class OutcomeRow:
    y: float
    name: str
    parts: tuple[Part, ...]
    note: str


@dataclass(frozen=True)
class OutcomesChart:
    """`words` are the outcomes there are, and how each is called."""

    height: float
    rows: tuple[OutcomeRow, ...]
    words: tuple[tuple[str, str], ...]
    text: str


def outcomes_chart(gates: Sequence[GateRehearsed]) -> OutcomesChart | None:
    """The rounds of each gate, as parts of a whole; None where no round was held."""
    held = [gate for gate in gates if gate.rounds]
    if not held:
        return None
    rows = [_outcomes(gate, n * STACK_ROW) for n, gate in enumerate(held)]
    there = sorted({part.outcome for row in rows for part in row.parts}, key=_place)
    said = (
        f"{gate.title}: {', '.join(part.text for part in row.parts)}"
        for gate, row in zip(held, rows, strict=True)
    )
    return OutcomesChart(
        height=len(rows) * STACK_ROW,
        rows=tuple(rows),
        words=tuple((word, _said(word)) for word in there),
        text=". ".join(said),
    )


def _said(outcome: str) -> str:
    return OUTCOMES.get(outcome, "Undecided" if outcome == "open" else outcome)


def _outcomes(gate: GateRehearsed, y: float) -> OutcomeRow:
    return OutcomeRow(
        y=y,
        name=fit(gate.title, NAMES - GAP, SIZE),
        parts=tuple(_parts(gate)),
        note=fit(plural(gate.rounds, "round"), NOTES - GAP, SIZE),
    )


def _parts(gate: GateRehearsed) -> Iterator[Part]:
    counts = [*sorted(gate.outcomes.items(), key=lambda pair: _place(pair[0])), ("open", gate.open)]
    whole, room = sum(n for _, n in counts) or 1, WIDTH - NAMES - NOTES
    before = 0
    for outcome, n in counts:
        if n:
            x, end = NAMES + before / whole * room, NAMES + (before + n) / whole * room
            said = _said(outcome)
            text = f"{said} {plural(n, 'round')}, {percent(n, whole)}"
            label = _label(said, n, end - x - GAP)
            yield Part(round(x, 2), round(end - x, 2), outcome, label, text)
        before += n


def _place(outcome: str) -> tuple[int, str]:
    """The words of votes in their order, what is open, then any other."""
    return (ORDER.index(outcome) if outcome in ORDER else len(ORDER), outcome)


def _label(said: str, n: int, room: float) -> str:
    """As much as there is room for whole: nothing is cut here."""
    choices = (f"{said} {n:,}", f"{said[0].upper()} {n:,}", f"{n:,}")
    return next((text for text in choices if width_of(text, SIZE) <= room), "")
