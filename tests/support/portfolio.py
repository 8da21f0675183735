"""Made-up portfolios: as many products as are asked for, in every state, always the same."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

from phasegate.forecast import forecast
from phasegate.forecast_past import PhaseEntry
from phasegate.policy import Policy
from phasegate.reading import read_policy
from phasegate.roadmap import Roadmap, RoadmapProduct, roadmap_of
from phasegate.views import AheadView, GateSummaryView, MilestoneView, ProductView

NOW = datetime(2027, 6, 15, 10, tzinfo=UTC)
DAY = timedelta(days=1)
STANDARD = Path(__file__).parents[2] / "policies" / "standard.yaml"

NAMES = (
    "Harbor Sync", "Tide Tables", "Quay Lights", "Crane Booking", "Pilot Roster", "Ballast Ledger",
    "Anchor Watch", "Berth Planner", "Cargo Trace", "Dock Meter", "Ferry Desk", "Gangway",
)  # fmt: skip
HOSTILE = (
    "<script>alert(1)</script> & \"quoted\" 'too' ]]> -->",
    "מערכת תכנון רציפים",
    "A very long name that somebody gave a product without thinking of whoever has to read it on a "
    "narrow screen one day",
    "🚢 Fleet 🧭 Compass; a: b, c # d",
    "x" * 400,
)
OWNERS = ("ines.duarte", "jonas.lind", "maya.okafor", "wei.zhang", "olga")


def policy() -> Policy:
    return read_policy(STANDARD.read_text("utf-8"), "standard.yaml")


def portfolio(count: int, *, hostile: bool = False) -> Roadmap:
    """So many products of the standard policy, seen on 2027-06-15."""
    rules = policy()
    names = [f"{NAMES[n % len(NAMES)]}{f' {n // len(NAMES) + 1}' if n >= len(NAMES) else ''}"
             for n in range(count)]  # fmt: skip
    if hostile:
        names[: len(HOSTILE)] = HOSTILE
    products = list[RoadmapProduct]()
    for number, name in enumerate(names):
        other = products[-1] if number % 6 == 4 and products[-1].forecast.next_gate else None
        products.append(_product(rules, number, name, other))
    return roadmap_of(NOW, products)


def _product(rules: Policy, number: int, name: str, other: RoadmapProduct | None) -> RoadmapProduct:
    """One product; its last milestone at hand waits for the next gate of the other one."""
    dice = Random(number)  # noqa: S311  # the same portfolio every time
    key = f"p{number:03}"
    reached = dice.randrange(1, len(rules.phases) + 1)
    at = NOW - timedelta(days=dice.randrange(20, 60) + 75 * (reached - 1))
    started = at
    entries, held, milestones, ahead = [], [], [], []
    for index, phase in enumerate(rules.phases):
        length = dice.randrange(40, 110)
        goals = phase.milestones or ()
        if index < reached:
            entries.append(PhaseEntry(phase=phase.id, at=at))
        for place, goal in enumerate(goals, 1):
            due = at + timedelta(days=length * place // (len(goals) + 1))
            slipped = dice.choice((0, 0, 0, 6, 20))
            if index < reached - 1:
                milestones.append(_met(goal.id, goal.title, phase.id, due, slipped))
            elif index == reached - 1:
                milestones.append(_open(goal.id, goal.title, phase.id, due, slipped))
            else:
                ahead.append(
                    AheadView(id=goal.id, title=goal.title, phase=phase.id, due=due, planned=due)
                )
        end = at + timedelta(days=length)
        if index < reached - 1:
            end = min(end, NOW - timedelta(days=10 * (reached - 1 - index)))
            if phase.gate:
                outcome = dice.choice(("go", "go", "go", "conditional-go"))
                held.append(_round(phase.gate.id, outcome, end))
        at = end
    status, ended, since = "active", None, None
    if number % 11 == 7:
        status, since = "on-hold", NOW - 12 * DAY
    if number % 17 == 13:
        status, ended = "killed", NOW - 5 * DAY
        held.append(_round("go-to-launch", "kill", ended))
    here = rules.phases[reached - 1]
    if other and milestones and milestones[-1].phase == here.id:
        gate, comes = other.forecast.next_gate, other.forecast.next_gate_expected
        assert comes
        milestones[-1].waits_for = f"{other.key}/{gate}"
        milestones[-1].expected = max(comes, milestones[-1].due or comes)
    sits = status == "active" and number % 5 == 2 and here.gate is not None
    view = ProductView(
        key=key,
        name=name,
        owner=OWNERS[number % len(OWNERS)],
        tier=1 + number % 3,
        status=status,
        phase=here.id,
        gate=here.gate.id if sits and here.gate else None,
        round=1 if sits else None,
        policy=f"{rules.policy} {rules.version}",
        policy_digest="sha256:0",
        milestones=milestones,
        ahead=ahead,
        conditions=[],
        gates=held,
        next_due=None,
        gate_since=NOW - 3 * DAY if sits else None,
        review_due=NOW + 80 * DAY if here.review else None,
        held_since=since,
        entered_at=entries[-1].at,
        started_at=started,
        ended_at=ended,
        workflow_id=f"product/{key}",
    )
    deadline = NOW + 6 * DAY if sits else None
    return RoadmapProduct(
        **view.model_dump(
            include={"key", "name", "owner", "policy", "tier", "status", "phase", "gate"}
        ),
        started_at=started,
        ended_at=ended,
        forecast=forecast(rules, view, NOW, entries=entries, resolve_due=deadline),
    )


def _met(id: str, title: str, phase: str, due: datetime, slip: int) -> MilestoneView:
    met = min(due + timedelta(days=slip - 3), NOW - DAY)
    return MilestoneView(
        id=id, title=title, phase=phase, state="met", due=due, planned=due, met_at=met
    )


def _open(id: str, title: str, phase: str, due: datetime, slip: int) -> MilestoneView:
    moved = due + timedelta(days=slip)
    late = moved < NOW
    return MilestoneView(
        id=id,
        title=title,
        phase=phase,
        state="missed" if late else "planned",
        due=moved,
        planned=due,
        expected=moved,
    )


def _round(gate: str, outcome: str, at: datetime) -> GateSummaryView:
    return GateSummaryView(
        gate=gate, round=1, outcome=outcome, decided_at=at, votes={}, opened_at=at - 6 * DAY
    )
