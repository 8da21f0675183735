"""Service levels: how long phases, gates, answers and conditions took, from what happened.

Pure arithmetic over PastProducts, in whatever order they come. What ended in the period counts: a
round, a stay, an answer or a condition belongs to the period of its end. What is open is counted at
the period's last instant, so the products must not know of anything later.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from phasegate.askings import Asking
from phasegate.figures import counts, share, spread
from phasegate.past_product import PastProduct
from phasegate.past_round import PASSES, PastRound
from phasegate.pauses import net
from phasegate.slo_view import ConditionSlo, GateSlo, GroupSlo, PhaseSlo, Slo


@dataclass
class _Phase:
    seen: PhaseSlo
    took: list[timedelta] = field(default_factory=list)


@dataclass
class _Gate:
    seen: GateSlo
    took: list[timedelta] = field(default_factory=list)
    needed: list[int] = field(default_factory=list)


@dataclass
class _Group:
    seen: GroupSlo
    took: list[timedelta] = field(default_factory=list)


class Tally:
    """Adds products up, one after the other, and keeps nothing of them but durations."""

    def __init__(self, since: datetime, until: datetime) -> None:
        self.since, self.until = since, until
        self._products = 0
        self._phases: dict[tuple[str, str], _Phase] = {}
        self._gates: dict[tuple[str, str], _Gate] = {}
        self._groups: dict[str, _Group] = {}
        self._conditions = ConditionSlo()
        self._closed: list[timedelta] = []

    def add(self, past: PastProduct, policy: str) -> None:
        """One product, as it was at the end of the period, and the name of its policy."""
        self._products += 1
        self._add_stays(past, policy)
        runs: dict[str, int] = defaultdict(int)
        for sitting in sorted(past.rounds.values(), key=lambda held: held.round):
            runs[sitting.gate] += 1
            gate = self._gate(policy, sitting.gate)
            self._add_round(gate, sitting, past)
            if sitting.outcome in (*PASSES, "kill"):
                if self._within(sitting.ended_at):
                    gate.needed.append(runs[sitting.gate])
                runs[sitting.gate] = 0
            for asking in sitting.askings.all:
                self._add_asking(asking, sitting, past)
        self._add_promises(past)

    def report(self) -> Slo:
        """What it comes to."""
        for phase in self._phases.values():
            phase.seen.days = spread(phase.took)
        for gate in self._gates.values():
            seen = gate.seen
            seen.days, seen.rounds_needed = spread(gate.took), counts(gate.needed)
            seen.recycled = seen.outcomes.get("recycle", 0)
            seen.recycle_rate = share(seen.recycled, seen.decided)
            seen.outcomes = dict(sorted(seen.outcomes.items()))
        for group in self._groups.values():
            told = group.seen
            told.days = spread(group.took)
            told.in_time_share = share(told.in_time, told.in_time + told.late + told.never)
        self._conditions.days_to_close = spread(self._closed)
        gates = [self._gates[key].seen for key in sorted(self._gates)]
        decided, recycled = sum(g.decided for g in gates), sum(g.recycled for g in gates)
        return Slo(
            since=self.since,
            until=self.until,
            products=self._products,
            rounds_decided=decided,
            recycled=recycled,
            recycle_rate=share(recycled, decided),
            escalations=sum(g.escalations for g in gates),
            overrides=sum(g.overrides for g in gates),
            phases=[self._phases[key].seen for key in sorted(self._phases)],
            gates=gates,
            groups=[self._groups[key].seen for key in sorted(self._groups)],
            conditions=self._conditions,
        )

    def _within(self, at: datetime | None) -> bool:
        return at is not None and self.since <= at <= self.until

    def _add_stays(self, past: PastProduct, policy: str) -> None:
        for stay in past.stays:
            phase = self._phase(policy, stay.phase)
            if stay.until is None:
                phase.seen.here += 1
            elif self._within(stay.until):
                if stay.broken_off:
                    phase.seen.broken_off += 1
                else:
                    phase.took.append(net(stay.since, stay.until, past.holds))

    def _phase(self, policy: str, phase: str) -> _Phase:
        if (policy, phase) not in self._phases:
            self._phases[policy, phase] = _Phase(PhaseSlo(policy=policy, phase=phase))
        return self._phases[policy, phase]

    def _gate(self, policy: str, gate: str) -> _Gate:
        if (policy, gate) not in self._gates:
            self._gates[policy, gate] = _Gate(GateSlo(policy=policy, gate=gate))
        return self._gates[policy, gate]

    def _group(self, name: str) -> _Group:
        if name not in self._groups:
            self._groups[name] = _Group(GroupSlo(group=name))
        return self._groups[name]

    def _add_round(self, gate: _Gate, sitting: PastRound, past: PastProduct) -> None:
        seen = gate.seen
        seen.opened += self._within(sitting.opened_at)
        seen.escalations += sum(map(self._within, sitting.escalated))
        seen.overrides += self._within(sitting.overridden_at) + self._within(sitting.overruled_at)
        if sitting.ended_at is None:
            seen.open += 1
        elif self._within(sitting.ended_at):
            if sitting.outcome is None:
                seen.abandoned += 1
                return
            seen.decided += 1
            seen.outcomes[sitting.outcome] = seen.outcomes.get(sitting.outcome, 0) + 1
            gate.took.append(net(sitting.opened_at, sitting.ended_at, past.holds))

    def _add_asking(self, asking: Asking, sitting: PastRound, past: PastProduct) -> None:
        group = self._group(asking.group)
        seen, due = group.seen, asking.due
        seen.asked += self._within(asking.at)
        if asking.answered_at is not None:
            if self._within(asking.answered_at):
                seen.answered += 1
                group.took.append(net(asking.at, asking.answered_at, past.holds, sitting.work))
                if due is not None:
                    in_time = asking.answered_at <= due
                    seen.in_time += in_time
                    seen.late += not in_time
        elif asking.ended_at is not None:
            if self._within(asking.ended_at):
                never = due is not None and asking.ended_at > due
                seen.never += never
                seen.not_needed += not never
        else:
            due = sitting.askings.due(asking.group)
            seen.waiting += 1
            clock = min(past.clock(self.until), sitting.work.since or self.until)
            seen.overdue += due is not None and clock > due

    def _add_promises(self, past: PastProduct) -> None:
        told = self._conditions
        for promise in past.promises.values():
            told.promised += self._within(promise.at)
            if promise.settled_at is not None and self._within(promise.settled_at):
                told.closed += promise.state == "closed"
                told.waived += promise.state == "waived"
                if promise.state == "closed":
                    self._closed.append(net(promise.at, promise.settled_at, past.holds))
        clock = past.clock(self.until)
        for promise in past.open_promises():
            told.open += 1
            told.overdue += promise.due is not None and clock > promise.due
