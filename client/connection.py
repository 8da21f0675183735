"""Connecting to Temporal, with Temporal's own settings, and saying so when it is not there."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from temporalio.client import Client
from temporalio.envconfig import ClientConfig
from temporalio.service import RPCError

from client.plugin import phasegate_plugin
from client.runtime import core_runtime
from phasegate.errors import EngineError

PATIENCE = timedelta(seconds=2.5)
"""How long an unreachable server is waited for.

A person at a prompt gets an answer in 5 s, and loading all that a command needs takes some of them.
"""

_REASONS = {
    "Connection refused": "nothing listens there",
    "ConnectionRefused": "nothing listens there",
    "dns error": "no such host",
    "Certificate": "its TLS certificate is not accepted",
    "PermissionDenied": "the credentials are not accepted",
    "Unauthenticated": "the credentials are not accepted",
}
"""What the Rust core says of a failed connection, in words."""

_START = "phasegate dev  # or set TEMPORAL_ADDRESS to a running Temporal server"


async def connect(address: str | None = None) -> Client:
    """A client with phasegate's plugin, from TEMPORAL_* variables or a Temporal profile.

    With an `address`, that server and none of those settings: the embedded server must not be
    mistaken for what a profile names. Raises EngineError when the settings are wrong or nothing
    answers in time.
    """
    try:
        config = ClientConfig.load_client_connect_config() if address is None else {}
    except Exception as error:
        raise EngineError(
            "the Temporal settings cannot be read",
            str(error),
            "temporal config get  # shows what TEMPORAL_PROFILE and the config file say",
        ) from error
    address = config.setdefault("target_host", address or "localhost:7233")
    try:
        async with asyncio.timeout(PATIENCE.total_seconds()):
            client = await Client.connect(
                **config, plugins=[phasegate_plugin()], runtime=core_runtime()
            )
            await client.service_client.check_health(timeout=PATIENCE)
            return client
    except (RuntimeError, RPCError, TimeoutError, OSError) as error:
        raise EngineError(f"no Temporal server at {address}", _reason(error), _START) from error


def _reason(error: Exception) -> str:
    text = str(error)
    for sign, words in _REASONS.items():
        if sign in text:
            return words
    return text.splitlines()[0][:200] if text else f"no answer within {PATIENCE.total_seconds()} s"
