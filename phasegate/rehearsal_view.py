"""What a rehearsal shows. Scripts rely on these names: add, don't rename.

Days are calendar days of 24 hours. Percentiles are nearest rank (RFC 2330, section 11.3; see
`phasegate.figures`): of n values in order the one at place ceil(p/100 · n), so each of them is the
value of some run.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from phasegate.base import Instant, Wire

ClockName = Literal["reminder", "overdue", "manager", "escalation", "hold", "kill"]
"""What a clock of a gate did: reminded somebody, found an answer late, came to the managers of who
is silent, escalated the gate at its resolve deadline, or ended it there with a hold or a kill."""

CLOCKS: tuple[ClockName, ...] = ("reminder", "overdue", "manager", "escalation", "hold", "kill")

CLOCK_WORDS: dict[str, str] = {clock: clock for clock in CLOCKS} | {"manager": "managers' turn"}
"""How people read them. That it is the managers' turn does not say that there is one who acts."""


class DateSpread(Wire):
    """Of `runs`, `n` came to it. A run that never did is later than every date, so a percentile is
    null where too few came."""

    runs: int = 0
    n: int = 0
    p50: Instant | None = None
    p80: Instant | None = None
    p95: Instant | None = None


class DaySpread(Wire):
    """Durations of what came to its end; null where nothing did."""

    n: int = 0
    p50: float | None = None
    p80: float | None = None
    p95: float | None = None
    max: float | None = None


class ClockFired(Wire):
    """`people` are those it concerned; none where it concerned the gate as a whole. `acting` may
    answer for them from then on: deputies of who is overdue, and managers at their turn."""

    at: Instant
    clock: ClockName
    gate: str
    round: int
    people: list[str] = []
    acting: list[str] = []
    acting_for: dict[str, list[str]] = Field({}, description="person → who may answer for them")


class Waited(Wire):
    """How long a gate waited for somebody: from being asked to answering, or to the end of the step
    or round in which they were asked.

    `critical` is the part of it in which everybody else who was asked in the step had answered, or
    that ended with it: days by which a faster answer would have moved the gate. `late` is whose
    time to answer ran out before they answered, whether they did so afterwards or not. `silent` is
    who gave no answer at all: though late, or to the deadline that decided, or for good. Who still
    had time when the gate went on without them is neither. `answered` is of the last step in which
    they were asked; who answered there is not silent.
    """

    who: str
    groups: list[str] = []
    days: float
    critical: float = 0
    answered: bool = True
    late: bool = False
    silent: bool = False
    by_group: dict[str, Waited] = Field(
        {}, description="in several steps: what of it each group has; where empty, each has all"
    )


class RoundRehearsed(Wire):
    """One sitting of a gate; without `decided_at`, it was undecided when the run ended."""

    gate: str
    title: str
    kind: Literal["phase", "review", "sunset"] = "phase"
    round: int
    opened_at: Instant
    decided_at: Instant | None = None
    outcome: str | None = Field(None, description="a vote's word")
    why: str = ""
    by_timeout: bool = Field(False, description="the resolve deadline decided, not the votes")
    waited: list[Waited] = []


class PhaseRehearsed(Wire):
    """A stay in a phase; the sunset is one, too."""

    phase: str
    title: str
    start: Instant
    end: Instant | None = None
    in_market: bool = False


class StuckAt(Wire):
    """Where a run did not go on. `kind` gate: nobody who may vote there answers any more, or, where
    there are `rounds`, it goes round in circles; the rest are what the owner, or who does a task of
    the sunset, never did."""

    kind: Literal["gate", "submit", "milestone", "condition", "hold", "task", "other"]
    where: str = Field(description="the id of the gate, milestone, condition, phase or task")
    title: str = ""
    round: int | None = None
    rounds: int = Field(0, description="so many in a row did not pass: it goes round in circles")
    since: Instant
    waits_for: list[str] = Field([], description="the people it waits for")
    groups: list[str] = Field([], description="the groups it waits for an answer from")
    why: str


class RunRehearsed(Wire):
    """One life: the time line of a play. `absent` is who was left out of it, in a sweep."""

    number: int
    seed: int
    absent: str = ""
    status: str = Field(description="as `product show` gives it")
    started_at: Instant
    launched_at: Instant | None = Field(None, description="it entered its first phase in market")
    ended_at: Instant | None = None
    phases: list[PhaseRehearsed] = []
    rounds: list[RoundRehearsed] = []
    clocks: list[ClockFired] = []
    stuck: StuckAt | None = None


class GateRehearsed(Wire):
    """A gate over all runs. Dates are those of its first round, and of its first pass."""

    gate: str
    title: str
    kind: Literal["phase", "review", "sunset"] = "phase"
    runs: int = Field(0, description="runs that came to it")
    rounds: int = 0
    open: int = Field(0, description="rounds undecided at the end")
    opened: DateSpread = DateSpread()
    decided: DateSpread = DateSpread()
    passed: DateSpread = DateSpread()
    days: DaySpread = Field(DaySpread(), description="from opening to decision, of each round")
    outcomes: dict[str, int] = Field({}, description="rounds by what they came to")
    clocks: dict[str, int] = Field({}, description="how often each clock fired, of CLOCKS")
    stuck: int = Field(0, description="runs that got stuck here")


class Bottleneck(Wire):
    """A person or a group that gates waited for, over all runs. `mean_days` is per run."""

    who: str
    kind: Literal["person", "group"] = "person"
    asked: int = Field(0, description="how often they were asked")
    late: int = Field(0, description="how often their time to answer ran out, see Waited")
    unanswered: int = Field(0, description="how often they were silent, see Waited")
    days: float = 0
    critical: float = Field(0, description="days by which faster answers would have moved gates")
    mean_critical: float = Field(0, description="critical days per run")
    worst_gate: str = Field("", description="where most of the critical days were spent")


class StuckShare(Wire):
    """Runs that got stuck in one place, and what they wait for. `share` is 0 to 1."""

    kind: str
    where: str
    title: str = ""
    runs: int
    share: float
    waits_for: list[str] = []
    groups: list[str] = []
    why: str
    example: int = Field(description="the number of a run in which it happens")


class AbsenceRehearsed(Wire):
    """What happens when one person, and nobody else, is away throughout.

    `stuck` is where the product then stays for good. `timed_out` are gates that a deadline decided
    only then, `decided` what it decided there and how often, and `delay_days` how much later than
    with everybody present it is launched (null where one of the two is not launched).
    """

    person: str
    name: str = ""
    groups: list[str] = []
    stuck: StuckAt | None = None
    timed_out: list[str] = []
    decided: dict[str, dict[str, int]] = Field(
        {}, description="of `timed_out`: rounds by what the deadline decided"
    )
    status: str = Field("", description="as `product show` gives it at the end")
    outcome: str = Field("", description="how the product ended, if it did")
    launched_at: Instant | None = None
    delay_days: float | None = None


class Rehearsal(Wire):
    """Everything that `phasegate simulate` found. `runs` and `seed` make it again."""

    schema_version: int = 1
    policy: str
    policy_title: str = ""
    policy_version: str = ""
    policy_digest: str = ""
    product: str
    product_name: str = ""
    tier: int = 3
    directory: str = ""
    people: str = Field("", description="the script's file; empty: everybody says go in time")
    seed: int
    runs: int
    start: Instant
    until: Instant
    to_launch: bool = Field(False, description="each run ends where it is launched")
    launch: DateSpread = Field(DateSpread(), description="when it enters the market")
    launch_phase: str = Field("", description="the phase that this is; empty where there is none")
    statuses: dict[str, int] = Field({}, description="runs by how the product stands at the end")
    gates: list[GateRehearsed] = Field([], description="in the order of the policy")
    clocks: dict[str, int] = Field({}, description="how often each clock fired, over all runs")
    outcomes: dict[str, int] = Field({}, description="rounds by what they came to")
    bottlenecks: list[Bottleneck] = Field([], description="people and groups, the worst first")
    stuck: list[StuckShare] = Field([], description="the most frequent first")
    stuck_share: float = Field(0, description="of the runs, 0 to 1")
    absences: list[AbsenceRehearsed] = Field(
        [], description="one play for each person who is asked; those that end stuck first"
    )
    absent_until: Instant | None = Field(
        None, description="how far people were left out; null where nobody was"
    )
    absent_unreached: list[str] = Field(
        [], description="gates to which none of these plays came: nothing is known of them"
    )
    lives: list[RunRehearsed] = Field([], description="the time line of every run")
