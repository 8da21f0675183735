"""Connecting to Temporal, with Temporal's own settings, and saying so when it is not there."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from temporalio.client import Client
from temporalio.service import RPCError

from client.connection_failures import explained
from client.keyring_match import SameKeys
from client.namespace import require_namespace
from client.plugin import phasegate_plugin
from client.runtime import core_runtime
from client.temporal_target import Target, load_target
from phasegate.errors import EngineError

PATIENCE = timedelta(seconds=2.5)
"""How long an unreachable server is waited for.

A person at a prompt gets an answer in 5 s, and loading all that a command needs takes some of them.
"""


async def connect(
    address: str | None = None,
    *,
    workflows: bool = True,
    to: str | None = None,
    any_namespace: bool = False,
) -> Client:
    """A client with phasegate's plugin, from TEMPORAL_* variables or a Temporal profile.

    With an `address`, that server and none of those settings: the embedded server must not be
    mistaken for what a profile names. Workers of a client without `workflows` run none. With
    `to`, it sends to the workers of that task queue, and nothing that they could not decrypt.

    Raises EngineError when the settings are wrong, nothing answers in time, or we are not let in;
    and, unless told `any_namespace`, when the namespace that the settings name is not there.
    """
    target = load_target() if address is None else Target(address, {"target_host": address})
    plugin = phasegate_plugin(workflows=workflows)
    same = SameKeys(to, plugin.ring) if to is not None else None
    try:
        async with asyncio.timeout(PATIENCE.total_seconds()):
            client = await Client.connect(
                **target.config,
                plugins=[plugin],
                runtime=core_runtime(),
                interceptors=[same] if same else [],
            )
            await client.service_client.check_health(timeout=PATIENCE)
            if address is None and not any_namespace:
                await require_namespace(client, target.address, PATIENCE)
            if same:
                same.client = client
            return client
    except TimeoutError as error:
        silent = TimeoutError(f"no answer within {PATIENCE.total_seconds()} s")
        raise explained(target, silent) from error
    except (RuntimeError, RPCError, OSError) as error:
        raise explained(target, error) from error
    except ValueError:
        # Without its cause, which may quote what it does not understand: a header has a key in it.
        raise EngineError(
            f"cannot connect to Temporal at {target.address}",
            "the SDK does not take the settings: an address, a name or a header is malformed",
            "temporal config get  # shows what TEMPORAL_PROFILE and the config file say",
        ) from None
