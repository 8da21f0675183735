"""Rehearsals made up for pictures: any number of gates and runs, with or without getting stuck."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from random import Random

from phasegate.rehearsal_sums import PASSES, bottlenecks, date_spread, day_spread
from phasegate.rehearsal_view import (
    AbsenceRehearsed,
    ClockFired,
    GateRehearsed,
    PhaseRehearsed,
    Rehearsal,
    RoundRehearsed,
    RunRehearsed,
    StuckAt,
    StuckShare,
    Waited,
)

START = datetime(2027, 1, 4, 9, tzinfo=UTC)
DAY = timedelta(days=1)
PEOPLE = ("mara", "noor", "otto", "pia", "quentin", "rosa", "sven", "tuula")
GROUPS = ("product", "engineering", "finance", "security")
HOSTILE = "<script>alert(1)</script>\"&'>\u202e\u200b\x07</text></svg>"
TITLES = ("G1: idea screen", "G2: second screen", "G3: go to development", "G4: go to testing",
          "G5: go to launch", "Pricing", "Partner readiness", "Legal and privacy sign-off of all",
          "Field trial", "Supply")  # fmt: skip


def rehearsal(
    gates: int = 3,
    runs: int = 100,
    *,
    stuck: float = 0.0,
    seed: int = 7,
    alone: Iterable[str] = (),
    swept: bool = True,
    people: Iterable[str] = PEOPLE,
    words: str = "",
) -> Rehearsal:
    """`stuck` is the share of runs that stop at a gate, `alone` who deadlocks one by being away;
    `words` stands in every text that anybody may have written."""
    who = [f"{one}{words}" for one in people]
    names = [f"{TITLES[n % len(TITLES)]}{words}" for n in range(gates)]
    lives = [_life(names, n, Random(f"{seed}/{n}"), stuck, who, words) for n in range(1, runs + 1)]  # noqa: S311
    found = [_gate(f"g{n}", name, lives) for n, name in enumerate([*names, f"Review{words}"])]
    got_stuck = [life for life in lives if life.stuck]
    return Rehearsal(
        policy=f"made-up{words}",
        policy_title=f"Made up{words}",
        policy_version="3",
        policy_digest="sha256:" + "5ab1e0" * 10 + "5ab1",
        product="kettle",
        product_name=f"Kettle{words}",
        tier=1,
        directory=f"people of the house{words}",
        people=f"script{words}.yaml",
        seed=seed,
        runs=runs,
        start=START,
        until=START + 3650 * DAY,
        launch=date_spread(life.launched_at for life in lives),
        launch_phase="market",
        statuses=dict(Counter(life.status for life in lives)),
        gates=found,
        clocks=dict(sum((Counter(gate.clocks) for gate in found), Counter[str]())),
        outcomes=dict(sum((Counter(gate.outcomes) for gate in found), Counter[str]())),
        bottlenecks=bottlenecks(lives),
        stuck=list(_stuck(got_stuck, runs)),
        stuck_share=len(got_stuck) / runs,
        absences=[_absence(one, names, one in set(alone)) for one in people] if swept else [],
        absent_until=datetime(2030, 1, 4, 9, tzinfo=UTC) if swept else None,
        lives=lives,
    )


def _life(
    names: list[str], number: int, chance: Random, stuck: float, who: list[str], words: str
) -> RunRehearsed:
    at, life = (
        START,
        RunRehearsed(number=number, seed=number * 17, status="active", started_at=START),
    )
    stop = chance.randrange(len(names)) if chance.random() < stuck else None
    for n, name in enumerate(names):
        since, held = at, 0
        at += DAY * chance.randint(20, 70)
        while True:
            held += 1
            opened, at = at, at + DAY * chance.triangular(2, 20, 4)
            _clocks(life, n, held, opened, at, chance, who)
            waited = [_waited(one, at - opened, chance) for one in chance.sample(who, 3)]
            again = chance.random() < 0.2
            now = RoundRehearsed(gate=f"g{n}", title=name, round=held, opened_at=opened,
                                 waited=waited)  # fmt: skip
            life.rounds.append(now)
            if n == stop:
                why = f"nobody of engineering may answer: {who[2]} is away{words}"
                life.stuck = StuckAt(kind="gate", where=f"g{n}", title=name, round=held,
                                     since=opened, waits_for=[who[2]],
                                     groups=[f"engineering{words}"], why=why)  # fmt: skip
                life.phases.append(
                    PhaseRehearsed(phase=f"p{n}", title=f"Phase {n}{words}", start=since)
                )
                return life
            now.decided_at = at
            now.outcome = "recycle" if again else chance.choice(["go", "go", "conditional-go"])
            now.by_timeout = chance.random() < 0.1
            if not again:
                break
            at += DAY * chance.randint(5, 20)
        life.phases.append(
            PhaseRehearsed(phase=f"p{n}", title=f"Phase {n}{words}", start=since, end=at)
        )
    life.launched_at = at
    life.phases.append(
        PhaseRehearsed(phase="market", title=f"In the market{words}", start=at, in_market=True)
    )
    for year in range(3):
        opened = at + DAY * (90 + 365 * year)
        life.rounds.append(
            RoundRehearsed(gate=f"g{len(names)}", title=f"Review{words}", kind="review",
                           round=year + 1, opened_at=opened, outcome="go",
                           decided_at=opened + DAY * chance.randint(2, 9))
        )  # fmt: skip
    return life


def _clocks(
    life: RunRehearsed,
    n: int,
    held: int,
    opened: datetime,
    at: datetime,
    chance: Random,
    who: list[str],
) -> None:
    for days, clock in ((3, "reminder"), (5, "reminder"), (7, "overdue"), (14, "escalation")):
        if opened + DAY * days < at:
            people = [] if clock == "escalation" else chance.sample(who, 2)
            life.clocks.append(ClockFired(at=opened + DAY * days, clock=clock, gate=f"g{n}",
                                          round=held, people=people))  # fmt: skip


def _waited(who: str, length: timedelta, chance: Random) -> Waited:
    days = length / DAY * chance.random() ** (1 + len(who) % 3)
    return Waited(
        who=who, groups=[GROUPS[len(who) % 4]], days=days, critical=days * chance.random()
    )


def _gate(gate: str, title: str, lives: list[RunRehearsed]) -> GateRehearsed:
    held = [[one for one in life.rounds if one.gate == gate] for life in lives]
    every = [one for rounds in held for one in rounds]
    passes = [[o.decided_at for o in rounds if o.outcome in PASSES] for rounds in held]
    return GateRehearsed(
        gate=gate,
        title=title,
        kind="review" if title.startswith("Review") else "phase",
        runs=sum(bool(rounds) for rounds in held),
        rounds=len(every),
        open=sum(one.decided_at is None for one in every),
        opened=date_spread(rounds[0].opened_at if rounds else None for rounds in held),
        decided=date_spread(rounds[0].decided_at if rounds else None for rounds in held),
        passed=date_spread(dates[0] if dates else None for dates in passes),
        days=day_spread((o.decided_at - o.opened_at) / DAY for o in every if o.decided_at),
        outcomes=dict(Counter(one.outcome for one in every if one.outcome)),
        clocks=dict(Counter(c.clock for life in lives for c in life.clocks if c.gate == gate)),
        stuck=sum(life.stuck is not None and life.stuck.where == gate for life in lives),
    )


def _stuck(got: list[RunRehearsed], runs: int) -> Iterable[StuckShare]:
    for where, n in Counter(life.stuck.where for life in got if life.stuck).most_common():
        life = next(life for life in got if life.stuck and life.stuck.where == where)
        assert life.stuck
        yield StuckShare(
            kind="gate", where=where, title=life.stuck.title, runs=n, share=n / runs,
            waits_for=life.stuck.waits_for, groups=life.stuck.groups, why=life.stuck.why,
            example=life.number,
        )  # fmt: skip


def _absence(person: str, names: list[str], stops: bool) -> AbsenceRehearsed:
    stuck = StuckAt(kind="gate", where="g1", title=names[-1], round=1, since=START + 60 * DAY,
                    waits_for=[person], groups=["engineering"],
                    why="engineering needs 1 vote and nobody else may give it")  # fmt: skip
    return AbsenceRehearsed(
        person=person,
        name=person.title(),
        groups=["engineering"],
        stuck=stuck if stops else None,
        timed_out=["g0"] if person == "pia" else [],
        decided={"g0": {"hold": 2}} if person == "pia" else {},
        status="active",
        launched_at=None if stops else START + 300 * DAY,
        delay_days=None if stops else float(len(person) - 4),
    )
