"""What the record says of a product that Temporal keeps no longer."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from activities.dependencies import DependencyActivities
from ledger import Ledger
from phasegate.check import ProductCheck
from phasegate.events import Announcement
from phasegate.ports import Finding

AT = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


def record(ledger: Ledger, *events: tuple[str, dict[str, Any]]) -> None:
    ledger.append(
        "old",
        [
            Announcement(
                id=f"old#{n}", type=type, product="old", source="t", at=AT, text="x", data=data
            )
            for n, (type, data) in enumerate(events)
        ],
    )


def past(ledger: Ledger, **target: str) -> tuple[Finding, str]:
    check = ProductCheck.model_validate({"kind": "product", "product": "old", **target})
    found = DependencyActivities(ledger)._of_the_past(check)
    return found.finding, found.why


MET = ("milestone.met", {"milestone": "m"})
GO = ("gate.decided", {"gate": "g", "outcome": "go"})


@pytest.mark.parametrize(
    ("events", "finding"),
    [
        ([MET], Finding.met),
        ([MET, ("milestone.met", {"milestone": "other"})], Finding.met),
        ([("milestone.waived", {"milestone": "m"})], Finding.not_met),
        ([MET, ("product.phase-entered", {"milestones_before": {"m": "met"}})], Finding.not_met),
        ([MET, ("product.phase-entered", {"phase": "next"})], Finding.met),
        ([("product.killed", {})], Finding.not_met),
    ],
)
def test_a_milestone_of_the_past(
    ledger: Ledger, events: list[tuple[str, dict[str, Any]]], finding: Finding
) -> None:
    record(ledger, *events)
    assert past(ledger, milestone="m")[0] is finding


@pytest.mark.parametrize(
    ("events", "finding"),
    [
        ([GO], Finding.met),
        ([("gate.decided", {"gate": "g", "outcome": "recycle"}), GO], Finding.met),
        ([GO, ("gate.abandoned", {"gate": "g"})], Finding.not_met),
        ([GO, ("gate.decided", {"gate": "g", "outcome": "kill"})], Finding.not_met),
        (
            [
                ("gate.decided", {"gate": "g", "outcome": "recycle"}),
                ("gate.overridden", {"gate": "g", "outcome": "go"}),
            ],
            Finding.met,
        ),
        ([("gate.decided", {"gate": "other", "outcome": "go"})], Finding.not_met),
    ],
)
def test_a_gate_of_the_past(
    ledger: Ledger, events: list[tuple[str, dict[str, Any]]], finding: Finding
) -> None:
    record(ledger, *events)
    assert past(ledger, gate="g")[0] is finding


def test_a_product_that_never_was_may_still_come(ledger: Ledger) -> None:
    assert past(ledger, gate="g") == (Finding.cannot_tell, "there is no product old yet")
    record(ledger, ("product.killed", {}))
    assert past(ledger, gate="g") == (Finding.not_met, "old has ended without old/g")
