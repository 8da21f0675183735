"""The time line of one run: its phases, and below them each gate's rounds and clocks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from phasegate.rehearsal_chart import AXIS, GAP, NAMES, SIZE, Axis, Span, axis_over, span
from phasegate.rehearsal_view import (
    CLOCK_WORDS,
    CLOCKS,
    ClockFired,
    Rehearsal,
    RoundRehearsed,
    RunRehearsed,
    StuckAt,
)
from phasegate.roadmap_layout import GATES
from phasegate.roadmap_scale import SHORTEST, Tick
from phasegate.roadmap_words import OUTCOMES, day
from phasegate.text_width import fit

PHASES, ROW = 34.0, 36.0
BAR, DIAMOND, CLOCK = 10.0, 7.0, 3.0
MIDDLE, FOOT = 14.0, 32.0
"""Within a row: where rounds are drawn, and on what the marks of clocks stand."""

HEIGHTS = {"reminder": 6.0, "overdue": 8.0, "manager": 8.0}
TALLEST = 10.0
T = TypeVar("T")


@dataclass(frozen=True)
class PhaseBar:
    bar: Span
    in_market: bool
    label: str
    text: str


@dataclass(frozen=True)
class Decided:
    """A decision, or the last of several too near each other to be drawn apart."""

    x: float
    state: str
    text: str
    count: int


@dataclass(frozen=True)
class Fired:
    """A clock that fired, or several too near each other; the gravest gives its looks."""

    x: float
    height: float
    clock: str
    text: str


@dataclass(frozen=True)
class LifeRow:
    y: float
    name: str
    rounds: tuple[Span, ...]
    decided: tuple[Decided, ...]
    fired: tuple[Fired, ...]
    stuck: Span | None
    note: str


@dataclass(frozen=True)
class LifeChart:
    height: float
    right: float
    ticks: tuple[Tick, ...]
    phases: tuple[PhaseBar, ...]
    rows: tuple[LifeRow, ...]
    launch: float | None


def life_charts(life: RunRehearsed) -> list[tuple[str, LifeChart]]:
    """One run, until its launch and from there on: the years in the market would leave the months
    before them no room. The second part is left out where nothing happens in it."""
    at = life.launched_at
    if at is None:
        return [("Until it ends", _chart(life))]
    before, after = _part(life, lambda when: when < at), _part(life, lambda when: when >= at)
    found = [("Until its launch", _chart(before))]
    if after.rounds or after.clocks or after.stuck:
        later = after.model_copy(update={"started_at": at, "launched_at": None})
        found.append(("In the market", _chart(later)))
    return found


def _part(life: RunRehearsed, there: Callable[[datetime], bool]) -> RunRehearsed:
    kept = {
        "phases": [one for one in life.phases if there(one.start)],
        "rounds": [one for one in life.rounds if there(one.opened_at)],
        "clocks": [one for one in life.clocks if there(one.at)],
        "stuck": life.stuck if life.stuck and there(life.stuck.since) else None,
        "ended_at": life.ended_at if life.ended_at and there(life.ended_at) else None,
    }
    return life.model_copy(update=kept)


def _chart(life: RunRehearsed) -> LifeChart:
    """From its start to its last event; a gate has a row if it was opened."""
    axis = axis_over(_instants(life))
    titles = {held.gate: held.title for held in reversed(life.rounds)}
    order = dict.fromkeys(held.gate for held in life.rounds)
    stuck = life.stuck
    if stuck and stuck.where not in order:
        order[stuck.where] = None
        titles[stuck.where] = stuck.title or stuck.where
    top = AXIS + PHASES
    rows = [_row(life, gate, titles[gate], top + n * ROW, axis) for n, gate in enumerate(order)]
    return LifeChart(
        height=top + len(rows) * ROW,
        right=axis.right,
        ticks=axis.ticks(),
        phases=tuple(_phases(life, axis)),
        rows=tuple(rows),
        launch=axis.x(life.launched_at) if life.launched_at else None,
    )


def _instants(life: RunRehearsed) -> Iterator[datetime]:
    found = [life.started_at, *(phase.start for phase in life.phases)]
    found += [at for held in life.rounds for at in (held.opened_at, held.decided_at) if at]
    found += [fired.at for fired in life.clocks]
    found += [at for at in (life.launched_at, life.ended_at) if at]
    yield from found
    if life.stuck:  # for good: the rest of the time would leave no room for what happened
        lived = life.stuck.since - life.started_at
        yield life.stuck.since + max(lived / 8, SHORTEST / 2)


def _phases(life: RunRehearsed, axis: Axis) -> Iterator[PhaseBar]:
    for n, phase in enumerate(life.phases):
        end = phase.end or (life.phases[n + 1].start if n + 1 < len(life.phases) else None)
        bar = span(axis.x(phase.start), axis.x(end) if end else axis.right, edge=axis.right)
        until = f"to {day(end)}" if end else "and does not end in this run"
        yield PhaseBar(
            bar=bar,
            in_market=phase.in_market,
            label=fit(phase.title, bar.width - GAP, SIZE),
            text=f"{phase.title}: {day(phase.start)} {until}",
        )


def _row(life: RunRehearsed, gate: str, title: str, y: float, axis: Axis) -> LifeRow:
    held = [one for one in life.rounds if one.gate == gate]
    stuck = life.stuck if life.stuck and life.stuck.where == gate else None
    return LifeRow(
        y=y,
        name=fit(title, NAMES - GAP, SIZE),
        rounds=tuple(_rounds((one for one in held if one.decided_at or not stuck), axis)),
        decided=tuple(_decisions(held, axis)),
        fired=tuple(_clocks((one for one in life.clocks if one.gate == gate), axis)),
        stuck=_for_good(stuck, axis),
        note="stuck" if stuck else "",
    )


def _rounds(held: Iterable[RoundRehearsed], axis: Axis) -> Iterator[Span]:
    for one in held:
        end = axis.x(one.decided_at) if one.decided_at else axis.right
        yield span(axis.x(one.opened_at), end, least=1.5, edge=axis.right)


def _for_good(stuck: StuckAt | None, axis: Axis) -> Span | None:
    return span(axis.x(stuck.since), axis.right, edge=axis.right) if stuck else None


def _decisions(held: Iterable[RoundRehearsed], axis: Axis) -> Iterator[Decided]:
    decided = [(axis.x(one.decided_at), one) for one in held if one.decided_at]
    for group in _near(decided, DIAMOND * 2, chained=True):
        last = group[-1][1]
        text = "; ".join(_of_round(one) for _, one in group)
        state = GATES.get(last.outcome or "", "abandoned")
        yield Decided(group[-1][0], state, text, len(group))


def _of_round(one: RoundRehearsed) -> str:
    word = OUTCOMES.get(one.outcome or "", one.outcome or "ended")
    how = " by its deadline" if one.by_timeout else ""
    return f"{one.title}, round {one.round}: {word}{how} on {day(one.decided_at)}"


def _clocks(fired: Iterable[ClockFired], axis: Axis) -> Iterator[Fired]:
    placed = sorted(((axis.x(one.at), one) for one in fired), key=lambda pair: pair[0])
    for group in _near(placed, CLOCK + 1):
        worst = max((one.clock for _, one in group), key=CLOCKS.index)
        text = "; ".join(f"{day(one.at)} {of_clock(one)}" for _, one in group)
        yield Fired(group[0][0], HEIGHTS.get(worst, TALLEST), worst, text)


def of_clock(one: ClockFired) -> str:
    """`reminder: ada, bob`"""
    said, who = CLOCK_WORDS[one.clock], who_of(one)
    return f"{said}: {who}" if who else said


def who_of(one: ClockFired) -> str:
    """Whom a clock concerned, and who may act for them: `bob (ada may act), eve`."""
    each = one.acting_for or dict.fromkeys(one.people, one.acting)
    alike: dict[tuple[str, ...], list[str]] = {}
    for person in one.people:
        alike.setdefault(tuple(each.get(person, ())), []).append(person)
    nobody = " (nobody may act)" if one.clock == "manager" else ""
    return ", ".join(
        ", ".join(who) + (f" ({', '.join(others)} may act)" if others else nobody)
        for others, who in sorted(alike.items(), key=lambda pair: not pair[0])  # the bare ones last
    )


def _near(
    items: Iterable[tuple[float, T]], room: float, *, chained: bool = False
) -> Iterator[list[tuple[float, T]]]:
    """In their order, those within `room` pixels of the first of a group; `chained`, of the one
    before."""
    group = list[tuple[float, T]]()
    for x, item in items:
        if group and x - group[-1 if chained else 0][0] >= room:
            yield group
            group = []
        group.append((x, item))
    if group:
        yield group


def shown_lives(found: Rehearsal) -> list[RunRehearsed]:
    """The run that launches at the median, else the first that goes on, else the first; and the
    example of where most runs get stuck, if that is another."""
    middle = found.launch.p50
    tests: list[Callable[[RunRehearsed], bool]] = [
        lambda life: middle is not None and life.launched_at == middle and not life.stuck,
        lambda life: middle is not None and life.launched_at == middle,
        lambda life: life.stuck is None,
        lambda life: True,
    ]
    typical = next((life for test in tests for life in found.lives if test(life)), None)
    example = found.stuck[0].example if found.stuck else None
    stuck = next((life for life in found.lives if life.number == example), None)
    chosen = {life.number: life for life in (typical, stuck) if life}
    return list(chosen.values())
