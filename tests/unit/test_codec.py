"""Payloads and failures as the server has them in confidential mode."""

from __future__ import annotations

import asyncio
import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st
from temporalio.api.common.v1 import Payload
from temporalio.api.failure.v1 import Failure
from temporalio.exceptions import ApplicationError

from client.codec import SEAL, SealingCodec
from client.keyring import Keyring
from client.plugin import CONVERTER, converter
from phasegate.errors import EngineError
from workflows.sealing import KEY_ID, Locked, Unopened

RING = Keyring.new("k1")
CODEC = SealingCodec(RING)
PAYLOAD = Payload(metadata={"encoding": b"json/plain"}, data=b'"canary"')


@given(st.binary(max_size=300), st.dictionaries(st.text(max_size=20), st.binary(max_size=20)))
async def test_every_payload_comes_back_and_none_is_readable(
    data: bytes, metadata: dict[str, bytes]
) -> None:
    payload = Payload(metadata=metadata, data=b"canary" + data)
    (sealed,) = await CODEC.encode([payload])
    assert set(sealed.metadata) == {"encoding", KEY_ID, SEAL}
    assert b"canary" not in sealed.SerializeToString()
    assert await CODEC.decode([sealed]) == [payload]
    assert await CODEC.encode([payload]) != [sealed]  # its nonce is new


async def test_what_was_written_before_is_read_as_it_is() -> None:
    assert await CODEC.decode([PAYLOAD]) == [PAYLOAD]


async def test_a_rotated_ring_reads_the_old_and_writes_the_new() -> None:
    rotated = SealingCodec(RING.with_key("k2").using("k2"))
    (old,) = await CODEC.encode([PAYLOAD])
    (new,) = await rotated.encode([PAYLOAD])
    assert (old.metadata[KEY_ID], new.metadata[KEY_ID]) == (b"k1", b"k2")
    assert await rotated.decode([old, new]) == [PAYLOAD, PAYLOAD]
    with pytest.raises(Locked, match="encrypted with key k2, and the key ring here has k1"):
        await CODEC.decode([new])


@given(st.data())
async def test_what_was_changed_on_its_way_is_not_opened(data: st.DataObject) -> None:
    """It stays as it came, and is refused where it is used: a forged signal stops no workflow."""
    (sealed,) = await CODEC.encode([PAYLOAD])
    where = data.draw(st.sampled_from(["data", KEY_ID, SEAL]))
    raw = bytearray(sealed.data if where == "data" else sealed.metadata[where])
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= data.draw(st.integers(1, 255))
    if where == "data":
        sealed.data = bytes(raw)
    else:
        sealed.metadata[where] = bytes(raw)
    assert await CODEC.decode([sealed]) == [sealed]
    with pytest.raises(Locked):
        CONVERTER.payload_converter.from_payload(sealed)


async def test_another_installation_with_a_key_of_the_same_name_opens_nothing() -> None:
    (sealed,) = await CODEC.encode([PAYLOAD])
    other = SealingCodec(Keyring.new("k1"))
    assert await other.decode([sealed]) == [sealed]
    # And neither does one that knows the data key alone: a seal is by the ring's own key.
    half = SealingCodec(dataclasses.replace(RING, pseudonyms=b"x" * 32))
    assert await half.decode([sealed]) == [sealed]


async def test_without_a_ring_it_says_what_is_missing() -> None:
    (sealed,) = await CODEC.encode([PAYLOAD])
    with pytest.raises(EngineError, match="it is encrypted with key k1") as caught:
        await CONVERTER.decode([sealed])
    assert "PHASEGATE_KEYS_FILE" in caught.value.hint


@pytest.mark.parametrize("other", [None, Keyring.new("k1"), Keyring.new("k9")])
def test_what_a_workflow_is_started_with_fails_its_task_and_not_the_workflow(
    other: Keyring | None,
) -> None:
    """A worker reads it in a thread without an event loop, where our own errors would end it."""
    sealed = asyncio.run(CODEC.encode([PAYLOAD]))
    if other is not None:
        sealed = asyncio.run(SealingCodec(other).decode(sealed))
    with pytest.raises(RuntimeError) as caught:
        converter(other).payload_converter.from_payloads(sealed)
    assert isinstance(caught.value.__cause__, Unopened)
    assert "it is encrypted with key k1" in str(caught.value.__cause__)


def text_of(failure: Failure) -> bytes:
    return failure.SerializeToString()


async def test_failures_are_encrypted_with_their_causes_and_come_back() -> None:
    ours = converter(RING)
    cause = ValueError("canary of the cause")
    error = ApplicationError("canary", {"why": "canary detail"}, type="stale")
    error.__cause__ = cause
    failure = Failure()
    await ours.encode_failure(error, failure)
    assert b"canary" not in text_of(failure)
    assert failure.application_failure_info.type == "stale"  # a code, which metrics count
    back = await ours.decode_failure(failure)
    assert isinstance(back, ApplicationError)
    assert (back.message, list(back.details)) == ("canary", [{"why": "canary detail"}])
    assert "canary of the cause" in str(back.cause)


async def test_a_failure_from_before_is_encrypted_when_it_is_handed_on() -> None:
    plain, failure = Failure(), Failure()
    error = ApplicationError("canary")
    error.__cause__ = ValueError("canary of the cause")
    await CONVERTER.encode_failure(error, plain)
    assert b"canary" in text_of(plain)
    ours = converter(RING)
    await ours.encode_failure(await ours.decode_failure(plain), failure)
    assert b"canary" not in text_of(failure)


@pytest.mark.parametrize("kind", [Locked, Unopened])
async def test_what_says_that_a_key_is_missing_stays_readable(kind: type[Exception]) -> None:
    failure = Failure()
    outer = RuntimeError("Failed decoding arguments")
    outer.__cause__ = kind("it is encrypted with key k2")
    await converter(RING).encode_failure(outer, failure)
    assert "key k2" in failure.cause.message
