"""Registering phasegate's search attributes on a Temporal server."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import timedelta

from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import (
    AddSearchAttributesRequest,
    ListSearchAttributesRequest,
)
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from client.attributes import quoted
from phasegate.search import ATTRIBUTES

PATIENCE = timedelta(seconds=5)
VISIBLE = timedelta(seconds=60)
"""How long a server may take to show what was registered; clusters cache it for a while."""

TYPES = {
    "Keyword": IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
    "KeywordList": IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD_LIST,
    "Datetime": IndexedValueType.INDEXED_VALUE_TYPE_DATETIME,
}


async def missing_attributes(client: Client) -> list[str]:
    """Ours that the namespace does not have. Raises RPCError where that may not be asked."""
    found = await _registered(client)
    return [name for name in ATTRIBUTES if name not in found]


async def wrong_attributes(client: Client) -> dict[str, str]:
    """Ours that are there with another type, and which. Raises RPCError."""
    found = await _registered(client)
    return {
        name: _word(found[name])
        for name, kind in ATTRIBUTES.items()
        if name in found and found[name] != TYPES[kind]
    }


async def register(client: Client, names: Iterable[str]) -> None:
    """Add them and wait until queries know them. Raises RPCError, or TimeoutError."""
    names = list(names)
    try:
        await client.operator_service.add_search_attributes(
            AddSearchAttributesRequest(
                namespace=client.namespace,
                search_attributes={name: TYPES[ATTRIBUTES[name]] for name in names},
            ),
            timeout=timedelta(seconds=30),
        )
    except RPCError as error:
        # Somebody else registered them at the same time.
        if error.status is not RPCStatusCode.ALREADY_EXISTS:
            raise
    async with asyncio.timeout(VISIBLE.total_seconds()):
        while not await _visible(client, names):  # noqa: ASYNC110  # only asking shows it
            await asyncio.sleep(0.5)


async def _registered(client: Client) -> dict[str, int]:
    answer = await client.operator_service.list_search_attributes(
        ListSearchAttributesRequest(namespace=client.namespace), timeout=PATIENCE
    )
    return dict(answer.custom_attributes)


async def _visible(client: Client, names: Iterable[str]) -> bool:
    if await missing_attributes(client):
        return False
    try:
        for name in names:
            value = quoted("2000-01-01T00:00:00Z" if ATTRIBUTES[name] == "Datetime" else "none")
            await client.count_workflows(f"{name} = {value}")
    except RPCError:
        return False
    return True


def _word(value: int) -> str:
    name = IndexedValueType.Name(value)  # type: ignore[arg-type]  # protobuf enums are plain ints
    return name.removeprefix("INDEXED_VALUE_TYPE_").title().replace("_", "")
