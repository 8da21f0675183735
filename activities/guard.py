"""Connections to where may be connected to: looked at once a name is resolved, and then kept to.

What was looked at is what is connected to: a name that resolves to something else a moment later
(DNS rebinding) gains nothing, nor does a number in another notation, or a redirect.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Iterable
from ipaddress import ip_address
from typing import Any
from urllib.request import getproxies, proxy_bypass

# httpx2 is made of it, and pins its version.
import httpcore2
import httpx2

from integrations.reaching import FIELD
from phasegate.reach import Address, Reach


class NotReached(httpx2.ConnectError):
    """The address may not be called. Nothing was sent, and no other try ends differently."""


class Guard(httpcore2.AsyncNetworkBackend):
    """Resolves names itself, and connects to what it looked at."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach
        self._plain = httpcore2.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        """Try the permitted addresses in turn. Raises NotReached if there is none."""
        end = None if timeout is None else asyncio.get_running_loop().time() + timeout
        try:
            async with asyncio.timeout(timeout):
                found = await _resolved(host, port)
        except TimeoutError as error:
            raise httpcore2.ConnectTimeout("the name was not resolved in time") from error
        except (OSError, UnicodeError) as error:
            raise httpcore2.ConnectError(str(error)) from error
        permitted = [address for address in found if not self._reach.refusal(address)]
        if not permitted:
            raise refused(host, found[0], self._reach.refusal(found[0]))
        failure: Exception | None = None
        for left, address in zip(range(len(permitted), 0, -1), permitted, strict=True):
            # An address that is silent must leave time for the next.
            share = None if end is None else (end - asyncio.get_running_loop().time()) / left
            try:
                return await self._plain.connect_tcp(
                    str(address), port, share, local_address, socket_options
                )
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                failure = failure or error
        assert failure is not None
        raise failure

    async def connect_unix_socket(self, *_: Any, **__: Any) -> httpcore2.AsyncNetworkStream:
        """Nothing of ours is asked this way."""
        raise httpcore2.ConnectError("sockets of this machine are not asked")

    async def sleep(self, seconds: float) -> None:
        """As the library's own."""
        await self._plain.sleep(seconds)


class Outgoing(httpx2.AsyncBaseTransport):
    """Every request: straight, and guarded, or by the proxy that the environment names.

    A proxy connects for us, and only it knows where a name leads: what is behind it is its to
    refuse. Numbers are looked at here all the same.
    """

    def __init__(self, reach: Reach, tls: ssl.SSLContext) -> None:
        self._reach, self._tls = reach, tls
        self._straight = _Guarded(reach, tls)
        self._proxies: dict[str, httpx2.AsyncHTTPTransport] = {}

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send it. Raises NotReached and httpx2.HTTPError."""
        proxy = _proxy(request.url)
        if proxy is None:
            return await self._straight.handle_async_request(request)
        address = _number(request.url.host)
        if address and (what := self._reach.refusal(address)):
            raise refused(request.url.host, address, what)
        if proxy not in self._proxies:
            self._proxies[proxy] = httpx2.AsyncHTTPTransport(verify=self._tls, proxy=proxy)
        return await self._proxies[proxy].handle_async_request(request)

    async def aclose(self) -> None:
        """Close all connections."""
        for transport in (self._straight, *self._proxies.values()):
            await transport.aclose()


class _Guarded(httpx2.AsyncHTTPTransport):
    """The library's own, but for how it connects, which it lets nobody choose."""

    def __init__(self, reach: Reach, tls: ssl.SSLContext) -> None:
        super().__init__(verify=tls, trust_env=False)
        if not isinstance(self._pool, httpcore2.AsyncConnectionPool):
            raise TypeError("httpx2 keeps its connections elsewhere: no request can be guarded")
        self._pool = httpcore2.AsyncConnectionPool(
            ssl_context=tls, network_backend=Guard(reach), max_connections=10
        )


async def _resolved(host: str, port: int) -> list[Address]:
    """The addresses of a host, in the system's order; numbers in any notation included."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    numbers = (ip_address(where[4][0]) for where in found)
    addresses = list(dict.fromkeys(numbers))
    if not addresses:
        raise OSError("the name has no address")
    return addresses


def refused(host: str, address: Address, what: str) -> NotReached:
    """In one line, short enough for every place where it is shown."""
    where = host[:80] if host == str(address) else f"{host[:80]}, at {address},"
    return NotReached(f"{where} is {what}: not called unless {FIELD} of the installation has it")


def _proxy(url: httpx2.URL) -> str | None:
    proxies = getproxies()
    found = proxies.get(url.scheme) or proxies.get("all")
    if not found or proxy_bypass(url.host):
        return None
    return found if "://" in found else f"http://{found}"


def _number(host: str) -> Address | None:
    """The address that a host is without asking anybody, in any notation that systems take."""
    host = host.rstrip(".")
    if host.lower().rpartition(".")[2] == "localhost":
        return ip_address("127.0.0.1")
    try:
        return ip_address(host)
    except ValueError:
        pass
    try:
        return ip_address(socket.inet_aton(host))
    except (OSError, ValueError):
        return None
