"""Votes and outcomes: what one approver says, and what the gate decides (Cooper's words)."""

from __future__ import annotations

from enum import StrEnum


class Vote(StrEnum):
    """What one approver says."""

    go = "go"
    conditional_go = "conditional-go"
    recycle = "recycle"
    hold = "hold"
    kill = "kill"
    abstain = "abstain"

    @property
    def is_yes(self) -> bool:
        return self in (Vote.go, Vote.conditional_go)

    @property
    def is_no(self) -> bool:
        return self in SEVERITY


class Outcome(StrEnum):
    """What a gate decides. The five outcomes of R. G. Cooper's stage-gate literature."""

    go = "go"
    conditional_go = "conditional-go"
    recycle = "recycle"
    hold = "hold"
    kill = "kill"

    @property
    def is_pass(self) -> bool:
        return self in (Outcome.go, Outcome.conditional_go)


SEVERITY: dict[Vote, int] = {Vote.recycle: 1, Vote.hold: 2, Vote.kill: 3}
"""The noes, mild to strong."""
