"""Pictures of rehearsals, laid out: nothing outside its frame, nothing upon another, in order."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rehearsals import START, rehearsal

from phasegate.rehearsal_chart import NAMES, NOTES, SIZE, WIDTH, Span, axis_over, percent, span
from phasegate.rehearsal_chart_gates import BAND, GatesChart, gates_chart
from phasegate.rehearsal_chart_launch import BASE, LEFT, MOST, TOP, LaunchChart, launch_chart
from phasegate.rehearsal_chart_life import CLOCK, DIAMOND, LifeChart, life_charts, shown_lives
from phasegate.rehearsal_chart_outcomes import STACK_ROW, OutcomesChart, outcomes_chart
from phasegate.rehearsal_chart_waits import MOST as MOST_BARS
from phasegate.rehearsal_chart_waits import WaitsChart, waited_for, waits_chart
from phasegate.rehearsal_view import (
    Bottleneck,
    DateSpread,
    GateRehearsed,
    Rehearsal,
    RunRehearsed,
    StuckAt,
)
from phasegate.text_width import width_of

DAY = timedelta(days=1)
CASES = st.builds(
    rehearsal,
    gates=st.integers(1, 6),
    runs=st.integers(1, 25),
    stuck=st.sampled_from([0, 0.3, 1]),
    seed=st.integers(0, 10**6),
    words=st.sampled_from(["", " of all that has a long name"]),
)


def inside(spans: Iterable[Span], left: float, right: float) -> None:
    for one in spans:
        assert one.width > 0
        assert left - 0.01 <= one.x
        assert one.end <= right + 0.01


def apart(spans: Iterable[Span]) -> None:
    for one, other in pairwise(spans):
        assert one.end <= other.x + 0.02


@settings(max_examples=40, deadline=None)
@given(CASES)
def test_every_picture_keeps_to_its_frame(found: Rehearsal) -> None:
    launch = launch_chart(found)
    if launch:
        launches_keep_to_their_frame(launch, found)
    if gates := gates_chart(found, found.gates):
        gates_keep_to_their_frame(gates)
    if outcomes := outcomes_chart(found.gates):
        outcomes_tile_their_rows(outcomes, found)
    for kind in ("person", "group"):
        if waits := waits_chart(found, kind):
            waits_keep_to_their_frame(waits)
    for life in found.lives[:5]:
        for _, chart in life_charts(life):
            lives_keep_to_their_frame(chart)


def launches_keep_to_their_frame(chart: LaunchChart, found: Rehearsal) -> None:
    columns = [Span(one.x, one.width) for one in chart.columns]
    inside(columns, LEFT, chart.right)
    apart(columns)
    assert len(columns) <= MOST + 2
    every = [*chart.columns, *([chart.never] if chart.never else [])]
    assert sum(one.runs for one in every) == found.runs
    assert all(one.y >= TOP - 0.01 and abs(one.y + one.height - BASE) < 0.01 for one in every)
    tallest = max(every, key=lambda one: one.height)
    assert tallest.runs == max(one.runs for one in every)
    assert [one.by for one in chart.columns] == sorted(one.by for one in chart.columns)
    if chart.never:
        assert chart.right < chart.never.x
        assert chart.never.x + chart.never.width <= WIDTH
    for one, other in pairwise(chart.markers):
        assert one.x <= other.x
        assert one.y + SIZE <= other.y, "words on each other"
    for mark in chart.markers:
        assert mark.x >= LEFT
        assert mark.x + 5 + width_of(mark.label, SIZE * 1.15) <= WIDTH
        assert mark.y < TOP, "words on a column"
    assert 2 <= len(chart.levels) <= 5
    assert all(TOP <= level.y <= BASE for level in chart.levels)


def gates_keep_to_their_frame(chart: GatesChart) -> None:
    for row, below in pairwise(chart.rows):
        assert row.y + 2 * BAND < below.y
    for row in chart.rows:
        assert width_of(row.name, SIZE) <= NAMES
        assert width_of(row.note, SIZE) <= NOTES
        bands = [band for band in (row.decided, row.passed) if band]
        for band in bands:
            parts = [part for part in (band.likely, band.late) if part]
            inside([band.whole, *parts], NAMES, chart.right)
            if band.middle is not None:
                assert band.whole.x <= band.middle <= band.whole.end
            assert band.open == (row.gate.decided.p95 is None) or band is row.passed
            if band.open:
                assert band.whole.end == pytest.approx(chart.right)
        if len(bands) == 2:
            assert bands[0].y + BAND < bands[1].y


def outcomes_tile_their_rows(chart: OutcomesChart, found: Rehearsal) -> None:
    held = [gate for gate in found.gates if gate.rounds]
    for gate, row in zip(held, chart.rows, strict=True):
        assert row.y + STACK_ROW <= chart.height + 0.01
        assert row.parts[0].x == NAMES
        last = row.parts[-1]
        assert last.x + last.width == pytest.approx(WIDTH - NOTES, abs=0.02)
        for one, other in pairwise(row.parts):
            assert one.x + one.width == pytest.approx(other.x, abs=0.02)
        for part in row.parts:
            assert width_of(part.label, SIZE) <= part.width
            n = gate.open if part.outcome == "open" else gate.outcomes[part.outcome]
            assert part.width == pytest.approx(n / gate.rounds * (WIDTH - NAMES - NOTES), abs=0.02)


def waits_keep_to_their_frame(chart: WaitsChart) -> None:
    for row in chart.rows:
        inside([row.all, *([row.critical] if row.critical else [])], NAMES, WIDTH - NOTES)
        if row.critical:
            assert row.critical.width <= row.all.width + 0.01
        assert width_of(row.note, SIZE) <= NOTES
    assert [level.x for level in chart.levels] == sorted({level.x for level in chart.levels})
    assert chart.levels[0].x == NAMES
    assert chart.levels[-1].x == pytest.approx(WIDTH - NOTES)


def lives_keep_to_their_frame(chart: LifeChart) -> None:
    inside([phase.bar for phase in chart.phases], NAMES, chart.right)
    for phase in chart.phases:
        assert width_of(phase.label, SIZE) <= phase.bar.width
    for row in chart.rows:
        inside(row.rounds, NAMES, chart.right)
        inside([row.stuck] if row.stuck else [], NAMES, chart.right)
        for mark, next_mark in pairwise(row.decided):
            assert next_mark.x - mark.x >= DIAMOND * 2 - 0.01, "diamonds on each other"
        for clock, next_clock in pairwise(row.fired):
            assert next_clock.x - clock.x >= CLOCK, "clocks on each other"
        for x in (*(one.x for one in row.decided), *(one.x for one in row.fired)):
            assert NAMES <= x <= chart.right
    labels = [tick for tick in chart.ticks if tick.label]
    for tick, next_tick in pairwise(labels):
        assert tick.x + 4 + width_of(tick.label, 11) <= next_tick.x
    assert all(tick.x + 60 <= chart.right for tick in labels)


@given(st.lists(st.integers(0, 10**7), min_size=2), st.integers(1, 5))
def test_later_is_further_right(minutes: list[int], wide: int) -> None:
    instants = sorted(START + timedelta(minutes=one) for one in minutes)
    axis = axis_over(instants, left=10, right=10 + 100 * wide)
    places = [axis.x(at) for at in instants]
    assert places == sorted(places)
    assert places[0] > 10
    assert places[-1] < axis.right
    assert [tick.x for tick in axis.ticks()] == sorted(tick.x for tick in axis.ticks())


def test_what_is_too_short_is_shown_and_stays_inside() -> None:
    assert span(10, 10) == Span(10, 2)
    assert span(100, 100, edge=100) == Span(98, 2)


@pytest.mark.parametrize(
    ("part", "whole", "said"),
    [(0, 1000, "0 %"), (1, 1000, "<1 %"), (999, 1000, ">99 %"), (5, 5, "100 %"), (1, 3, "33 %")],
)
def test_some_are_not_none_and_nearly_all_not_all(part: int, whole: int, said: str) -> None:
    assert percent(part, whole) == said


def test_one_run_and_no_launch_have_no_distribution() -> None:
    assert launch_chart(rehearsal(3, 1)) is None
    assert launch_chart(rehearsal(3, 5, stuck=1)) is None


def test_runs_that_all_launch_on_one_day_are_one_column() -> None:
    found = rehearsal(1, 4)
    for life in found.lives:
        life.launched_at = START + 40 * DAY
    found.launch = DateSpread(runs=4, n=4, p50=START + 40 * DAY)
    chart = launch_chart(found)
    assert chart is not None
    assert [(one.runs, one.text) for one in chart.columns] == [(4, "2027-02-13: 4 runs")]
    assert chart.columns[0].width < 100
    assert chart.never is None


def test_a_lone_launch_after_centuries_is_drawn_too() -> None:
    found = rehearsal(1, 2)
    found.lives[0].launched_at, found.lives[1].launched_at = START, START + 200_000 * DAY
    chart = launch_chart(found)
    assert chart is not None
    assert 2 <= len(chart.columns) <= MOST + 2


def test_gates_that_nobody_came_to_say_so() -> None:
    found = rehearsal(2, 3)
    new = GateRehearsed(gate="late", title="Late")
    chart = gates_chart(found, [*found.gates, new])
    assert chart is not None
    assert chart.rows[-1].note == "not reached"
    assert chart.rows[-1].decided is None
    assert gates_chart(found, [new]) is None
    assert outcomes_chart([new]) is None


def test_a_gate_that_no_run_decides_is_open_to_the_edge() -> None:
    found = rehearsal(1, 4, stuck=1)
    chart = gates_chart(found, found.gates[:1])
    assert chart is not None
    row = chart.rows[0]
    assert row.note == "stuck 100 %"
    if found.gates[0].decided.n == 0:
        assert row.decided is not None
        assert row.decided.open
        assert row.decided.middle is None


def test_runs_that_end_while_a_gate_is_open_are_counted_beside_it() -> None:
    gate = GateRehearsed(
        gate="g0", title="G", runs=4, rounds=4, open=3, outcomes={"odd": 1},
        opened=DateSpread(runs=4, n=4, p50=START), decided=DateSpread(runs=4, n=1),
    )  # fmt: skip
    chart = gates_chart(rehearsal(1, 4), [gate])
    assert chart is not None
    assert chart.rows[0].note == "open 75 %"
    outcomes = outcomes_chart([gate])
    assert outcomes is not None
    assert outcomes.words == (("open", "Undecided"), ("odd", "odd"))


def test_a_life_is_told_until_its_launch_and_from_there() -> None:
    life = rehearsal(2, 1).lives[0]
    until, later = life_charts(life)
    assert (until[0], later[0]) == ("Until its launch", "In the market")
    assert [row.name for row in later[1].rows] == ["Review"]
    assert until[1].launch is not None
    alone = life.model_copy(update={"rounds": life.rounds[:2]})
    assert len(life_charts(alone)) == 1, "a part in which nothing happens"


def test_decisions_too_near_each_other_are_one_mark_with_all_their_words() -> None:
    life = rehearsal(1, 1).lives[0]
    held = life.rounds[0]
    life.launched_at = None
    life.rounds = [
        held.model_copy(update={"round": n, "decided_at": START + day * DAY, "opened_at": START})
        for n, day in enumerate((100, 106, 112, 400), 1)
    ]
    ((_, chart),) = life_charts(life)
    near, far = chart.rows[0].decided
    assert far.x - near.x > DIAMOND * 2
    assert (near.count, near.text.count("round")) == (3, 3)


def test_what_is_stuck_outside_of_gates_has_a_row_of_its_own() -> None:
    stuck = StuckAt(kind="milestone", where="beta", since=START + 9 * DAY, why="never met")
    life = RunRehearsed(number=1, seed=1, status="active", started_at=START, stuck=stuck)
    ((_, chart),) = life_charts(life)
    assert [(row.name, row.note) for row in chart.rows] == [("beta", "stuck")]
    assert chart.rows[0].stuck is not None
    assert chart.rows[0].stuck.end == pytest.approx(chart.right)


def test_it_shows_the_median_run_and_the_one_that_most_get_stuck_like() -> None:
    found = rehearsal(3, 40, stuck=0.3)
    typical, stuck = shown_lives(found)
    assert typical.launched_at == found.launch.p50
    assert stuck.number == found.stuck[0].example
    found.stuck = []
    assert shown_lives(found) == [typical]
    found.lives = []
    assert shown_lives(found) == []


def test_the_longest_bars_are_shown_and_the_rest_counted() -> None:
    found = rehearsal(1, 1)
    found.bottlenecks = [Bottleneck(who=f"p{n}", days=30 - n, critical=n % 2) for n in range(20)]
    found.bottlenecks.append(Bottleneck(who="quick"))
    chart = waits_chart(found, "person")
    assert chart is not None
    assert len(chart.rows) == MOST_BARS
    assert chart.more == 20 - MOST_BARS
    assert "quick" not in [one.who for one in waited_for(found, "person")]
    assert waits_chart(found, "group") is None
