"""What is wrong with a set-up, and how to mend it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from importlib.metadata import version
from platform import python_version
from typing import TypeVar
from urllib.request import urlopen

from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest, GetSystemInfoRequest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from client.attribute_setup import missing_attributes, register, wrong_attributes
from client.checkup import Check
from client.commands_health import examine_commands
from client.connection import connect
from client.deliveries_health import examine_deliveries
from client.dev_server import find_temporal
from client.disk_health import examine_disk
from client.integrations_health import examine_integrations
from client.keyring_health import examine_confidentiality
from client.problems_health import examine_problems
from client.recovery_health import examine_record
from client.retirement_health import examine_retirement
from client.settings import Settings
from client.temporal_target import load_target
from client.transport_health import examine_transport
from client.versions_health import NAME as VERSIONS
from client.versions_health import examine_versions
from client.worker_health import examine_workers
from ledger import ChainBroken, Ledger, LedgerError
from phasegate.errors import EngineError
from phasegate.search import ATTRIBUTES

MaybeCheck = TypeVar("MaybeCheck", bound=Check | None)

STREAMS = 5
"""Chains verified in passing; a whole ledger may take minutes."""


async def examine(settings: Settings, *, fix: bool = False) -> AsyncIterator[Check]:
    """Every check in turn. With `fix`, missing search attributes are registered."""
    yield _python()
    try:
        yield examine_transport(load_target())
        client = await connect(any_namespace=True)  # which is a check of its own
    except EngineError as error:
        yield Check(check="server", state="fail", what=str(error), mend=error.hint)
    else:
        yield await _asked("server", _server, client)
        namespace = await _asked("namespace", _namespace, client)
        yield namespace
        if namespace.state != "fail":
            attributes = await _attributes(client, fix=fix)
            yield attributes
            yield await _asked("worker", lambda c: examine_workers(c, settings), client)
            if versions := await _asked(VERSIONS, lambda c: examine_versions(c, settings), client):
                yield versions
            if attributes.state != "fail":  # else the server cannot be asked by them
                yield await _asked(
                    "confidential mode", lambda c: examine_confidentiality(c, settings), client
                )
            if retirement := await _asked(
                "retirement", lambda c: examine_retirement(c, settings), client
            ):
                yield retirement
            if failing := await _asked("workflows", examine_problems, client):
                yield failing
            if record := await _asked("record", lambda c: examine_record(c, settings), client):
                yield record
    yield await asyncio.to_thread(_ledger, settings)
    if disk := await asyncio.to_thread(examine_disk, settings):
        yield disk
    yield await asyncio.to_thread(examine_deliveries, settings)
    async for check in examine_integrations():
        yield check
    yield await asyncio.to_thread(examine_commands)
    yield _embedded()
    yield await asyncio.to_thread(_ui, settings)


async def _asked(
    name: str, ask: Callable[[Client], Awaitable[MaybeCheck]], client: Client
) -> Check | MaybeCheck:
    try:
        return await ask(client)
    except RPCError as error:
        return Check(
            check=name,
            state="fail",
            what=f"the server refuses: {error.message}",
            mend="check the address, the credentials and what they may do",
        )


def _python() -> Check:
    versions = f"phasegate {version('phasegate')} on Python {python_version()}"
    return Check(check="versions", state="ok", what=versions)


async def _server(client: Client) -> Check:
    info = await client.workflow_service.get_system_info(GetSystemInfoRequest())
    address = client.service_client.config.target_host
    return Check(
        check="server", state="ok", what=f"Temporal {info.server_version} answers at {address}"
    )


async def _namespace(client: Client) -> Check:
    name = client.namespace
    try:
        found = await client.workflow_service.describe_namespace(
            DescribeNamespaceRequest(namespace=name)
        )
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        return Check(
            check="namespace",
            state="fail",
            what=f"there is no namespace {name}",
            mend=f"temporal operator namespace create --namespace {name}",
        )
    kept = found.config.workflow_execution_retention_ttl.ToTimedelta().days
    what = f"namespace {name} keeps closed workflows for {kept} days"
    return Check(check="namespace", state="ok", what=what)


async def _attributes(client: Client, *, fix: bool) -> Check:
    name = "search attributes"
    try:
        if wrong := await wrong_attributes(client):
            shown = ", ".join(f"{n} is {was}, not {ATTRIBUTES[n]}" for n, was in wrong.items())
            first = next(iter(wrong))
            return Check(
                check=name,
                state="fail",
                what=f"wrong types: {shown}",
                mend=f"temporal operator search-attribute remove --name {first} --yes, for each; "
                "then phasegate doctor --fix",
            )
        missing = await missing_attributes(client)
        if missing and fix:
            await register(client, missing)
            return Check(check=name, state="ok", what=f"registered {', '.join(missing)}")
    except RPCError as error:
        return Check(
            check=name,
            state="fail" if fix else "warn",
            what=f"this server does not let us see or register them: {error.message}",
            mend=f"on Temporal Cloud: {cloud_command(client.namespace)}",
        )
    except TimeoutError:
        what = "they are registered, but the server does not show them yet"
        return Check(check=name, state="fail", what=what, mend="phasegate doctor")
    if missing:
        what = f"missing: {', '.join(missing)}"
        return Check(check=name, state="fail", what=what, mend="phasegate doctor --fix")
    return Check(check=name, state="ok", what=f"all {len(ATTRIBUTES)} are registered")


def cloud_command(namespace: str) -> str:
    """How the attributes are added on Temporal Cloud, whose operators manage them by tcld."""
    pairs = " ".join(f'--sa "{name}={kind}"' for name, kind in ATTRIBUTES.items())
    return f"tcld namespace search-attributes add --namespace {namespace} {pairs}"


def _ledger(settings: Settings) -> Check:
    try:
        ledger = Ledger(settings.ledger_url)
        with ledger.database.writing():
            pass  # an empty transaction: it can be written to
        streams = list(ledger.streams())
        for product in streams[:STREAMS]:
            ledger.verify(product)
    except (LedgerError, ChainBroken) as error:
        mend = error.hint
        if isinstance(error, ChainBroken):
            mend = f"phasegate events list {error.product}; {error.hint}"
        return Check(check="ledger", state="fail", what=str(error), mend=mend)
    if share := ledger.database.share:
        return Check(
            check="ledger",
            state="warn",
            what=f"{ledger.database} is on a network share ({share}), where SQLite loses data",
            mend="move it to a disk of this machine, or use PostgreSQL",
        )
    verified = min(len(streams), STREAMS)
    what = f"{ledger.database} can be written; {verified} of {len(streams)} chains verified"
    return Check(check="ledger", state="ok", what=what)


def _embedded() -> Check:
    name = "embedded server"
    try:
        return Check(check=name, state="ok", what=f"found {find_temporal()}")
    except EngineError as error:
        what = f"{error.what}; only `phasegate dev` and `demo` need it"
        return Check(check=name, state="warn", what=what, mend=error.hint)


def _ui(settings: Settings) -> Check:
    try:
        urlopen(settings.ui_url, timeout=2).close()  # noqa: S310  # the user's own setting
        return Check(check="ui", state="ok", what=f"the Temporal UI answers at {settings.ui_url}")
    except (OSError, ValueError):
        what = f"no Temporal UI at {settings.ui_url}; links to it will not work"
        mend = "set PHASEGATE_UI_URL to its address"
        return Check(check="ui", state="warn", what=what, mend=mend)
