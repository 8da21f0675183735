"""Every way in which somebody could decide who may not, or in another's name: refused, recorded."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Awaitable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from signers import (
    Opened,
    Signer,
    directory,
    entry,
    make_key,
    public,
    publish,
    raw_sign,
    read_by_the_gate,
)
from temporalio.service import RPCError

from client import directories
from client.asking import ask, new_request_id
from client.dev_server import find_temporal
from client.gates import override
from client.signing import Signing
from phasegate.gate_requests import OverrideRequest
from phasegate.ids import gate_id, product_id
from phasegate.reading import read_directory
from phasegate.signing import statement_of
from phasegate.ssh_keys import public_key

KINDS = ("delegate", "reassign", "attest", "needs_work", "extend", "override")
FIELDS: dict[str, dict[str, Any]] = {
    "delegate": {"to": "del"},
    "reassign": {"approver": "bo", "to": "del", "reason": "gone"},
    "attest": {"criterion": "tested", "state": "met", "note": "report 7"},
    "needs_work": {"what": "no load test"},
    "extend": {"resolve": "2030-01-01", "reason": "late"},
    "override": {"outcome": "go", "reason": "now"},
}


async def recorded(signer: Signer, *codes: str) -> None:
    """Wait until the round shows exactly these refusals, and the ledger has them."""

    def in_ledger() -> list[str]:
        events = signer.stage.engine.ledger.events(signer.stage.key, types=("gate.refused",))
        return [event.announcement.data["code"] for event in events]

    async def there() -> bool | None:
        view = await signer.stage.gate(signer.gate)
        here = [refused.code for refused in view.refused]
        return True if here == in_ledger() == [*codes] else None

    await signer.stage.until(there, f"{codes} are recorded, and {in_ledger()} are")


async def temporal(signer: Signer, *words: str, body: dict[str, Any]) -> str:
    """The `temporal` command line, as anybody has it who reaches the server."""
    process = await asyncio.create_subprocess_exec(
        *(find_temporal(), "workflow", *words, "--address", os.environ["TEMPORAL_ADDRESS"]),
        *("--workflow-id", gate_id(signer.stage.key, signer.gate), "--name", "vote"),
        *("--input", json.dumps(body)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    out, _ = await process.communicate()
    return out.decode()


async def test_what_is_not_signed_by_who_says_it_about_this_counts_nowhere(opened: Opened) -> None:
    s = await opened()
    keys, now = s.keys, datetime.now(UTC)
    view = await s.stage.gate("launch")
    assert view.opened_at is not None
    good = await s.vote("bo")
    other = {"bo": {"request_id": "another"}}
    attacks: list[tuple[str, Awaitable[Any]]] = [
        ("unsigned", s.stage.vote("launch", "ana", "go")),
        ("unsigned", s.stage.vote("launch", "bo", "kill")),
        ("bad-signature", s.send("vote", good.model_copy(update={"signature": "no signature"}))),
        ("unknown-key", s.votes("ana", key=keys["bo"])),
        ("unknown-key", s.send("vote", good.model_copy(update={"approver": "cy"}))),
        ("no-mandate", s.send("vote", good.model_copy(update={"on_behalf_of": "cy"}))),
        *(
            ("bad-signature", s.votes("bo", place=place))
            for place in (
                {"gate": "retire"},
                {"round": 2},
                {"product": "another"},
                {"policy": "sha256:0"},
            )
        ),
        *(
            ("bad-signature", s.send("vote", good.model_copy(update=changed)))
            for changed in (
                {"comment": "and more"},
                {"scores": {"fit": 10}},
                {"vote": "abstain"},
                {"step": 1},
                {"signed_at": now},
                *other.values(),
            )
        ),
        ("bad-signature", s.send("vote", await _conditions_changed(s))),
        ("bad-signature", s.send("vote", await _revision_changed(s))),
        ("bad-signature", s.send("vote", await _signed_as_withdrawal(s))),
        ("bad-signature", s.votes("bo", namespace="git")),
        ("signed-at-another-time", s.votes("bo", at=now - timedelta(hours=25))),
        ("signed-at-another-time", s.votes("bo", at=now + timedelta(minutes=11))),
        ("signed-at-another-time", s.votes("bo", at=view.opened_at - timedelta(minutes=11))),
        ("signed-at-another-time", s.send("vote", good.model_copy(update={"signed_at": None}))),
        ("stranger", s.votes("eve")),
        ("no-mandate", s.votes("del", on_behalf_of="bo")),
        ("self-approval", s.votes("olga")),
        *(("unsigned", s.stage.chair("launch", kind, "max", **FIELDS[kind])) for kind in KINDS),
        ("unknown-key", s.chair("override", "max", key=keys["eve"], **FIELDS["override"])),
        ("not-permitted", s.chair("override", "bo", **FIELDS["override"])),
        ("not-permitted", s.chair("extend", "cy", **FIELDS["extend"])),
        ("stranger", s.chair("delegate", "eve", **FIELDS["delegate"])),
    ]
    for code, attack in attacks:
        assert await s.stage.refused(attack) == code
    await recorded(s, *(code for code, _ in attacks))
    view = await s.stage.gate("launch")
    assert (view.status, view.votes, view.override) == ("open", [], None)
    # What is stale, or does not say what it is about, is told to its sender and enters no history.
    assert await s.stage.refused(s.votes("bo", revision="r0")) == "stale-revision"
    assert await s.stage.refused(s.votes("bo", revision=None)) == "no-revision"
    await recorded(s, *(code for code, _ in attacks))
    # And the real thing, by the same people, with what was kept from the attacks.
    await s.send("vote", good)
    await s.chair("attest", "pia", revision=view.revision, **FIELDS["attest"])
    await s.votes("ana")
    assert (await s.votes("cy")).outcome == "go"
    votes = (await s.stage.becomes(phase="market")) and (await s.stage.gate("launch")).votes
    assert {v.assurance for v in votes} == {"signed"}
    assert {v.key for v in votes} == {
        public_key(public(keys[who])).fingerprint for who in ("ana", "bo", "cy")
    }


async def _conditions_changed(s: Signer) -> Any:
    signed = await s.vote("bo", "conditional-go", conditions=[{"text": "docs"}])
    return signed.model_copy(
        update={"conditions": [signed.conditions[0].model_copy(update={"text": "nothing"})]}
    )


async def _revision_changed(s: Signer) -> Any:
    old = await s.vote("bo", revision="r0")
    return old.model_copy(update={"revision": (await s.stage.gate("launch")).revision})


async def _signed_as_withdrawal(s: Signer) -> Any:
    vote = await s.vote("bo")
    text = statement_of("withdraw", await s.place(), vote)
    return vote.model_copy(update={"signature": raw_sign(text, s.keys["bo"])})


async def test_signals_and_the_temporal_command_line_decide_nothing(opened: Opened) -> None:
    s = await opened()
    body = {"approver": "ana", "vote": "go"}
    signed = await s.vote("ana")
    await s.stage.signal("launch", "vote", body)
    await recorded(s, "signature-required")
    await s.stage.signal("launch", "vote", signed.model_dump(mode="json"))
    await recorded(s, *["signature-required"] * 2)
    assert "succeeded" in await temporal(s, "signal", body={**body, "vote": "kill"})
    await recorded(s, *["signature-required"] * 3)
    said = await temporal(s, "update", "execute", body={**body, "request_id": "t1"})
    assert "has no signature" in said
    said = await temporal(s, "update", "execute", body=body)
    assert "request_id: Field required" in said
    assert "pydantic" not in said, "it says what is wrong once, in our words"
    forged = {**body, "request_id": "t2", "signature": "-----", "revision": signed.revision}
    forged["signed_at"] = datetime.now(UTC).isoformat()
    assert "no signature that" in await temporal(s, "update", "execute", body=forged)
    codes = [*["signature-required"] * 3, "unsigned", "bad-signature"]
    await recorded(s, *codes)
    await s.stage.signal("launch", "opener_note", {"token": "guess", "action": "pause"})
    await recorded(s, *codes, "not-the-opener")
    report = {"gate": "launch", "round": 1, "token": "guess", "outcome": "go", "why": "forged"}
    product = s.stage.engine.workflow(product_id(s.stage.key))
    await product.signal("gate_decided", {**report, "decided_at": "2026-11-25T12:00:00Z"})

    async def refused() -> bool | None:
        return True if "product.refused" in s.stage.story() else None

    await s.stage.until(refused, "the forged report is recorded")
    view = await s.stage.gate("launch")
    assert (view.status, view.votes) == ("open", [])
    with pytest.raises(RPCError, match="not found"):  # nobody is there to hear it
        await s.stage.signal("retire", "vote", body)


async def test_what_comes_before_the_gate_knows_anybody_is_judged_then(
    opened: Opened, keys: dict[str, Path]
) -> None:
    s = await opened()
    await s.votes("ana", "recycle")
    await s.votes("bo", "recycle")
    await s.votes("cy", "recycle")
    await s.votes("dan", "recycle")
    await s.stage.becomes(gate=None)
    known = {who: [entry(key)] for who, key in keys.items()}
    broken = directory(known, s.stage.key).replace("  bo:\n", "  bo:\n    time_zone: Mars/Base\n")
    directories.publish(s.stage.engine.ledger, read_directory(broken, "d"), "max")
    await s.stage.submit()

    async def exists() -> bool | None:
        try:
            view = await s.stage.gate("launch")
        except Exception:
            return None
        return True if view.round == 2 else None

    await s.stage.until(exists, "the second round is there, and knows nobody")
    await s.stage.signal("launch", "vote", {"approver": "ana", "vote": "go"})
    early = asyncio.create_task(s.stage.refused(s.stage.vote("launch", "bo", "go")))
    await publish(s, {"eve": []}, tell=False)
    await s.stage.gate_opens("launch", 2)
    assert await early == "unsigned"
    view = await s.stage.gate("launch")
    assert sorted(r.code for r in view.refused) == ["signature-required", "unsigned"]
    old = await s.vote("ana", place={"round": 1})
    assert await s.stage.refused(s.send("vote", old)) == "bad-signature"


async def test_a_word_is_said_once_and_an_older_one_not_again(opened: Opened) -> None:
    s = await opened()
    first = await s.vote("bo", "go")
    kept_back = await s.vote("bo", "go", comment="never sent")
    await s.send("vote", first)
    await s.votes("bo", "hold")
    assert (await s.send("vote", first)).text.startswith("bo's go counts"), "answered as it was"
    replay = first.model_copy(update={"request_id": new_request_id()})
    codes = ["signed-earlier", "signed-earlier"]
    assert [await s.stage.refused(s.send("vote", r)) for r in (replay, kept_back)] == codes
    assert await s.stage.refused(s.stage.chair("launch", "withdraw", "bo")) == "unsigned"
    run = (await s.stage.engine.workflow(gate_id(s.stage.key, "launch")).describe()).run_id

    async def renewed() -> bool | None:
        await s.votes("cy", "hold")
        now = (await s.stage.engine.workflow(gate_id(s.stage.key, "launch")).describe()).run_id
        return True if now != run else None

    await s.stage.until(renewed, "the gate goes on in another run")
    assert await s.stage.refused(s.send("vote", kept_back)) == "signed-earlier"
    await s.send("vote", first)
    await recorded(s, *codes, "unsigned", "signed-earlier")
    standing = [
        (v.approver, v.vote) for v in (await s.stage.gate("launch")).votes if v.state == "standing"
    ]
    assert standing == [("bo", "hold"), ("cy", "hold")]


async def test_a_key_counts_from_its_day_to_its_day_and_once_the_gate_has_read_it(
    opened: Opened, keys: dict[str, Path], tmp_path: Path
) -> None:
    s = await opened(
        ana=[entry(keys["ana"], valid_until="2020-01-01")],
        bo=[entry(keys["bo"], valid_from="2999-01-01")],
        cy=[entry(keys["cy"], revoked="2026-01-01")],
        dan=[],
    )
    people = ("ana", "bo", "cy", "dan")
    codes = ["expired-key", "expired-key", "revoked-key", "unknown-key"]
    assert [await s.stage.refused(s.votes(who)) for who in people] == codes
    await publish(s, {}, tell=False)
    assert await s.stage.refused(s.votes("dan")) == "unknown-key", "after the fact"
    await read_by_the_gate(s, await publish(s, {"eve": []}))
    await s.votes("ana")
    await s.votes("dan")
    stolen = make_key(tmp_path, "stolen")
    assert await s.stage.refused(s.votes("bo", key=stolen)) == "unknown-key"
    await recorded(s, *codes, "unknown-key", "unknown-key")


async def test_a_revoked_key_voids_what_it_signed_and_its_owner_is_asked_again(
    opened: Opened, keys: dict[str, Path], tmp_path: Path
) -> None:
    s = await opened()
    view = await s.stage.gate("launch")
    await s.chair("attest", "pia", revision=view.revision, **FIELDS["attest"])
    await s.chair("delegate", "bo", to="del")
    await s.votes("del", "go", on_behalf_of="bo")
    await s.votes("cy", "hold")
    fresh = make_key(tmp_path, "fresh")
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    lost = {
        who: [entry(keys[who], revoked=today), entry(make_key(tmp_path, who))]
        for who in ("bo", "pia")
    }
    new = {**lost, "cy": [entry(keys["cy"], revoked=today), entry(fresh)]}
    await read_by_the_gate(s, await publish(s, new))

    async def voided() -> bool | None:
        return True if "gate.key-revoked" in s.stage.story() else None

    await s.stage.until(voided, "what it signed is void")
    view = await s.stage.gate("launch")
    assert {(v.approver, v.state) for v in view.votes} == {("del", "voided"), ("cy", "voided")}
    assert {p.approver for p in view.pending} == {"ana", "bo", "cy", "dan"}
    assert view.delegations == []
    assert [c.state for c in view.criteria if c.id == "tested"] == ["unmet"]
    assert await s.stage.refused(s.votes("cy")) == "revoked-key"
    assert await s.stage.refused(s.votes("del", on_behalf_of="bo")) == "no-mandate"
    await s.votes("cy", key=fresh)
    await recorded(s, "revoked-key", "no-mandate")


async def test_a_stop_is_overridden_by_who_signs_it_and_may(opened: Opened) -> None:
    s = await opened()
    place = await s.place()
    for who in ("ana", "bo", "cy", "dan"):
        await s.votes(who, "recycle")
    await s.stage.becomes(gate=None)
    engine, key = s.stage.engine, s.stage.key
    product = engine.workflow(product_id(key))

    def wish(who: str) -> OverrideRequest:
        return OverrideRequest(
            actor=who, outcome="go", reason="contract", request_id=new_request_id()
        )

    def asked(who: str, file: Path) -> Awaitable[Any]:
        return override(engine, key, None, wish(who), Signing(True, str(file)))

    assert await s.stage.refused(ask(product, "override", wish("max"))) == "unsigned"
    foreign = s.signed("override", place, wish("max"), s.keys["eve"])
    assert await s.stage.refused(ask(product, "override", foreign)) == "unknown-key"
    assert await s.stage.refused(asked("bo", s.keys["bo"])) == "not-permitted"
    await asked("max", s.keys["max"])
    await s.stage.becomes(phase="market")
    await s.stage.written()
    events = engine.ledger.events(key, types=("product.refused", "gate.overridden"))
    said = [event.announcement for event in events]
    assert [a.data.get("code") for a in said] == ["unsigned", "unknown-key", "not-permitted", None]
    kept = said[-1].data["signed"]
    assert kept["key"] == public_key(public(s.keys["max"])).fingerprint
    assert json.loads(kept["statement"])["request"]["outcome"] == "go"


async def test_an_override_that_the_round_took_is_not_said_again_to_the_product(
    opened: Opened,
) -> None:
    s = await opened()
    place = await s.place()

    def signed(outcome: str) -> OverrideRequest:
        request = OverrideRequest(
            actor="max", outcome=outcome, reason="too early", request_id=new_request_id()
        )
        return s.signed("override", place, request, s.keys["max"])

    first = signed("recycle")
    await s.send("override", first)
    await s.stage.becomes(gate=None)
    engine, key = s.stage.engine, s.stage.key
    product = engine.workflow(product_id(key))
    await ask(product, "override", signed("hold"))
    await s.stage.becomes(status="on-hold")
    assert await s.stage.refused(ask(product, "override", first)) == "signed-earlier"
    await s.stage.becomes(status="on-hold")
