"""Payloads as the server has them in confidential mode: AES-256-GCM, with the id of their key."""

from __future__ import annotations

import hmac
import os
from collections.abc import Sequence
from hashlib import sha256

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from temporalio.api.common.v1 import Payload
from temporalio.converter import PayloadCodec

from client.keyring import Keyring
from workflows.sealing import ENCODING, HINT, KEY_ID, Locked

SEAL = "encryption-seal"
"""Says that a payload was encrypted by this installation, be it with a key that is missing here."""

_VERSION = "phasegate/1"
_NONCE = 12


class SealingCodec(PayloadCodec):
    """Encrypts all that is written; decrypts what is encrypted, and leaves the rest.

    A payload of this installation whose key is missing raises Locked: the task fails, and is tried
    again by who has the key. One that this installation never wrote is handed on as it came, and
    refused where it is used like other garbage: else one forged signal would stop a product for
    good.
    """

    def __init__(self, ring: Keyring) -> None:
        self._current = ring.current
        self._ciphers = {id: AESGCM(key) for id, key in ring.keys.items()}
        self._sealing = hmac.digest(ring.pseudonyms, b"seal", sha256)

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return [self._seal(payload) for payload in payloads]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Raises Locked."""
        return [self._open(payload) for payload in payloads]

    def _seal(self, payload: Payload) -> Payload:
        nonce, key = os.urandom(_NONCE), self._current.encode()
        sealed = self._ciphers[self._current].encrypt(
            nonce, payload.SerializeToString(), _bound_to(key)
        )
        data = nonce + sealed
        metadata = {
            "encoding": ENCODING.encode(),
            KEY_ID: key,
            SEAL: self._signature(key, data).encode(),
        }
        return Payload(metadata=metadata, data=data)

    def _open(self, payload: Payload) -> Payload:
        if payload.metadata.get("encoding") != ENCODING.encode():
            return payload
        key, data = payload.metadata.get(KEY_ID, b""), payload.data
        seal = payload.metadata.get(SEAL, b"")
        if not hmac.compare_digest(seal, self._signature(key, data).encode()):
            return payload
        cipher = self._ciphers.get(key.decode())
        if cipher is None:
            known = ", ".join(sorted(self._ciphers))
            raise Locked(
                "a payload cannot be read",
                f"it is encrypted with key {key.decode()}, and the key ring here has {known}",
                HINT,
            )
        try:
            return Payload.FromString(cipher.decrypt(data[:_NONCE], data[_NONCE:], _bound_to(key)))
        except InvalidTag:
            return payload

    def _signature(self, key: bytes, data: bytes) -> str:
        return hmac.digest(self._sealing, key + b"\n" + data, sha256).hex()[:32]


def _bound_to(key: bytes) -> bytes:
    """What is authenticated with a payload: no other key, and no other format."""
    return f"{_VERSION}\n".encode() + key
