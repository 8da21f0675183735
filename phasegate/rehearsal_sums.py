"""What many rehearsed lives come to: dates, clocks, bottlenecks, and where they get stuck."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from phasegate.directory import Directory
from phasegate.figures import days, rank
from phasegate.policy import Policy
from phasegate.rehearsal_record import kinds
from phasegate.rehearsal_view import (
    CLOCKS,
    AbsenceRehearsed,
    Bottleneck,
    DateSpread,
    DaySpread,
    GateRehearsed,
    Rehearsal,
    RunRehearsed,
    StuckShare,
    Waited,
)
from phasegate.roadmap_words import day

PASSES = ("go", "conditional-go")


def date_spread(found: Iterable[datetime | None]) -> DateSpread:
    """Of all runs: those that never came to it are later than every date."""
    every = list(found)
    dates = sorted(at for at in every if at)

    def at(percent: int) -> datetime | None:
        place = rank(len(every), percent)
        return dates[place] if place < len(dates) else None

    if not every:
        return DateSpread()
    return DateSpread(runs=len(every), n=len(dates), p50=at(50), p80=at(80), p95=at(95))


def day_spread(found: Iterable[float]) -> DaySpread:
    """Of durations in days."""
    ordered = sorted(found)
    if not ordered:
        return DaySpread()
    p50, p80, p95 = (ordered[rank(len(ordered), percent)] for percent in (50, 80, 95))
    return DaySpread(n=len(ordered), p50=p50, p80=p80, p95=p95, max=ordered[-1])


def summed(head: Rehearsal, policy: Policy, lives: Sequence[RunRehearsed]) -> Rehearsal:
    """The head, which says what was rehearsed, with what these lives come to."""
    rounds = [held for run in lives for held in run.rounds]
    market = next((phase.id for phase in policy.phases if phase.in_market), "")
    return head.model_copy(
        update={
            "launch": date_spread(run.launched_at for run in lives),
            "launch_phase": market,
            "statuses": dict(sorted(Counter(run.status for run in lives).items())),
            "gates": [_gate(id, policy, lives) for id in kinds(policy)],
            "clocks": _fired(fired.clock for run in lives for fired in run.clocks),
            "outcomes": dict(sorted(Counter(r.outcome for r in rounds if r.outcome).items())),
            "bottlenecks": bottlenecks(lives),
            "stuck": _stuck(lives),
            "stuck_share": round(sum(run.stuck is not None for run in lives) / len(lives), 4)
            if lives
            else 0,
            "lives": list(lives),
        }
    )


def _fired(clocks: Iterable[str]) -> dict[str, int]:
    found = Counter(clocks)
    return {clock: found[clock] for clock in CLOCKS if found[clock]}


def _gate(id: str, policy: Policy, lives: Sequence[RunRehearsed]) -> GateRehearsed:
    title, kind = kinds(policy)[id]
    held = [[r for r in run.rounds if r.gate == id] for run in lives]
    rounds = [r for of_run in held for r in of_run]
    passes = [[r.decided_at for r in of_run if r.outcome in PASSES] for of_run in held]
    return GateRehearsed(
        gate=id,
        title=title,
        kind=kind,
        runs=sum(bool(of_run) for of_run in held),
        rounds=len(rounds),
        open=sum(r.decided_at is None for r in rounds),
        opened=date_spread(of_run[0].opened_at if of_run else None for of_run in held),
        decided=date_spread(of_run[0].decided_at if of_run else None for of_run in held),
        passed=date_spread(of_run[0] if of_run else None for of_run in passes),
        days=day_spread(days(r.decided_at - r.opened_at) for r in rounds if r.decided_at),
        outcomes=dict(sorted(Counter(r.outcome for r in rounds if r.outcome).items())),
        clocks=_fired(f.clock for run in lives for f in run.clocks if f.gate == id),
        stuck=sum(run.stuck is not None and run.stuck.where == id for run in lives),
    )


@dataclass
class _Tally:
    asked: int = 0
    late: int = 0
    unanswered: int = 0
    days: float = 0
    critical: float = 0
    gates: dict[str, float] = field(default_factory=lambda: defaultdict(float))


def bottlenecks(lives: Sequence[RunRehearsed]) -> list[Bottleneck]:
    """People, then groups, each the worst first: by critical days, then by all days. A group has
    the days of its members in the steps in which they were asked for it, each person's once."""
    people: dict[str, _Tally] = defaultdict(_Tally)
    groups: dict[str, _Tally] = defaultdict(_Tally)
    for held in (held for run in lives for held in run.rounds):
        for waited in held.waited:
            _add(people[waited.who], held.gate, waited)
            for group in waited.groups:
                _add(groups[group], held.gate, waited.by_group.get(group, waited))

    def found(kind: str, tallies: dict[str, _Tally]) -> list[Bottleneck]:
        rows = [
            Bottleneck(
                who=who,
                kind="person" if kind == "person" else "group",
                asked=tally.asked,
                late=tally.late,
                unanswered=tally.unanswered,
                days=round(tally.days, 4),
                critical=round(tally.critical, 4),
                mean_critical=round(tally.critical / len(lives), 4),
                worst_gate=max(tally.gates, key=lambda gate: (tally.gates[gate], gate))
                if tally.critical
                else "",
            )
            for who, tally in tallies.items()
        ]
        return sorted(rows, key=lambda row: (-row.critical, -row.days, row.who))

    return [*found("person", people), *found("group", groups)]


def _add(tally: _Tally, gate: str, waited: Waited) -> None:
    """Once a round, in however many of its steps somebody was asked."""
    tally.asked += 1
    tally.late += waited.late
    tally.unanswered += waited.silent
    tally.days += waited.days
    tally.critical += waited.critical
    tally.gates[gate] += waited.critical


def _stuck(lives: Sequence[RunRehearsed]) -> list[StuckShare]:
    places: dict[tuple[str, str, tuple[str, ...]], list[RunRehearsed]] = defaultdict(list)
    for run in lives:
        if run.stuck:
            places[run.stuck.kind, run.stuck.where, tuple(run.stuck.waits_for)].append(run)
    found = []
    for (kind, where, waits_for), runs in places.items():
        first = runs[0].stuck
        assert first is not None
        found.append(
            StuckShare(
                kind=kind,
                where=where,
                title=first.title,
                runs=len(runs),
                share=round(len(runs) / len(lives), 4),
                waits_for=list(waits_for),
                groups=first.groups,
                why=first.why,
                example=runs[0].number,
            )
        )
    return sorted(found, key=lambda row: (-row.runs, row.where, row.waits_for))


def absences(
    alone: Sequence[RunRehearsed], base: RunRehearsed, directory: Directory
) -> list[AbsenceRehearsed]:
    """What each person's absence changes against the same life with everybody as scripted. Those
    with whom it gets stuck come first, then those with whom it is killed, then those who delay the
    launch most."""
    usual = {(r.gate, r.round) for r in base.rounds if r.by_timeout}
    found = []
    for run in alone:
        late = None
        if run.launched_at and base.launched_at:
            late = days(run.launched_at - base.launched_at)
        late_rounds = [r for r in run.rounds if r.by_timeout and (r.gate, r.round) not in usual]
        decided: dict[str, dict[str, int]] = {}
        for held in late_rounds:
            by = decided.setdefault(held.gate, {})
            by[held.outcome or ""] = by.get(held.outcome or "", 0) + 1
        same = run.stuck and base.stuck and run.stuck.where == base.stuck.where
        found.append(
            AbsenceRehearsed(
                person=run.absent,
                name=directory.name_of(run.absent),
                groups=list(directory.groups_of(run.absent)),
                stuck=None if same else run.stuck,
                timed_out=sorted(decided),
                decided=dict(sorted(decided.items())),
                status=run.status,
                outcome=run.status if run.ended_at else "",
                launched_at=run.launched_at,
                delay_days=late,
            )
        )
    return sorted(found, key=_worst)


def _worst(row: AbsenceRehearsed) -> tuple[bool, bool, float, str]:
    return row.stuck is None, row.outcome != "killed", -(row.delay_days or 0), row.person


def stops(away: AbsenceRehearsed, found: Rehearsal) -> bool:
    """Whether the product goes no further only because this one person is away."""
    return away.stuck is not None or (away.outcome == "killed" and "killed" not in found.statuses)


def tried(found: Rehearsal) -> str:
    """How far people were left out, as the end of a sentence: what comes later was not tried."""
    start, end = found.start, found.absent_until or found.until
    years = end.year - start.year
    whole = years > 0 and (end.month, end.day) == (start.month, start.day)
    span = f"in the first {years} years" if whole and years > 1 else f"before {day(end)}"
    return f"on the way to the launch, {span}" if found.to_launch else span


def unreached(gates: Iterable[str], alone: Sequence[RunRehearsed]) -> list[str]:
    """The gates to which none of these lives came."""
    came = {held.gate for run in alone for held in run.rounds}
    return [gate for gate in gates if gate not in came]
