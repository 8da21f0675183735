"""One product as the record tells of it: phases, rounds, holds and conditions, from its events.

Time on hold, and between a kill and a revival, is time that nobody used: it counts nowhere. What a
reset did again replaces what it did before.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime

from phasegate.askings import instant_in
from phasegate.events import Announcement
from phasegate.forecast_sunset import SUNSET
from phasegate.migrated import MIGRATED, terms_of
from phasegate.past_round import ROUND_EVENTS, PastRound
from phasegate.pauses import Pauses

ENDINGS = ("product.killed", "product.cancelled", "product.completed", "product.retired")
BROKEN_OFF = ("killed", "cancelled")
PRODUCT_EVENTS = (
    "product.started",
    "product.updated",
    "product.handed-over",
    MIGRATED,
    "product.phase-entered",
    "product.investing",
    "product.investment-ended",
    "product.held",
    "product.resumed",
    "product.revived",
    "product.sunsetting",
    "product.back-in-market",
    *ENDINGS,
    *ROUND_EVENTS,
    "condition.reminder",
    "condition.overdue",
    "condition.closed",
    "condition.waived",
)
"""Everything that a PastProduct is told of. Other events change nothing of it."""


@dataclass
class Stay:
    """A stay in a phase; the sunset is one, too. `broken_off` by a kill, a cancel or an abort."""

    phase: str
    since: datetime
    until: datetime | None = None
    broken_off: bool = False


@dataclass
class Promise:
    """A condition of a Conditional Go."""

    id: str
    gate: str
    round: int
    at: datetime
    due: datetime | None
    state: str = "open"
    settled_at: datetime | None = None


@dataclass
class PastProduct:
    """The course of a product up to its last event."""

    key: str
    name: str = ""
    owner: str = ""
    tier: int | None = None
    policy_digest: str = ""
    status: str = "active"
    started_at: datetime | None = None
    ended_at: datetime | None = None
    holds: Pauses = field(default_factory=Pauses)
    stays: list[Stay] = field(default_factory=list)
    rounds: dict[tuple[str, int], PastRound] = field(default_factory=dict)
    promises: dict[str, Promise] = field(default_factory=dict)
    _turned: int = 0
    """The stays before were another way through the phases: an investment leads back."""

    @classmethod
    def of(cls, key: str, events: Iterable[Announcement]) -> PastProduct:
        """What became of it, from its events in the order of the record."""
        past = cls(key)
        for event in events:
            past.tell(event)
        if past.ended_at is not None:
            for left in past.rounds.values():
                if left.ended_at is None:
                    left.abandon(past.ended_at)
        return past

    @property
    def here(self) -> Stay | None:
        """The stay it is in, or was in when it ended."""
        return self.stays[-1] if self.stays else None

    @property
    def sitting(self) -> PastRound | None:
        """The round that is open."""
        return next((r for r in self.rounds.values() if r.ended_at is None), None)

    def open_promises(self) -> list[Promise]:
        """Of a product that has ended nobody waits for any."""
        if self.ended_at is not None:
            return []
        return [promise for promise in self.promises.values() if promise.state == "open"]

    def clock(self, now: datetime) -> datetime:
        """The time by its clocks: they stand still on hold."""
        return min(now, self.holds.since or now)

    def tell(self, event: Announcement) -> None:
        """Take the next event."""
        if event.type in ROUND_EVENTS:
            self._of_a_round(event)
        elif event.type.startswith("condition."):
            self._of_a_promise(event)
        else:
            self._of_itself(event)

    def _of_itself(self, event: Announcement) -> None:
        data, at = event.data, event.at
        match event.type:
            case "product.started" | "product.updated":
                self.started_at = self.started_at or at
                self.policy_digest = str(data.get("policy_digest") or self.policy_digest)
                if isinstance(defined := data.get("product"), dict):
                    self.name, self.owner = str(defined.get("name")), str(defined.get("owner"))
                    self.tier = defined.get("tier")
            case "product.migrated":
                self.policy_digest = str(data.get("policy_digest") or self.policy_digest)
                terms = terms_of(event)
                for stay in self.stays:
                    stay.phase = terms.called(stay.phase)
            case "product.handed-over":
                self.owner = str(data.get("to") or self.owner)
            case "product.phase-entered":
                self._go_on(at)
                self._enter(str(data.get("phase")), at)
            case "product.investing" | "product.investment-ended":
                self._turned = len(self.stays)
            case "product.held":
                self.status = "on-hold"
                self.holds.begin(at)
            case "product.resumed":
                self._go_on(at)
            case "product.revived":
                self._go_on(at)
                if here := self.here:
                    here.until, here.broken_off = None, False
            case "product.sunsetting":
                self._go_on(at)
                self._leave_market(data.get("sunset"), at)
                self.status = "sunsetting"
            case "product.back-in-market":
                self._go_on(at)
                self._come_back(str(data.get("phase")), data.get("sunset"), at)
            case _ if event.type in ENDINGS:
                self._end(event.type.removeprefix("product."), at)
            case _:
                pass

    def _enter(self, phase: str, at: datetime) -> None:
        """A way back that is no investment was a reset: what came after is undone."""
        way = [stay.phase for stay in self.stays[self._turned :]]
        if phase in way:
            del self.stays[self._turned + way.index(phase) :]
        elif self._turned == len(self.stays) and self.here and self.here.phase == phase:
            del self.stays[-1]
            self._turned -= 1
        if self.here:
            self.here.until, self.here.broken_off = at, False
        self.stays.append(Stay(phase, at))

    def _stay_of_sunset(self, number: object) -> int | None:
        """Where the stay is that was the sunset of this number; the last one for no number."""
        found = [index for index, stay in enumerate(self.stays) if stay.phase == SUNSET]
        if not isinstance(number, int):
            return found[-1] if found else None
        return found[number - 1] if 0 < number <= len(found) else None

    def _leave_market(self, number: object, at: datetime) -> None:
        """The sunset of this number begins. If it is told of already, a reset came between."""
        told = self._stay_of_sunset(number) if number is not None else None
        if told is not None:
            del self.stays[told:]
            self._turned = min(self._turned, told)
        self._enter(SUNSET, at)

    def _come_back(self, phase: str, number: object, at: datetime) -> None:
        """An aborted sunset leads back to the phase it began in, for another stay there."""
        ended = self._stay_of_sunset(number)
        if ended is not None:
            del self.stays[ended + 1 :]
            self.stays[ended].until, self.stays[ended].broken_off = at, True
        self._turned = len(self.stays)
        self.stays.append(Stay(phase, at))

    def _go_on(self, at: datetime) -> None:
        """After a hold, or a kill: dates move by as long as it lasted."""
        self.status, self.ended_at = "active", None
        stood = self.holds.end(at)
        if not stood:
            return
        for promise in self.open_promises():
            if promise.due is not None:
                with suppress(OverflowError):  # 9999-12-31 means never
                    promise.due += stood
        for sitting in self.rounds.values():
            if sitting.ended_at is None:
                sitting.move(stood, at)

    def _end(self, status: str, at: datetime) -> None:
        self.holds.end(at)
        self.status, self.ended_at = status, at
        if here := self.here:
            here.until, here.broken_off = at, status in BROKEN_OFF
        if status == "killed":
            self.holds.begin(at)

    def _of_a_round(self, event: Announcement) -> None:
        gate, number = str(event.data.get("gate")), event.data.get("round")
        if not isinstance(number, int):
            return  # shortened, while the ledger was away for long
        sitting = self.rounds.get((gate, number))
        if sitting is None or event.type == "gate.opened":  # it opens anew after a reset
            sitting = self.rounds[gate, number] = PastRound(gate, number, event.at)
        stopped = event.type == "gate.overridden" and "from" in event.data
        sitting.tell(event)
        if stopped:
            self._go_on(event.at)
        if event.type == "gate.decided":
            self._promise(sitting)

    def _promise(self, sitting: PastRound) -> None:
        """Take up the conditions of a decision, in the place of those of an earlier one."""
        of_it = [p.id for p in self.promises.values() if (p.gate, p.round) == _key(sitting)]
        for id in of_it:
            del self.promises[id]
        for condition in sitting.conditions:
            id, made = str(condition.get("id")), sitting.ended_at
            assert made is not None
            due = instant_in(condition.get("due"))
            self.promises[id] = Promise(id, sitting.gate, sitting.round, made, due)

    def _of_a_promise(self, event: Announcement) -> None:
        promise = self.promises.get(str(event.data.get("condition")))
        if promise is None:
            return
        word = event.type.removeprefix("condition.")
        if word in ("closed", "waived"):
            promise.state, promise.settled_at = word, event.at
        else:
            promise.due = instant_in(event.data.get("due")) or promise.due


def _key(sitting: PastRound) -> tuple[str, int]:
    return sitting.gate, sitting.round
