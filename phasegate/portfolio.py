"""A portfolio: where every product stands, what is late, and what its gates have cost.

What `report portfolio` shows. Scripts rely on these names: add, don't rename. Days are calendar
days of 24 hours, weekends and holidays among them; time on hold counts for nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from pydantic import Field

from phasegate.base import Instant, Wire
from phasegate.figures import days
from phasegate.forecast_view import Forecast, MilestoneForecast
from phasegate.past_goals import PastGoals
from phasegate.past_product import PastProduct
from phasegate.pauses import net
from phasegate.policy import Policy
from phasegate.recalled import foresee
from phasegate.roadmap import Missing

NO_PHASE = "none"
"""Where the totals count a product that is in no phase: it has left the market."""


class GateCost(Wire):
    """What the rounds of one gate have cost one product."""

    gate: str
    rounds: int = 0
    people_asked: int = Field(0, description="people, each once a round")
    days: float = Field(0, description="the rounds open, up to now for one that is")


class GateTotal(GateCost):
    """The same over all products of the report."""

    policy: str
    products: int = 0


class PortfolioRow(Wire):
    """One product."""

    schema_version: int = 1
    key: str
    name: str
    owner: str
    policy: str
    policy_version: str
    tier: int
    status: str
    phase: str | None
    phase_since: Instant | None
    days_in_phase: float | None = Field(None, description="time on hold left out")
    gate: str | None = Field(None, description="the gate that is open")
    round: int | None = None
    next_gate: str | None = None
    next_gate_expected: Instant | None = None
    at_earliest: bool = Field(False, description="some date it depends on is not known")
    slip: int | None = Field(None, description="days its phase or a milestone is behind the plan")
    late: list[str] = Field([], description="milestones past their day")
    at_risk: list[str] = Field([], description="milestones near their day, or expected after it")
    conditions_open: int = 0
    conditions_overdue: int = 0
    gates: list[GateCost] = []
    started_at: Instant | None = None
    ended_at: Instant | None = None


class Totals(Wire):
    products: int = 0
    late: int = Field(0, description="products with a late milestone")
    at_risk: int = Field(0, description="products with one at risk, and none late")
    conditions_open: int = 0
    conditions_overdue: int = 0
    by_status: dict[str, int] = {}
    by_phase: dict[str, int] = {}
    by_policy: dict[str, int] = {}
    gates: list[GateTotal] = []


class Portfolio(Wire):
    """What `report portfolio` shows."""

    schema_version: int = 1
    as_of: Instant
    products: list[PortfolioRow] = []
    totals: Totals = Totals()
    missing: list[Missing] = []


def row_of(past: PastProduct, goals: PastGoals, policy: Policy, now: datetime) -> PortfolioRow:
    """Where one product stands at `now`. Raises ValueError where nothing defines it."""
    found, here, sitting = foresee(past, goals, policy, now), past.here, past.sitting
    defined, clock = goals.defined, past.clock(now)
    coming = next((g for g in found.gates if g.gate == found.next_gate and g.expected), None)
    late, at_risk = _troubled(found, clock)
    promises = past.open_promises()
    gone = past.status == "retired"
    return PortfolioRow(
        key=past.key,
        name=defined.name,
        owner=past.owner,
        policy=policy.policy,
        policy_version=policy.version,
        tier=defined.tier,
        status=past.status,
        phase=here.phase if here and not gone else None,
        phase_since=here.since if here and not gone else None,
        days_in_phase=days(net(here.since, past.ended_at or now, past.holds))
        if here and not gone
        else None,
        gate=sitting.gate if sitting else None,
        round=sitting.round if sitting else None,
        next_gate=found.next_gate,
        next_gate_expected=found.next_gate_expected,
        at_earliest=coming.at_earliest if coming else False,
        slip=found.slip,
        late=late,
        at_risk=at_risk,
        conditions_open=len(promises),
        conditions_overdue=sum(p.due is not None and clock > p.due for p in promises),
        gates=_costs(past, now),
        started_at=past.started_at,
        ended_at=past.ended_at,
    )


def portfolio_of(
    now: datetime, rows: Iterable[PortfolioRow], missing: Sequence[Missing] = ()
) -> Portfolio:
    """All rows, sorted by key, and what they add up to."""
    products = sorted(rows, key=lambda row: row.key)
    return Portfolio(
        as_of=now,
        products=products,
        totals=Totals(
            products=len(products),
            late=sum(bool(row.late) for row in products),
            at_risk=sum(bool(row.at_risk) and not row.late for row in products),
            conditions_open=sum(row.conditions_open for row in products),
            conditions_overdue=sum(row.conditions_overdue for row in products),
            by_status=_numbers(row.status for row in products),
            by_phase=_numbers(row.phase or NO_PHASE for row in products),
            by_policy=_numbers(row.policy for row in products),
            gates=_gate_totals(products),
        ),
        missing=sorted(missing, key=lambda one: one.key),
    )


def _troubled(found: Forecast, clock: datetime) -> tuple[list[str], list[str]]:
    """The milestones at hand that are late, and those at risk."""
    open_ = [m for m in found.milestones if not m.ahead and _still(m, found)]
    late = [m.id for m in open_ if m.due is not None and clock > m.due]
    return late, [m.id for m in open_ if m.at_risk and m.id not in late]


def _still(milestone: MilestoneForecast, found: Forecast) -> bool:
    """Whether it is still to be met: those of phases that were left are not waited for."""
    here = next((p.phase for p in found.phases if p.state == "current"), None)
    return milestone.phase == here and milestone.state not in ("met", "waived")


def _costs(past: PastProduct, now: datetime) -> list[GateCost]:
    costs: dict[str, GateCost] = {}
    took: dict[str, timedelta] = {}
    for held in past.rounds.values():
        if held.gate not in costs:
            costs[held.gate] = GateCost(gate=held.gate)
        cost = costs[held.gate]
        cost.rounds += 1
        cost.people_asked += len(held.askings.people)
        length = net(held.opened_at, held.ended_at or now, past.holds)
        took[held.gate] = took.get(held.gate, timedelta(0)) + length
        cost.days = days(took[held.gate])
    return list(costs.values())


def _gate_totals(products: Iterable[PortfolioRow]) -> list[GateTotal]:
    found: dict[tuple[str, str], GateTotal] = {}
    for row in products:
        for cost in row.gates:
            key = (row.policy, cost.gate)
            if key not in found:
                found[key] = GateTotal(policy=row.policy, gate=cost.gate)
            total = found[key]
            total.products += 1
            total.rounds += cost.rounds
            total.people_asked += cost.people_asked
            total.days = round(total.days + cost.days, 4)
    return [found[key] for key in sorted(found)]


def _numbers(words: Iterable[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for word in words:
        found[word] = found.get(word, 0) + 1
    return dict(sorted(found.items()))
