"""Confidential mode on a real server: keys that are rotated or missing, products that began before
it was on, and payloads that somebody forged."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from processes import worker_process
from replaying import replay
from stage import Stage
from temporalio.api.common.v1 import Payload
from temporalio.client import WorkflowExecutionStatus
from temporalio.common import RawValue

from client import gates, inbox, products
from client.attributes import KEYS
from client.connection import connect
from client.dev_server import DevServer
from client.engine import Engine
from client.keyring import Keyring, write_keyring
from client.settings import Settings
from client.spelling import in_the_open
from phasegate.errors import EngineError
from phasegate.ids import gate_id, product_id
from phasegate.pseudonyms import MARK, PLAIN, use


class Installation:
    """Who works on a queue of its own, with what is in the environment."""

    def __init__(self, patch: pytest.MonkeyPatch, folder: Path) -> None:
        self.patch, self.file = patch, folder / "ring.json"
        self.ring = Keyring.new("k1")

    async def stage(self, key: str, ring: Keyring | None) -> Stage:
        """As it is seen from here on, with this key ring."""
        if ring is None:
            self.patch.delenv("PHASEGATE_KEYS_FILE", raising=False)
        else:
            write_keyring(self.file, ring, new=False)
            self.patch.setenv("PHASEGATE_KEYS_FILE", str(self.file))
        return Stage(await Engine.connect(Settings.load()), key)


@pytest.fixture
def here(
    server: DevServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> Iterator[Installation]:
    monkeypatch.setenv("TEMPORAL_ADDRESS", server.address)
    monkeypatch.setenv("PHASEGATE_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("PHASEGATE_TASK_QUEUE", request.node.name)
    yield Installation(monkeypatch, tmp_path)
    use(PLAIN)


@asynccontextmanager
async def working() -> AsyncIterator[None]:
    """A worker that is stopped politely, so that the next one need not wait for it."""
    async with worker_process() as process:
        yield
        await process.stop()


async def at_its_gate(stage: Stage) -> None:
    await stage.start()
    await stage.becomes(phase="build")
    await stage.report("done")
    await stage.gate_opens("launch")


async def waits_for(stage: Stage, who: str, gate: str) -> str:
    """The group in whose name the inbox asks somebody, once it does so."""

    async def asked() -> str | None:
        rows = await inbox.inbox(stage.engine, who)
        return next((r.group for r in rows if (r.product, r.gate) == (stage.key, gate)), None)

    return await stage.until(asked, f"{who} finds {gate}")


async def keys_of(stage: Stage, workflow_id: str) -> set[str]:
    """The keys that a history needs."""
    history = (await stage.history(workflow_id)).to_json()
    return {id for id in ("k1", "k2") if _named(id) in history}


def _named(key: str) -> str:

    return f'"encryption-key-id": "{base64.b64encode(key.encode()).decode()}"'


@pytest.mark.slow
async def test_keys_are_rotated_under_a_running_product(here: Installation) -> None:
    stage = await here.stage("rotated", here.ring)
    async with working():
        await at_its_gate(stage)
        await stage.vote("launch", "bo", "go")
        await stage.written()
    assert await keys_of(stage, product_id("rotated")) == {"k1"}

    both = here.ring.with_key("k2").using("k2")
    stage = await here.stage("rotated", both)
    async with working():
        await stage.votes("launch", "go", "cy", "ana")
        await stage.becomes(phase="market")
        assert await keys_of(stage, gate_id("rotated", "launch")) == {"k1", "k2"}
        found = await gates.live(stage.engine, "rotated", "launch")  # its history is read anew
        assert found is not None
        assert {v.approver for v in found.votes} == {"ana", "bo", "cy"}
        await stage.written()

    alone = Keyring("k2", {"k2": both.keys["k2"]}, both.pseudonyms)
    stage = await here.stage("rotated", alone)
    async with working():

        async def said() -> str | None:
            try:
                await gates.live(stage.engine, "rotated", "launch")
            except EngineError as error:
                # A worker that is still starting gives no answer at all.
                return None if "gave no answer" in str(error) else str(error)
            raise AssertionError("it was read without its key")

        text = await stage.until(said, "somebody says which key is missing")
        assert "it is encrypted with key k1, and the key ring here has k2" in text


@pytest.mark.slow
async def test_a_product_that_began_before_is_found_and_goes_on(here: Installation) -> None:
    stage = await here.stage("before", None)
    async with working():
        await at_its_gate(stage)
        await stage.written()

    stage = await here.stage("before", here.ring)
    assert await in_the_open(stage.engine.client, "PhasegateProduct = 'before'")
    async with working():
        assert await waits_for(stage, "bo", "launch") == "eng"
        await stage.votes("launch", "go", "bo", "cy", "ana")
        await stage.becomes(phase="market")
        await stage.submit()
        await stage.gate_opens("retire")
        assert await waits_for(stage, "ana", "retire") == "product"

        async def listed() -> bool | None:
            rows = products.listing(stage.engine, owner="olga")
            return True if [r.owner async for r in rows if r.key == "before"] == ["olga"] else None

        await stage.until(listed, "it is listed under its owner's name")
        for workflow_id in (product_id("before"), gate_id("before", "retire")):
            handle = stage.engine.workflow(workflow_id)
            found = (await handle.describe()).typed_search_attributes
            assert str(found[KEYS["PhasegateOwner"]]).startswith(MARK)
            await replay(handle)
        # The round of before kept its names to its end; its history replays all the same.
        await replay(stage.engine.workflow(gate_id("before", "launch")))


@pytest.mark.slow
async def test_a_start_that_workers_cannot_read_waits_for_who_can(here: Installation) -> None:
    """Here they have another ring, which calls its key the same."""
    stage = await here.stage("waits", here.ring)
    await stage.start()  # nobody works yet, who could have been asked
    handle = stage.engine.workflow(product_id("waits"))

    async def failed() -> bool | None:
        found = await handle.describe()
        assert found.status is WorkflowExecutionStatus.RUNNING
        return True if found.raw_description.pending_workflow_task.attempt > 1 else None

    await here.stage("waits", Keyring.new("k1"))
    async with working():
        await stage.until(failed, "the task fails, and is tried again")
        for unlike in (here.ring, None):  # who would start more hears of it
            other = await here.stage("other", unlike)
            with pytest.raises(EngineError, match="key ring"):
                await other.start()
            with pytest.raises(EngineError, match="is not running"):
                await products.show(other.engine, "other")
    stage = await here.stage("waits", here.ring)

    async def goes_on() -> bool | None:
        with suppress(EngineError):  # its task is tried again after a while
            return (await stage.product()).phase == "build" or None
        return None

    async with working():
        await stage.until(goes_on, "who has the keys takes it up")


@pytest.mark.slow
async def test_a_newer_key_is_refused_before_it_jams_a_gate(here: Installation) -> None:
    stage = await here.stage("newer", here.ring)
    async with working():
        await at_its_gate(stage)
        newer = await here.stage("newer", here.ring.with_key("k2").using("k2"))
        with pytest.raises(EngineError, match="the workers here have no key k2"):
            await newer.vote("launch", "bo", "go")
        bare = await here.stage("newer", None)
        with pytest.raises(EngineError, match="the workers here are confidential"):
            await bare.vote("launch", "bo", "go")
        stage = await here.stage("newer", here.ring)
        await stage.votes("launch", "go", "bo", "cy", "ana")
        await stage.becomes(phase="market")


FORGED = [
    Payload(metadata={"encoding": b"binary/encrypted"}, data=b"x" * 40),
    Payload(metadata={"encoding": b"binary/encrypted", "encryption-key-id": b"k1"}, data=b"x" * 40),
    Payload(
        metadata={
            "encoding": b"binary/encrypted",
            "encryption-key-id": b"\xff\x1b[31m",
            "encryption-seal": b"0" * 32,
        },
        data=b"",
    ),
]


@pytest.mark.slow
async def test_what_somebody_forged_is_refused_and_stops_nothing(here: Installation) -> None:
    stage = await here.stage("forged", here.ring)
    async with working():
        await at_its_gate(stage)
        round_of = stage.engine.workflow(gate_id("forged", "launch"))
        # As a client without our codec would send them.
        await here.stage("forged", None)
        handle = (await connect()).get_workflow_handle(gate_id("forged", "launch"))
        for payload in FORGED:
            await handle.signal("vote", RawValue(payload))
            # The refusal is encrypted, too: who forges has nothing to read it with.
            with pytest.raises(EngineError, match="encrypted with key k1"):
                await handle.execute_update("vote", RawValue(payload))
        stage = await here.stage("forged", here.ring)

        async def all_refused() -> bool | None:
            refused = (await stage.gate("launch")).refused
            return True if len(refused) >= len(FORGED) else None

        await stage.until(all_refused, "the forged votes are refused")
        await stage.votes("launch", "go", "bo", "cy", "ana")
        await stage.becomes(phase="market")
        await replay(round_of)
