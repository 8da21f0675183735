"""Whether the integrations file can be used here: it, its secrets, and the hosts it names.

Run beside a worker, in its environment: the secrets are those of the process that asks.
"""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import AsyncIterator, Mapping
from ipaddress import ip_address
from urllib.parse import urlsplit

from client.checkup import Check
from integrations.document import Integrations
from integrations.loading import VARIABLE, DocumentError, IntegrationsUnreadable, load_integrations
from integrations.reaching import FIELD, ReachUnreadable, reach_of
from integrations.secret import SecretMissing
from phasegate.problems import Problem, dotted
from phasegate.reach import Reach

PATIENCE = 2.0
"""Seconds for a name to resolve."""


async def examine_integrations(env: Mapping[str, str] = os.environ) -> AsyncIterator[Check]:
    """The file and its secrets; then, if it has connections, whether their hosts are known."""
    try:
        found = await asyncio.to_thread(load_integrations, env)
    except IntegrationsUnreadable as error:
        what = f"{error.what}: {error.why}"
        yield Check(check="integrations", state="fail", what=what, mend=error.hint)
        return
    except DocumentError as error:
        what = "; ".join(without_values(problem) for problem in error.problems)
        mend = "mend the file; docs/integrations.md has every field"
        yield Check(check="integrations", state="fail", what=what, mend=mend)
        return
    if not env.get(VARIABLE):
        what = f"nothing is integrated: {VARIABLE} is not set"
        yield Check(check="integrations", state="ok", what=what)
        return
    yield await asyncio.to_thread(_secrets, found, env)
    if found.connections:
        yield await _hosts(found, env)


def without_values(problem: Problem) -> str:
    """A problem without what it quotes: that may be a secret in the wrong place."""
    message = re.sub(r"'[^']*'|\"[^\"]*\"", "…", problem.message)
    place = f"{problem.source}:{problem.line}:{problem.column}"
    return f"{place}: {dotted(problem.path)}: {message}"


def _secrets(found: Integrations, env: Mapping[str, str]) -> Check:
    secrets, missing = found.secrets(), []
    for where, secret in secrets:
        try:
            secret.reveal(env)
        except SecretMissing as error:
            missing.append(f"{where} ({secret}): {error.why}")
    if missing:
        mend = "set the variables and mount the files where the worker runs"
        return Check(check="integrations", state="fail", what="; ".join(missing), mend=mend)
    parts = {
        "connections": len(found.connections),
        "sources": len(found.sources),
        "feeds": len(found.feeds),
        "subscribers": len(found.subscribers),
        "chat channels": len(found.chat),
    }
    said = [f"{number} {name}" for name, number in parts.items() if number]
    said += ["mail"] if found.mail else []
    what = f"{env[VARIABLE]}: {', '.join(said) or 'empty'}; {len(secrets)} secrets can be read"
    return Check(check="integrations", state="ok", what=what)


async def _hosts(found: Integrations, env: Mapping[str, str]) -> Check:
    """Nothing is sent; an unknown host is a warning, since a proxy may know it."""
    try:
        asked = [_host(each.url, reach_of(found, each, env)) for each in found.connections.values()]
    except ReachUnreadable as error:
        what = f"{error.what}: {error.why}"
        return Check(check="connections", state="fail", what=what, mend=error.hint)
    names, problems = list(found.connections), await asyncio.gather(*asked)
    unknown = [f"{name}: {why}" for name, why in zip(names, problems, strict=True) if why]
    if unknown:
        mend = f"mend the url, look at the network of this machine, or add to {FIELD}"
        return Check(check="connections", state="warn", what="; ".join(unknown), mend=mend)
    what = f"the hosts of {', '.join(names)} are known"
    return Check(check="connections", state="ok", what=what)


async def _host(url: str, reach: Reach) -> str:
    """Why the host of a URL is not known, or not called; empty if it is."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or 0
        async with asyncio.timeout(PATIENCE):
            known = await asyncio.get_running_loop().getaddrinfo(host, port)
    except (OSError, ValueError, TimeoutError) as error:
        why = getattr(error, "strerror", None) or str(error) or "no answer in time"
        return f"{url} cannot be found: {why}"
    refusals = {reach.refusal(ip_address(where[4][0])): where[4][0] for where in known}
    if "" in refusals:
        return ""
    what, address = next(iter(refusals.items()))
    return f"{url} leads to {address}, which is {what} and not called"
