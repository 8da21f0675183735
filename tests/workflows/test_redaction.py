"""Somebody leaves and asks to be forgotten, and the products that they decided on go on."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from stage import Stage

from client.asking import new_request_id
from client.audit_checks import verify_ledger
from client.changing import revive
from client.redactions import Order, Redaction
from client.retrospectives import retrospective
from ledger import Ledger
from phasegate.reading import read_directory
from phasegate.requests import ReviveRequest
from phasegate.seals import texts

DIRECTORY = """
directory: leavers
people:
  olga: {}
  ana: {}
  zoe-quist: {name: Zoë Quist, email: zoe@example.com, manager: ana}
groups:
  product: {members: [ana, olga], permissions: {override: [1, 2, 3]}}
  eng: {members: [zoe-quist]}
"""

POLICY = """
policy: one-veto
version: "1"
title: Build and sell
phases:
  - id: build
    title: Build
    milestones: [{id: done, title: Feature complete}]
    gate: {id: launch, title: Launch, requires: [{group: product}, {group: eng, veto: true}]}
  - id: market
    title: Market
    in_market: true
"""


def left_of(ledger: Ledger, key: str) -> list[str]:
    """Texts of the record in which somebody is to be found."""
    words = ("zoe", "quist", "sleep")
    return [
        place.text
        for entry in ledger.events(key)
        for place in texts(entry.body)
        if any(word in place.text.lower() for word in words)
    ]


def forgotten_in_one_product(ledger: Ledger, key: str, copy: Path) -> None:
    """Directories still have them: what they say of them is not checked, and is no fault."""
    with ledger.database.reading() as connection:
        source = connection.connection.driver_connection
        assert source is not None
        with closing(sqlite3.connect(copy)) as target:
            source.backup(target)
    other = Ledger(f"sqlite:///{copy}")
    for person in ("zoe-quist", "olga"):
        Redaction(other, Order(kind="person", id=person, by="ana", reason="r", key=key)).do()
        found = verify_ledger(other, key, [])
        assert (found.ok, found.fault) == (True, None)
        assert found.unchecked
    other.close()


async def test_who_killed_a_product_is_forgotten_and_it_comes_back(
    stage: Stage, tmp_path: Path
) -> None:
    ledger = stage.engine.ledger
    await stage.start(POLICY, DIRECTORY)
    await stage.becomes(phase="build")
    await stage.report("done")
    await stage.gate_opens("launch")
    await stage.vote("launch", "ana", "go", comment="Zoë Quist will tell")
    await stage.vote("launch", "zoe-quist", "kill", comment="I lost sleep over this")
    await stage.until(killed(stage), "it is killed")
    await stage.written()
    head = ledger.head(stage.key)
    assert left_of(ledger, stage.key)
    before = await asyncio.to_thread(verify_ledger, ledger, stage.key, [])
    assert before.ok, before.fault

    await asyncio.to_thread(forgotten_in_one_product, ledger, stage.key, tmp_path / "copy.db")
    without = DIRECTORY.replace("zoe-quist: {name: Zoë Quist, email: zoe@example.com, manager: ana}", "new: {}").replace("[zoe-quist]", "[new]")  # fmt: skip  # noqa: E501
    ledger.documents.publish(
        "directory", "leavers", read_directory(without, "directory"), datetime.now(UTC), "ana"
    )
    order = Order(kind="person", id="zoe-quist", by="ana", reason="left, and asked us to")
    view = await asyncio.to_thread(Redaction(ledger, order).do)
    (product,) = (one for one in view.products if one.product == stage.key)
    assert (product.running, product.unsealed) == (False, [])
    assert left_of(ledger, stage.key) == []
    after = await asyncio.to_thread(verify_ledger, ledger, stage.key, [])
    assert (after.ok, after.fault, after.derived) == (True, None, before.derived)
    assert ledger.verify(stage.key, head) == head.seq + 1
    assert view.documents

    gate = await stage.gate("launch", 1)
    assert [(v.approver, v.vote, v.comment) for v in gate.votes] == [
        ("ana", "go", f"{view.pseudonym} will tell"),
        (view.pseudonym, "kill", "[redacted]"),
    ]
    life = retrospective(ledger, stage.key, datetime.now(UTC))
    assert "quist" not in life.model_dump_json().lower()
    again = ReviveRequest(actor="ana", reason="another try", request_id=new_request_id())
    await revive(stage.engine, stage.key, again)
    await stage.becomes(status="active", phase="build")
    await stage.written()
    assert left_of(ledger, stage.key) == []
    ledger.verify(stage.key)


def killed(stage: Stage) -> Callable[[], Awaitable[bool | None]]:
    async def probe() -> bool | None:
        return True if "product.killed" in stage.story() else None

    return probe
