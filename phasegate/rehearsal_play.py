"""A play: who does what next in one rehearsed life, and whether anything still can happen.

It is looked at whenever something was announced, and when an act is due. What people would do is
then made anew out of what the engine shows, so that nothing is done that nobody asks for any more.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from phasegate.policy import Policy
from phasegate.product import Product
from phasegate.rehearsal_acts import Act, Key
from phasegate.rehearsal_cast import Cast, steady
from phasegate.rehearsal_gate import answers
from phasegate.rehearsal_owner import Owner
from phasegate.rehearsal_stuck import in_circles, waiting_for_all, where_stuck
from phasegate.rehearsal_view import StuckAt
from phasegate.sunset_views import SunsetView
from phasegate.views import GateView, ProductView

ENDED = ("retired", "completed", "killed", "cancelled")

LATER = timedelta(days=60)
"""What comes so soon after the horizon is late, and not stuck."""

STILL = timedelta(days=1)
"""So long nothing happens before a play counts as stuck: a product hears of its gates' decisions,
and its sunset of its product, a moment later."""

UNMOVED = 2
"""So many escalations that bring nobody new to act, and a gate is stuck: each brings one more level
of managers, so nobody is left above."""


@dataclass
class Play:
    """One run, from its start until it ends, is stuck, or comes to the horizon."""

    number: int
    policy: Policy
    product: Product
    cast: Cast
    until: datetime
    absent: str = ""
    to_launch: bool = False
    ended: bool = False
    stuck: StuckAt | None = None
    status: str = "active"
    refused: dict[Key, str] = field(default_factory=dict)
    _plans: dict[Key, Act] = field(default_factory=dict)
    _done: set[Key] = field(default_factory=set)
    _first_seen: dict[Key, datetime] = field(default_factory=dict)
    _launched_at: datetime | None = None
    _sitting: tuple[str, int] | None = None
    _acting: frozenset[str] = frozenset()
    _resolves: set[datetime] = field(default_factory=set)
    _still_since: datetime | None = None

    def look(
        self,
        now: datetime,
        view: ProductView,
        gate: GateView | None,
        sunset: SunsetView | None,
    ) -> None:
        """Make the plans anew; say whether it has ended or is stuck."""
        self.status = view.status
        if view.status in ENDED:
            self._plans, self.ended = {}, True
            return
        here = self.policy.phase(view.phase) if view.phase and view.status == "active" else None
        if here and here.in_market:
            self._launched_at = self._launched_at or view.entered_at
        owner = Owner(self.policy, self.product, self.cast, self._first_seen, self._done)
        wanted = [*owner.acts(view, sunset, self._launched_at, now)]
        if gate is not None:
            wanted += answers(gate, self.cast, self._first_seen, now)
        self._plans = {act.key: act for act in wanted if act.key not in self._done}
        self._notice(gate)
        self.stuck = in_circles(view, gate, now)
        if self.stuck is None and self._hopeless(now, view, gate, sunset):
            self._still_since = self._still_since or now
            if now - self._still_since >= STILL or now >= self.until:
                told, for_all = [*self.refused.values()], waiting_for_all(self.policy)
                self.stuck = where_stuck(view, gate, sunset, told, now, for_all)
        else:
            self._still_since = None
        launched = self.to_launch and self._launched_at is not None
        self.ended = self.stuck is not None or launched or now >= self.until

    def due(self, now: datetime) -> list[Act]:
        """What is to be done now, in order; it is planned no more."""
        found = sorted(
            (a for a in self._plans.values() if a.at <= now), key=lambda a: (a.at, a.key)
        )
        for act in found:
            self._done.add(act.key)
            del self._plans[act.key]
        return found

    def next_at(self) -> datetime:
        """When something is due next, unless something is announced before."""
        again = [self._still_since + STILL] if self._still_since else []
        return min([self.until, *again, *(act.at for act in self._plans.values())])

    def _notice(self, gate: GateView | None) -> None:
        """Keep count of escalations that brought nobody new."""
        sitting = (gate.gate, gate.round) if gate else None
        acting = frozenset(person for p in gate.pending for person in p.acting) if gate else None
        if sitting != self._sitting or (acting is not None and acting != self._acting):
            self._sitting, self._acting, self._resolves = sitting, acting or frozenset(), set()
        if gate and gate.resolve_due:
            self._resolves.add(steady(gate.resolve_due))

    def _hopeless(
        self,
        now: datetime,
        view: ProductView,
        gate: GateView | None,
        sunset: SunsetView | None,
    ) -> bool:
        """Whether nobody does anything any more, and no clock brings it on."""
        if any(act.at < self.until + LATER for act in self._plans.values()):
            return False
        if gate is not None and gate.decided_at is None:
            at_last = now >= self.until and gate.opened_at and gate.opened_at < now - LATER
            return gate.status == "open" and (bool(at_last) or len(self._resolves) > UNMOVED)
        if view.gate:
            return False  # it is opening, or has just closed
        if sunset is not None and view.status == "sunsetting":
            # Other tasks go on beside one that nobody does: what becomes of it is seen at the end.
            return now >= self.until and any(task.waits_for for task in sunset.tasks)
        if view.status == "active" and view.phase is not None:
            return not self.policy.phase(view.phase).in_market
        return view.status == "on-hold"
