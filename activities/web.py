"""HTTP with limits: answers are read in a bounded way, and URLs shown without secrets."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import cache
from importlib.metadata import version
from types import MappingProxyType

import httpx2

from activities.guard import NotReached, Outgoing
from phasegate.reach import Reach

__all__ = [
    "BODY_BYTES",
    "LONGEST_WAIT",
    "REDIRECTS",
    "NotReached",
    "client",
    "get",
    "read",
    "reason",
    "retry_after",
    "shown",
]

BODY_BYTES = 1024 * 1024
REDIRECTS = 3
LONGEST_WAIT = timedelta(days=1)


@cache
def _tls() -> ssl.SSLContext:
    # Loading the certificate store takes longer than a request; clients may share the context.
    return httpx2.create_ssl_context()


@asynccontextmanager
async def client(seconds: float, reach: Reach) -> AsyncIterator[httpx2.AsyncClient]:
    """A client whose every wait ends after `seconds`; the caller bounds their sum.

    It connects to nothing beyond `reach`, whatever names resolve to and redirects lead to.
    """
    headers = {
        "User-Agent": f"phasegate/{version('phasegate')}",
        # A small compressed answer can unpack to more than memory holds.
        "Accept-Encoding": "identity",
    }
    outgoing = Outgoing(reach, _tls())
    async with httpx2.AsyncClient(headers=headers, timeout=seconds, transport=outgoing) as opened:
        yield opened


async def get(
    http: httpx2.AsyncClient,
    url: str | httpx2.URL,
    headers: Mapping[str, str] = MappingProxyType({}),
    allowed: Callable[[httpx2.URL], bool] = lambda url: True,
) -> httpx2.Response:
    """GET, following at most REDIRECTS redirects; the answer's body is not read yet.

    The client's own redirects read every body on the way, however long, and carry every header
    but Authorization to wherever they lead. Here nothing is sent to what is not `allowed`.
    Raises httpx2.HTTPError.
    """
    request = http.build_request("GET", url, headers={"Accept": "application/json", **headers})
    for _ in range(REDIRECTS + 1):
        response = await http.send(request, stream=True, follow_redirects=False)
        if response.next_request is None:
            return response
        await response.aclose()
        request = response.next_request
        if not allowed(request.url):
            raise httpx2.RequestError(f"it leads to {shown(str(request.url))}, which is not asked")
    raise httpx2.TooManyRedirects(f"more than {REDIRECTS} redirects")


async def read(response: httpx2.Response, limit: int = BODY_BYTES) -> tuple[bytes, bool]:
    """The first `limit` bytes of the body as sent, and whether that is all of it."""
    body = bytearray()
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) > limit:
            return bytes(body[:limit]), False
    return bytes(body), True


def retry_after(
    response: httpx2.Response, statuses: tuple[int, ...] = (429, 503)
) -> timedelta | None:
    """How long an answer of these statuses asks to wait (RFC 9110, 10.2.3), a day at most."""
    if response.status_code not in statuses:
        return None
    value = response.headers.get("Retry-After", "").strip()
    if value.isascii() and value.isdigit():
        return timedelta(seconds=min(int(value[:9]), LONGEST_WAIT.total_seconds()))
    try:
        at = parsedate_to_datetime(value)
    except ValueError:
        return None
    wait = at.replace(tzinfo=at.tzinfo or UTC) - datetime.now(UTC)
    return min(max(wait, timedelta(0)), LONGEST_WAIT)


def shown(url: str) -> str:
    """A URL without what may be secret in it: user, password, query and fragment."""
    try:
        read = httpx2.URL(url)
        return str(read.copy_with(userinfo=b"", query=None, fragment=None))
    except (httpx2.InvalidURL, ValueError):
        return "an address that cannot be read"


def reason(error: Exception) -> str:
    """Why a request got no answer, in one bounded line."""
    if isinstance(error, TimeoutError | httpx2.TimeoutException):
        return "no answer in time"
    return " ".join((str(error) or type(error).__name__).split())[:200]
