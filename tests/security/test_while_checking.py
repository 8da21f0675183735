"""A signature takes a moment to check, and the world goes on meanwhile."""

from __future__ import annotations

import asyncio
import os
import shutil
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
from processes import worker_process
from signers import POLICY, Opened, Signer, directory, entry, public, publish, read_by_the_gate
from stage import Stage

from client.audit_checks import verify_record
from client.audits import record_of
from client.dev_server import DevServer
from client.engine import Engine
from client.settings import Settings
from phasegate.errors import EngineError
from phasegate.ids import gate_id
from phasegate.ports import VERIFY_SIGNATURE, SignatureFinding
from phasegate.ssh_keys import public_key

SLOW = """#!/bin/sh
# ssh-keygen, which waits for leave to say anything of dan's signatures.
case "$*" in *"verify -I dan"*)
    touch {folder}/asked
    while [ -e {folder}/held ]; do sleep 0.05; done ;;
esac
exec {program} "$@"
"""


class Held:
    """Whether ssh-keygen holds its answers about dan back."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        program = shutil.which("ssh-keygen")
        script = folder / "ssh-keygen"
        script.write_text(SLOW.format(folder=folder, program=program), "utf-8")
        script.chmod(0o755)
        (folder / "held").touch()

    async def asked(self) -> None:
        async with asyncio.timeout(60):
            while not (self.folder / "asked").exists():  # noqa: ASYNC110 - another process makes it
                await asyncio.sleep(0.02)

    def release(self) -> None:
        (self.folder / "held").unlink()


@pytest.fixture
def held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Held:
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    return Held(tmp_path)


async def test_a_gate_that_decides_meanwhile_takes_the_vote_no_more(
    opened: Opened, held: Held
) -> None:
    s = await opened()
    late = asyncio.create_task(s.stage.refused(s.votes("dan", "kill")))
    await held.asked()
    await s.chair("override", "max", outcome="go", reason="contract")
    held.release()
    assert await late == "gate-decided"
    await s.stage.becomes(phase="market")
    view = await s.stage.gate("launch")
    assert (view.outcome, view.votes) == ("go", [])


async def test_a_key_that_is_revoked_meanwhile_signs_nothing(
    opened: Opened, held: Held, keys: dict[str, Path]
) -> None:
    s = await opened()
    late = asyncio.create_task(s.stage.refused(s.votes("dan", "kill")))
    await held.asked()
    lost = await publish(s, {"dan": [entry(keys["dan"], revoked="2026-11-01")]})
    await read_by_the_gate(s, lost)
    held.release()
    assert await late == "revoked-key"
    assert (await s.stage.gate("launch")).votes == []


async def test_what_was_signed_later_overtakes_what_is_checked_longer(
    opened: Opened, held: Held
) -> None:
    s = await opened()
    first = asyncio.create_task(s.stage.refused_or(s.votes("dan", "kill")))
    await held.asked()
    second = asyncio.create_task(s.votes("dan", "hold"))
    await s.votes("bo", "hold")
    held.release()
    codes = [await first, (await second).text[:8]]
    view = await s.stage.gate("launch")
    standing = [v.vote for v in view.votes if v.approver == "dan" and v.state == "standing"]
    assert standing == ["hold"], codes


async def test_a_worker_without_ssh_keygen_blames_nobody(
    opened: Opened, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    s = await opened()
    request = await s.vote("ana")
    with monkeypatch.context() as patch:
        patch.setenv("PATH", str(tmp_path))
        assert await s.stage.refused(s.send("vote", request)) == "signature-unchecked"
    assert (await s.stage.gate("launch")).refused == []
    assert (await s.send("vote", request)).text.startswith("ana's go counts")


async def test_who_answers_in_a_workers_place_is_believed_by_the_gate_and_found_by_an_audit(
    opened: Opened, held: Held, keys: dict[str, Path]
) -> None:
    """Whoever may write to the namespace can do so, and docs/security.md promises nothing else."""
    s = await opened()
    request = (await s.vote("dan", "kill")).model_copy(update={"comment": "forged"})
    vote = asyncio.create_task(s.send("vote", request))
    await held.asked()
    engine, gate = s.stage.engine, gate_id(s.stage.key, "launch")
    found = await engine.workflow(gate).describe()
    (asked,) = [
        pending.activity_id
        for pending in found.raw_description.pending_activities
        if pending.activity_type.name == VERIFY_SIGNATURE
    ]
    known = engine.ledger.documents.current("directory", s.stage.key)
    assert known
    answer = SignatureFinding(
        key=public_key(public(keys["dan"])).fingerprint, directory=known.digest
    )
    await engine.client.get_async_activity_handle(
        workflow_id=gate, run_id=found.run_id, activity_id=asked
    ).complete(answer)
    assert (await vote).text.startswith("dan's kill counts")
    held.release()
    await s.stage.written()
    told = verify_record(record_of(engine.ledger, s.stage.key, datetime.now(UTC)))
    assert "the signature of dan is not good" in str(told), told


@pytest.mark.slow
async def test_a_worker_killed_before_it_answers_counts_the_vote_once(
    server: DevServer,
    keys: dict[str, Path],
    held: Held,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", server.address)
    monkeypatch.setenv("PHASEGATE_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("PHASEGATE_TASK_QUEUE", "killed")
    engine = await Engine.connect(Settings.load())
    s = Signer(Stage(engine, "killed-while-checking"), keys)
    async with worker_process() as first:
        await s.stage.start(POLICY, directory({who: [entry(key)] for who, key in keys.items()}))
        await s.stage.becomes(phase="build")
        await s.stage.submit()
        await s.stage.gate_opens("launch")
        request = await s.vote("dan")
        vote = asyncio.create_task(s.stage.refused_or(s.send("vote", request)))
        await held.asked()
        first.kill()
        await first.wait()
    held.release()
    async with worker_process():
        with suppress(EngineError):  # who hears nothing for so long says the same again
            assert await vote in ("", "signature-unchecked")
        await s.send("vote", request)
        await s.votes("bo")
        view = await s.stage.gate("launch")
        assert [(v.approver, v.assurance) for v in view.votes] == [
            ("dan", "signed"),
            ("bo", "signed"),
        ]
        await s.stage.written()
        assert s.stage.story().count("gate.vote") == 2
    engine.ledger.close()
