"""Encrypted payloads: what they look like, and what is said of one that cannot be opened."""

from __future__ import annotations

import asyncio
from typing import Any, NoReturn

from temporalio import workflow
from temporalio.api.common.v1 import Payload
from temporalio.converter import EncodingPayloadConverter

with workflow.unsafe.imports_passed_through():
    from phasegate.errors import EngineError

ENCODING = "binary/encrypted"
KEY_ID = "encryption-key-id"

HINT = "set PHASEGATE_KEYS_FILE to the key ring of this installation (docs/confidential.md)"


class Locked(EngineError):
    """A payload is encrypted with a key that this process does not have, or is no payload of ours.

    What it says names a key at most, and is itself never encrypted.
    """


class Unopened(RuntimeError):
    """The same inside a workflow, where one of our own errors would end it for good: this one fails
    its task, which is tried again, by a worker that has the key if there is one."""


def locked(payload: Payload) -> Locked:
    """What is wrong with a payload that is still encrypted."""
    key = payload.metadata.get(KEY_ID, b"").decode(errors="replace")[:80]
    why = f"it is encrypted with key {key}, and no key here opens it"
    if not key.isprintable() or not key:
        why = "it says it is encrypted, and names no key"
    return Locked("a payload cannot be read", why, HINT)


class SealedConverter(EncodingPayloadConverter):
    """Meets payloads that no codec has opened: there is no key ring here, or they are forged."""

    @property
    def encoding(self) -> str:
        return ENCODING

    def to_payload(self, value: Any) -> Payload | None:
        return None  # what we write is encrypted by the codec, outside of workflows

    def from_payload(self, payload: Payload, type_hint: type | None = None) -> NoReturn:
        found = locked(payload)
        raise found if _by_a_client() else Unopened(str(found))


def _by_a_client() -> bool:
    """A worker reads what a workflow is started with, and what comes of its activities and
    children, before the workflow's own event loop runs, and in a thread that has no other."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return not workflow.in_workflow()
