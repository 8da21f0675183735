"""Registering phasegate's search attributes on any Temporal server."""

from __future__ import annotations

import asyncio

from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import (
    AddSearchAttributesRequest,
    ListSearchAttributesRequest,
)
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from phasegate.errors import EngineError
from phasegate.search import ATTRIBUTES

_TYPES = {
    "Keyword": IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
    "KeywordList": IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD_LIST,
    "Datetime": IndexedValueType.INDEXED_VALUE_TYPE_DATETIME,
}

VISIBLE = 10.0
"""Seconds after which a registered attribute must be usable."""


async def registered(client: Client) -> dict[str, str]:
    """The custom search attributes of the namespace, name → type. Raises RPCError."""
    answer = await client.operator_service.list_search_attributes(
        ListSearchAttributesRequest(namespace=client.namespace)
    )
    names = {number: name for name, number in _TYPES.items()}
    return {
        name: names.get(kind, IndexedValueType.Name(kind))
        for name, kind in answer.custom_attributes.items()
    }


async def register(client: Client) -> list[str]:
    """Register what is missing and wait until it can be used; the names that were new.

    Raises EngineError when the server does not allow it (Temporal Cloud), or when an attribute
    exists with another type.
    """
    try:
        known = await registered(client)
        if wrong := [f"{n} is {known[n]}" for n, t in ATTRIBUTES.items() if known.get(n, t) != t]:
            raise EngineError(
                "search attributes have the wrong type",
                "; ".join(wrong),
                "temporal operator search-attribute remove --name NAME; phasegate doctor --fix",
            )
        missing = [name for name in ATTRIBUTES if name not in known]
        if missing:
            await client.operator_service.add_search_attributes(
                AddSearchAttributesRequest(
                    namespace=client.namespace,
                    search_attributes={name: _TYPES[ATTRIBUTES[name]] for name in missing},
                )
            )
            await _until_usable(client)
    except RPCError as error:
        if error.status in (RPCStatusCode.UNIMPLEMENTED, RPCStatusCode.PERMISSION_DENIED):
            raise EngineError(
                "this server does not let phasegate register search attributes",
                error.message,
                "register them by hand: phasegate doctor  (lists names and types)",
            ) from error
        raise EngineError(
            "the search attributes could not be registered", error.message, "phasegate doctor"
        ) from error
    return missing


async def _until_usable(client: Client) -> None:
    """A fresh attribute is refused in queries until every part of the server has heard of it."""
    query = " AND ".join(f"{name} IS NULL" for name in ATTRIBUTES)
    async with asyncio.timeout(VISIBLE):
        while True:
            try:
                await client.count_workflows(query)
                return
            except RPCError:
                await asyncio.sleep(0.2)
