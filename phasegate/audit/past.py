"""What a product was at any moment, from what it said of itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from phasegate.audit.telling import Telling, Told

DEFINES = ("product.started", "product.updated", "product.handed-over")


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
    evidence: list[Told] = field(default_factory=list)
    erased: bool = False
    """Words of a definition or of evidence were erased: revisions cannot be taken again."""

    def policy_at(self, at: datetime) -> str:
        return next((digest for since, digest in reversed(self.policies) if since <= at), "")

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
        """Whether a milestone had come to that state by then."""
        return any(
            word == state and when <= at for when, word in self.milestones.get(milestone, ())
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
        if said.type.startswith("milestone."):
            word = said.type.removeprefix("milestone.")
            past.milestones.setdefault(said.text("milestone"), []).append((said.at, word))
        elif said.type == "product.evidence":
            past.evidence.append(said)
            past.erased = past.erased or said.erased
    return past


def _define(past: Past, said: Told) -> None:
    if said.type == "product.started":
        # It stays under the policy that it began with: no later event names another.
        if digest := said.text("policy_digest"):
            past.policies.append((said.at, digest))
        past.directory = said.text("directory")
    if said.type not in DEFINES:
        return
    past.erased = past.erased or said.erased
    found = said.data.get("product")
    if isinstance(found, dict):
        past.defined.append(Defined(said.at, said.seq, found))
    elif said.type == "product.handed-over" and past.defined:
        owned = {**past.defined[-1].definition, "owner": said.text("to")}
        past.defined.append(Defined(said.at, said.seq, owned))
