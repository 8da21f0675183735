"""What a forecast shows. Scripts rely on these names: add, don't rename.

Days are calendar days in UTC. A slip is positive where something is later than first planned. It is
negative only of what is done: before that nothing is early, since nothing has been gained yet.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from phasegate.base import Instant, Wire


class MilestoneForecast(Wire):
    """`planned` is the first date it had, `due` the one it has, `actual` the day it was met."""

    id: str
    title: str
    phase: str
    state: str
    planned: Instant | None = None
    due: Instant | None = None
    expected: Instant | None = Field(None, description="of what is still to be met")
    actual: Instant | None = None
    slip: int | None = Field(None, description="days against planned")
    at_risk: bool = Field(False, description="by the policy's threshold, overdue, or expected late")
    ahead: bool = Field(False, description="its phase is still to come")
    waits_for: str = Field("", description="a step of another product, as KEY/ID")


class GateForecast(Wire):
    """A round that was held, or a gate that is to come."""

    gate: str
    title: str
    phase: str
    kind: Literal["phase", "review", "sunset"] = "phase"
    state: Literal["decided", "open", "expected", "unplanned"]
    round: int | None = None
    outcome: str | None = None
    opened: Instant | None = None
    planned: Instant | None = None
    expected: Instant | None = None
    actual: Instant | None = None
    slip: int | None = Field(None, description="days against planned")
    at_earliest: bool = Field(False, description="some date it depends on is not known")
    basis: str = Field("", description="what the expected date is made of")


class PhaseForecast(Wire):
    """One stay in a phase, past, present or to come."""

    phase: str
    title: str
    state: Literal["done", "current", "ahead"]
    in_market: bool = False
    start: Instant | None = None
    end: Instant | None = None
    planned_start: Instant | None = None
    planned_end: Instant | None = None
    expected_start: Instant | None = None
    expected_end: Instant | None = None
    slip: int | None = Field(None, description="days its end is later than planned")
    at_earliest: bool = Field(False, description="some date it depends on is not known")


class Forecast(Wire):
    """A product's past and expected course. `slip` is that of the phase it is in."""

    schema_version: int = 1
    product: str
    as_of: Instant
    slip: int | None = None
    next_gate: str | None = None
    next_gate_expected: Instant | None = None
    phases: list[PhaseForecast] = []
    gates: list[GateForecast] = []
    milestones: list[MilestoneForecast] = []
