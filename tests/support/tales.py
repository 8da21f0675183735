"""Made-up records of products: events as workflows write them, told in a line each."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from phasegate.events import Announcement
from phasegate.past_product import PastProduct

START = datetime(2026, 1, 5, 9, tzinfo=UTC)
DAY = timedelta(days=1)
SEATS = {"ana": ["product"], "bo": ["eng"], "cy": ["eng"]}


def day(number: float) -> datetime:
    """So many days after the start."""
    return START + DAY * number


class Tale:
    """The record of one product. Every method says one thing on one day."""

    def __init__(self, key: str = "kettle", digest: str = "sha256:0") -> None:
        self.key, self.digest = key, digest
        self.events: list[Announcement] = []

    def say(self, on: float, type: str, actor: str = "", **data: Any) -> Tale:
        self.events.append(
            Announcement(
                id=f"{self.key}#{len(self.events)}",
                type=type,
                product=self.key,
                source=f"product/{self.key}",
                at=day(on),
                actor=actor,
                text=type,
                data=data,
            )
        )
        return self

    def start(self, on: float = 0, phase: str = "build", **fields: Any) -> Tale:
        product = {"key": self.key, "name": self.key.title(), "owner": "olga", "tier": 2, **fields}
        self.say(on, "product.started", policy_digest=self.digest, product=product)
        return self.enter(on, phase)

    def enter(self, on: float, phase: str, **data: Any) -> Tale:
        return self.say(on, "product.phase-entered", phase=phase, **data)

    def open(
        self,
        on: float,
        gate: str = "launch",
        round: int = 1,
        *,
        due: float | None = None,
        seats: Mapping[str, list[str]] = SEATS,
        **data: Any,
    ) -> Tale:
        by = day(on + 5 if due is None else due).isoformat()
        return self.say(
            on,
            "gate.opened",
            gate=gate,
            round=round,
            waiting_for=list(seats),
            seats=dict(seats),
            respond=dict.fromkeys(seats, by),
            resolve_due=day(on + 10).isoformat(),
            **data,
        )

    def gate(self, on: float, what: str, actor: str = "", **data: Any) -> Tale:
        return self.say(on, f"gate.{what}", actor, **{"gate": "launch", "round": 1, **data})

    def vote(self, on: float, who: str, **data: Any) -> Tale:
        return self.gate(on, "vote", who, vote="go", **data)

    def decide(self, on: float, outcome: str = "go", *, opened: float = 0, **view: Any) -> Tale:
        about = {key: view.pop(key) for key in ("gate", "round") if key in view}
        seen = {
            "opened_at": day(opened).isoformat(),
            "decided_at": day(on).isoformat(),
            "outcome": outcome,
            "why": "as they said",
            "conditions": [],
            "override": None,
            **view,
        }
        return self.gate(on, "decided", outcome=outcome, view=seen, **about)

    def past(self) -> PastProduct:
        return PastProduct.of(self.key, self.events)
