"""What a product was at any moment, from what it said of itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from phasegate.audit.telling import Telling, Told
from phasegate.hands import TELLS

DEFINES = ("product.started", "product.updated", "product.handed-over", "product.migrated")


@dataclass(frozen=True)
class Defined:
    """A definition, and since when it was in force."""

    at: datetime
    seq: int
    definition: Mapping[str, Any]

    @property
    def owner(self) -> str:
        return str(self.definition.get("owner", ""))

    @property
    def tier(self) -> int:
        tier = self.definition.get("tier")
        return tier if isinstance(tier, int) else 3


@dataclass
class Past:
    """Definitions, policies and what became of milestones and conditions, by time."""

    defined: list[Defined] = field(default_factory=list)
    policies: list[tuple[datetime, str]] = field(default_factory=list)
    directory: str = ""
    milestones: dict[str, list[tuple[datetime, str]]] = field(default_factory=dict)
    settled: dict[str, datetime] = field(default_factory=dict)
    """Conditions that were closed or waived, and when first."""
    open_again: dict[str, list[datetime]] = field(default_factory=dict)
    """Milestones that another policy asks for by another check, and since when."""
    went_on: dict[tuple[str, int], str] = field(default_factory=dict)
    """Rounds that were open when another policy came, and the one that they stayed under."""
    evidence: list[Told] = field(default_factory=list)
    hands: list[Told] = field(default_factory=list)
    """What was submitted: whoever did has no say in the product."""
    erased: bool = False
    """Words of a definition or of evidence were erased: revisions cannot be taken again."""

    def policy_at(self, at: datetime) -> str:
        return next((digest for since, digest in reversed(self.policies) if since <= at), "")

    def policy_of(self, gate: str, number: int | None, at: datetime) -> str:
        """The policy of a round of which something was said then."""
        return self.went_on.get((gate, number or 0)) or self.policy_at(at)

    def definition_at(self, at: datetime) -> Defined | None:
        found = [one for one in self.defined if one.at <= at]
        return found[-1] if found else (self.defined[0] if self.defined else None)

    def tier_at(self, at: datetime) -> int:
        found = self.definition_at(at)
        return found.tier if found else 3

    def during(self, start: datetime, end: datetime) -> list[Defined]:
        """The definitions in force then, the latest first. What a round knows is a signal behind:
        it may be the one before."""
        inside = [one for one in self.defined if start < one.at <= end]
        before = [one for one in self.defined if one.at <= start]
        return [*reversed(inside), *reversed(before[-2:])]

    def narrowed(self, gate: str, at: datetime) -> dict[str, tuple[str, ...]]:
        """The approvers that the product chose of its own, when a round was opened."""
        found = self.definition_at(at)
        return approvers(found, gate) if found else {}

    def was(self, milestone: str, state: str, at: datetime) -> bool:
        """Whether a milestone had come to that state by then, by the check that it had."""
        again = [since for since in self.open_again.get(milestone, ()) if since <= at]
        return any(
            word == state and when <= at and all(when >= since for since in again)
            for when, word in self.milestones.get(milestone, ())
        )


def approvers(defined: Defined, gate: str) -> dict[str, tuple[str, ...]]:
    chosen = defined.definition.get("approvers")
    of_gate = chosen.get(gate) if isinstance(chosen, dict) else None
    if not isinstance(of_gate, dict):
        return {}
    return {
        str(group): tuple(map(str, people))
        for group, people in of_gate.items()
        if isinstance(people, list)
    }


def past_of(events: Sequence[Told], product: Telling) -> Past:
    """What is known of the product; `events` are all."""
    past = Past()
    for said in product.said:
        _define(past, said)
        if said.type in ("condition.closed", "condition.waived"):
            past.settled.setdefault(said.text("condition"), said.at)
    for said in events:
        if said.type in TELLS:
            past.hands.append(said)
        if said.type.startswith("milestone."):
            word = said.type.removeprefix("milestone.")
            past.milestones.setdefault(said.text("milestone"), []).append((said.at, word))
        elif said.type == "product.evidence":
            past.evidence.append(said)
            past.erased = past.erased or said.erased
    return past


def _migrate(past: Past, said: Told) -> None:
    """What stays as it was under the policy before, and what begins anew."""
    held, goals = said.data.get("goes_on"), said.data.get("milestones")
    if isinstance(held, dict) and isinstance(held.get("round"), int):
        past.went_on.setdefault((str(held.get("gate")), held["round"]), said.text("from"))
    anew = goals.get("anew") if isinstance(goals, dict) else None
    for milestone in anew if isinstance(anew, list) else ():
        past.open_again.setdefault(str(milestone), []).append(said.at)


def _define(past: Past, said: Told) -> None:
    if said.type == "product.started":
        past.directory = said.text("directory")
    if said.type in ("product.started", "product.migrated") and (
        digest := said.text("policy_digest")
    ):
        past.policies.append((said.at, digest))
    if said.type == "product.migrated":
        _migrate(past, said)
    if said.type not in DEFINES:
        return
    past.erased = past.erased or said.erased
    found = said.data.get("product")
    if isinstance(found, dict):
        past.defined.append(Defined(said.at, said.seq, found))
    elif said.type == "product.handed-over" and past.defined:
        owned = {**past.defined[-1].definition, "owner": said.text("to")}
        past.defined.append(Defined(said.at, said.seq, owned))
