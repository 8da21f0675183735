"""Reports over a real ledger: who is meant, as of when, and what the record cannot tell."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tales import Tale, day

from client.reports import Meant, portfolio, slo
from ledger import Ledger
from phasegate.reading import read_policy

POLICY = """
policy: tiny
version: "1"
title: Tiny
phases:
  - id: build
    title: Build
    gate: {id: launch, title: Launch, requires: [{group: eng}]}
  - {id: market, title: Market, in_market: true}
"""


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    opened = Ledger(f"sqlite:///{tmp_path}/ledger.db")
    policy = read_policy(POLICY, "policy")
    digest = opened.documents.publish("policy", "tiny", policy, day(0), "olga")
    told = [
        Tale("atlas", digest).start().open(1).vote(2, "bo").decide(4, "recycle", opened=1),
        Tale("orion", digest).start(owner="ana").enter(6, "market").say(7, "product.held"),
        Tale("vega", digest).start().say(8, "product.cancelled"),
        Tale("ghost", "sha256:gone").start(),
        Tale("blank", digest).say(0, "product.started", policy_digest=digest, product={}),
        Tale("noise").say(0, "product.refused"),
    ]
    for tale in told:
        opened.append(tale.key, tale.events)
    yield opened
    opened.close()


def keys(ledger: Ledger, meant: Meant) -> list[str]:
    return [row.key for row in portfolio(ledger, meant, day(20)).products]


def test_running_products_unless_others_are_asked_for(ledger: Ledger) -> None:
    assert keys(ledger, Meant(everything=False)) == ["atlas", "orion"]
    assert keys(ledger, Meant()) == ["atlas", "orion", "vega"]
    assert keys(ledger, Meant(status="cancelled", everything=False)) == ["vega"]
    assert keys(ledger, Meant(status="on-hold")) == ["orion"]
    assert keys(ledger, Meant(owner="ana")) == ["orion"]
    assert keys(ledger, Meant(phase="build")) == ["atlas", "vega"]
    assert keys(ledger, Meant(policy="tiny", owner="olga")) == ["atlas", "vega"]
    assert keys(ledger, Meant(policy="other")) == []


def test_what_cannot_be_told_is_named_and_stops_nothing(ledger: Ledger) -> None:
    found = portfolio(ledger, Meant(), day(20))
    assert [missing.key for missing in found.missing] == ["blank", "ghost"]
    assert found.missing[1].why == "policy sha256:gone is not in this ledger"
    assert found.totals.products == len(found.products) == 3


def test_service_levels_know_nothing_of_what_came_later(ledger: Ledger) -> None:
    told: list[tuple[int, int]] = []
    found = slo(ledger, Meant(policy="tiny"), day(-1), day(20), lambda *so: told.append(so))
    assert told == [(n, 6) for n in range(1, 6)]  # the sixth has nothing to say
    assert (found.rounds_decided, found.recycle_rate) == (1, 1.0)
    assert [(p.phase, p.here, p.days.n, p.broken_off) for p in found.phases] == [
        ("build", 1, 1, 1),
        ("market", 1, 0, 0),
    ]
    before = slo(ledger, Meant(policy="tiny"), day(-1), day(3))
    assert (before.rounds_decided, before.gates[0].open, before.phases[0].here) == (0, 1, 3)
    assert slo(ledger, Meant(owner="ana"), day(-1), day(20)).products == 1
    policies = {phase.policy for phase in slo(ledger, Meant(), day(-1), day(20)).phases}
    assert policies == {"tiny", "sha256:gone"}
