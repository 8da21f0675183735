"""A rehearsal as people read it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from commands.output import Block, Fields, Grid, dense
from commands.times import day_of
from phasegate.rehearsal_chart_life import who_of
from phasegate.rehearsal_sums import stops, tried
from phasegate.rehearsal_view import (
    CLOCK_WORDS,
    AbsenceRehearsed,
    DateSpread,
    Rehearsal,
    RunRehearsed,
)

SHOWN = 12
"""Bottlenecks of each kind that the table has; JSON has all."""


def rehearsal_blocks(found: Rehearsal) -> Iterable[Block]:
    """What must not be overlooked first: where it gets stuck, and who alone makes it so."""
    yield Fields(list(_stuck(found)), loud=True)
    yield Fields([*_head(found)])
    yield _gates(found)
    yield _absences(found)
    yield _bottlenecks(found)
    if found.runs == 1 and found.lives:
        yield _time_line(found.lives[0])


def _stuck(found: Rehearsal) -> Iterator[tuple[str, object]]:
    for place in found.stuck:
        share = f" in {place.runs} of {found.runs} runs" if found.runs > 1 else ""
        yield "stuck", f"{place.where}{share}: {place.why}"
    for one in found.absences:
        if one.stuck:
            yield "stuck", f"{one.stuck.where}, when {_name(one)} alone is away: {one.stuck.why}"
        elif stops(one, found):
            yield "killed", f"by a deadline, when {_name(one)} alone is away: {_decided(one)}"


def _head(found: Rehearsal) -> Iterator[tuple[str, object]]:
    yield "rehearsed", f"{found.policy} {found.policy_version}, {found.product_name}"
    yield "people", found.people or "everybody says go, halfway through their time to answer"
    runs = "1 run" if found.runs == 1 else f"{found.runs} runs"
    end = f"the launch, {day_of(found.until)} at the latest" if found.to_launch else ""
    end = end or day_of(found.until)
    yield "runs", f"{runs}, seed {found.seed}, {day_of(found.start)} to {end}"
    if found.launch_phase:
        yield "launch", _dates(found.launch, found.runs)
    yield "ends as", _counts(found.statuses)
    yield "clocks", _clocks(found.clocks)
    yield "not reached", ", ".join(gate.gate for gate in found.gates if not gate.runs)
    yield "one away", _one_away(found)


def _one_away(found: Rehearsal) -> str:
    """How far that was tried: what it does not find later, nobody has looked for."""
    if not found.absences:
        return "not tried; --absent-each leaves each person out in turn"
    many = len(found.absences)
    people = f"{many} people, each alone" if many > 1 else "1 person"
    people += f", {tried(found)}"
    if not any(stops(one, found) for one in found.absences):
        which = " reached by then" if found.absent_unreached else ""
        people += f": nobody's leave stops {'another' if found.stuck else 'a'} gate{which}"
    reached = {gate.gate for gate in found.gates if gate.runs}
    if only := [gate for gate in found.absent_unreached if gate in reached]:
        people += f"; not reached by then: {', '.join(only)}"
    return people


def _name(one: AbsenceRehearsed) -> str:
    return f"{one.name} ({one.person})" if one.name not in ("", one.person) else one.person


def _decided(one: AbsenceRehearsed) -> str:
    return "; ".join(f"{gate}: {_counts(words)}" for gate, words in one.decided.items())


def _counts(found: dict[str, int]) -> str:
    return ", ".join(f"{word} {count}" for word, count in found.items())


def _clocks(fired: dict[str, int]) -> str:
    return _counts({CLOCK_WORDS[clock]: count for clock, count in fired.items()})


def _dates(spread: DateSpread, runs: int) -> str:
    if runs == 1:
        return day_of(spread.p50) or "never"
    marks = (("P50", spread.p50), ("P80", spread.p80), ("P95", spread.p95))
    dates = ", ".join(f"{mark} {day_of(at) or 'never'}" for mark, at in marks)
    return f"{dates}; {spread.n} of {spread.runs} runs"


def _gates(found: Rehearsal) -> Grid:
    passes = ("passes P50", "P80", "P95") if found.runs > 1 else ("passes", "", "")
    return dense(
        ("gate", "runs", "rounds", "opens", *passes, "days", "outcomes", "clocks", "stuck"),
        [
            (
                gate.gate,
                gate.runs if found.runs > 1 else "",
                gate.rounds,
                day_of(gate.opened.p50),
                day_of(gate.passed.p50),
                day_of(gate.passed.p80) if found.runs > 1 else "",
                day_of(gate.passed.p95) if found.runs > 1 else "",
                f"{gate.days.p50:.1f}" if gate.days.p50 is not None else "",
                _counts(gate.outcomes),
                _clocks(gate.clocks),
                gate.stuck or "",
            )
            for gate in found.gates
        ],
        "Gates",
    )


def _absences(found: Rehearsal) -> Grid:
    return dense(
        ("away", "groups", "stuck at", "launch", "days later", "a deadline decided"),
        [
            (
                one.person,
                one.groups,
                one.stuck.where if one.stuck else "",
                day_of(one.launched_at) or ("never" if found.launch_phase else ""),
                f"{one.delay_days:+.1f}" if round(one.delay_days or 0, 1) else "",
                _decided(one),
            )
            for one in found.absences
        ],
        "One person away",
    )


def _bottlenecks(found: Rehearsal) -> Grid:
    rows = [
        row
        for kind in ("person", "group")
        for row in [one for one in found.bottlenecks if one.kind == kind and one.days][:SHOWN]
    ]
    return dense(
        (
            "waited for",
            "kind",
            "asked",
            "late",
            "silent",
            "days",
            "days that held a gate up",
            "most at",
        ),
        [
            (
                row.who,
                row.kind,
                row.asked,
                row.late or "",
                row.unanswered or "",
                f"{row.days:.1f}",
                f"{row.critical:.1f}" if round(row.critical, 1) else "",
                row.worst_gate,
            )
            for row in rows
        ],
        "Bottlenecks",
    )


def _time_line(run: RunRehearsed) -> Grid:
    lines = [(phase.start, f"enters {phase.title}", "") for phase in run.phases]
    for held in run.rounds:
        lines.append((held.opened_at, f"{held.gate} opens", f"round {held.round}"))
        if held.decided_at:
            lines.append((held.decided_at, f"{held.gate}: {held.outcome}", held.why))
    for fired in run.clocks:
        if fired.clock not in ("reminder", "hold", "kill"):
            lines.append((fired.at, f"{fired.gate}: {CLOCK_WORDS[fired.clock]}", who_of(fired)))
    if run.ended_at:
        lines.append((run.ended_at, run.status, ""))
    return dense(
        ("day", "what", "why or who"),
        [(day_of(at), what, why) for at, what, why in sorted(lines, key=lambda line: line[0])],
        "Time line",
    )
