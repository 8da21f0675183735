"""Real lives, played once on a real server, for auditors and for forgers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
import town
from signers import PEOPLE, POLICY, Signer, directory, entry, make_key
from stage import Stage

from client.audit_histories import histories
from client.audits import bundle_of, record_of
from client.dev_server import dev_server, free_port
from client.engine import Engine
from client.settings import Settings
from integrations import ssh_keygen
from phasegate.audit.record import Record
from worker import build_worker

SHORT = """
policy: short
version: "1"
title: Short
phases:
  - id: build
    title: Build
    gate: {id: launch, title: Launch, opens: submit, requires: [{group: product}]}
"""


@dataclass(frozen=True)
class Lives:
    """A product whose first gate demands signatures and that left the market, and a short one."""

    folder: Path
    address: str
    keys: dict[str, Path]
    signed: Record
    town: Record
    short: Record
    short_bundle: bytes


@pytest.fixture(scope="module", autouse=True)
def _unhurried() -> Iterator[None]:
    """ssh-keygen is called thousands of times here, and a busy machine may stall in one of them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ssh_keygen, "SECONDS", 60.0)
        yield


@pytest.fixture(scope="session")
async def lives(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Lives]:
    folder = tmp_path_factory.mktemp("audit")
    keys = {who: make_key(folder, who) for who in PEOPLE}
    async with dev_server(database=None, port=free_port(), ui_port=None) as server:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("TEMPORAL_ADDRESS", server.address)
            patch.setenv("PHASEGATE_DATA_DIR", str(folder))
            engine = await Engine.connect(Settings.load())
            async with build_worker(engine.client, engine.settings):
                short = await _play_short(Stage(engine, "short"))
                stage = Stage(engine, "town")
                await town.play(stage)
                full = record_of(engine.ledger, "town", datetime.now(UTC))
                signed = await _play_signed(Signer(Stage(engine, "lamp"), keys))
                kept = await histories(engine.client, "short")
                assert kept.members
                record = record_of(engine.ledger, "short", datetime.now(UTC))
                yield Lives(folder, server.address, keys, signed, full, short, bundle_of(record))
            engine.ledger.close()


async def _play_short(stage: Stage) -> Record:
    """One gate, one vote, and the policy's end."""
    await stage.start(SHORT)
    await stage.becomes(phase="build")
    await stage.submit()
    await stage.gate_opens("launch")
    await stage.vote("launch", "ana", "go", comment="fine")
    await stage.becomes(status="completed")
    await stage.written()
    return record_of(stage.engine.ledger, stage.key, datetime.now(UTC))


async def _play_signed(signer: Signer) -> Record:
    """A gate that is recycled and then passed, all of it signed; a retirement by one vote."""
    stage = signer.stage
    await stage.start(
        POLICY, directory({who: [entry(k)] for who, k in signer.keys.items()}, stage.key)
    )
    await stage.becomes(phase="build")
    await stage.submit()
    await stage.gate_opens("launch")
    assert await stage.refused(signer.votes("eve")) == "stranger"
    assert await stage.refused(stage.vote("launch", "olga", "go")) == "self-approval"
    for who in ("bo", "cy", "dan"):
        await signer.votes(who, "recycle", comment="not yet")
    await signer.votes("ana", "go")
    await stage.becomes(gate=None)
    await stage.evidence("Test report", digest=f"sha256:{'a' * 64}")
    await stage.submit()
    await stage.gate_opens("launch", 2)
    await signer.chair("attest", "pia", criterion="tested", state="met", note="all green",
                       revision=(await stage.gate("launch")).revision)  # fmt: skip
    await signer.votes("ana", "go", scores={"fit": 8})
    await signer.votes("bo", "kill")
    await signer.votes("bo", "go", comment="convinced")
    await signer.votes("cy", "go")
    await stage.becomes(phase="market")
    await stage.submit("retire")
    await stage.gate_opens("retire")
    await stage.vote("retire", "ana", "go")
    await stage.becomes(status="retired")
    await stage.written()
    return record_of(stage.engine.ledger, stage.key, datetime.now(UTC))
