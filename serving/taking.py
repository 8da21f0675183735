"""Taking one request: its body, its proof, its events, and what they move."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field
from typing import Any

import structlog
from starlette.requests import Request

from client.happenings import Told, tell
from integrations.document import Source
from integrations.incoming import Incoming, read
from integrations.proof import prove
from integrations.refused import Refused, malformed, unavailable
from phasegate.errors import EngineError
from serving.link import Link

LARGEST = 1024 * 1024
"""Bytes of a body; GitHub's cap is 25 MB, which no milestone needs to be told."""

WITHIN = 10.0
"""Seconds in which a body must have come."""

LINGER = 1.0
"""Seconds, and four times the largest body, that are spared for the rest of one that is larger."""

ANSWER = 8.0
"""Seconds in which everybody is told; GitHub and GitLab give up after ten."""

AT_ONCE = 64
"""Proven requests worked on at the same time; more are asked to come again."""

READING = 256
"""Bodies being read at the same time, by whomever they are sent: each takes memory for a while."""

log = structlog.get_logger("serving")


@dataclass
class Room:
    """So many at the same time; who finds it full is asked to come again."""

    most: int
    doing: str
    now: int = 0

    def __enter__(self) -> None:
        if self.now >= self.most:
            why = f"{self.most} others {self.doing}"
            raise unavailable(why, "try again in a second", code="busy", after=1)
        self.now += 1

    def __exit__(self, *error: object) -> None:
        self.now -= 1


@dataclass
class Taker:
    """Takes the requests of every source."""

    sources: Mapping[str, Source]
    link: Link
    traced: Callable[[Request], AbstractContextManager[None]]
    reading: Room = field(default_factory=lambda: Room(READING, "are being read"), init=False)
    working: Room = field(default_factory=lambda: Room(AT_ONCE, "are being taken"), init=False)

    async def take(self, name: str, source: Source, request: Request) -> dict[str, Any]:
        """What an event did, as the sender is told. Raises Refused."""
        with self.reading:
            body = await body_of(request)
        headers = headers_of(request)
        token = request.query_params.get("access_token")
        prove(source, headers, body, token and token.encode().decode("latin-1"))
        # Who has no secret takes no place here, and is in no trace.
        with self.working, self.traced(request):
            return await self._take(name, source, headers, body)

    async def _take(
        self, name: str, source: Source, headers: Mapping[str, str], body: bytes
    ) -> dict[str, Any]:
        events = read(name, source, headers, body)
        told: list[tuple[Incoming, Told]] = []
        try:
            async with asyncio.timeout(ANSWER):
                client = await self.link.client() if events else None
                for each in events:
                    assert client is not None
                    found = await tell(client, each.event, each.data)
                    _note(each, found)
                    told += [(each, one) for one in found]
        except EngineError as error:
            raise unavailable(str(error), error.hint) from error
        except TimeoutError as error:
            why = f"not everybody could be told within {ANSWER:.0f} s"
            raise unavailable(why, "phasegate doctor") from error
        return _answer(name, events, told)


def _answer(name: str, events: list[Incoming], told: list[tuple[Incoming, Told]]) -> dict[str, Any]:
    states = [one.state for _, one in told]
    return {
        "schema_version": 1,
        "source": name,
        "events": len(events),
        "moved": states.count("moved"),
        "before": states.count("before"),
        "milestones": [
            {
                "event": each.event.id,
                "product": one.product,
                "milestone": one.milestone,
                "state": one.state,
                "why": one.why,
            }
            for each, one in told
        ],
    }


def _note(each: Incoming, found: list[Told]) -> None:
    """One line for an event. It holds no data, and so no reason of an expression, which may."""
    states = [one.state for one in found]
    log.info(
        "event taken",
        source=each.event.source,
        type=each.event.type[:200],
        id=each.event.id[:200],
        asked=len(found),
        moved=states.count("moved"),
        before=states.count("before"),
    )


async def body_of(request: Request, largest: int = LARGEST) -> bytes:
    """The body, unless it is too large: then it is not read to its end. Raises Refused."""
    declared = request.headers.get("content-length", "")
    body = bytearray()
    try:
        async with asyncio.timeout(WITHIN):
            if declared.isdigit() and int(declared) > largest:
                if "expect" not in request.headers:  # who asked first has sent nothing yet
                    await _linger(request, largest)
                raise _too_large(largest)
            async for chunk in request.stream():
                body += chunk
                if len(body) > largest:
                    await _linger(request, largest)
                    raise _too_large(largest)
    except TimeoutError as error:
        raise Refused(
            408,
            "too-slow",
            "the event is not taken",
            f"its body did not come within {WITHIN:.0f} s",
            "send it again",
            headers={"Connection": "close"},
        ) from error
    return bytes(body)


async def _linger(request: Request, largest: int) -> None:
    """Drop some of what comes: who is cut off while sending may never read why (RFC 9112, 9.6)."""
    dropped = 0
    with suppress(TimeoutError):
        async with asyncio.timeout(LINGER):
            while dropped < 4 * largest:
                message = await request.receive()
                dropped += len(message.get("body", b""))
                if not message.get("more_body", False):
                    return


def _too_large(largest: int) -> Refused:
    return Refused(
        413,
        "too-large",
        "the event is not taken",
        f"its body has more than {largest} bytes",
        "send less: milestones need to know what happened and where; customers may come in parts",
        headers={"Connection": "close"},
    )


ONCE = ("authorization", "ce-", "content-", "idempotency-key", "webhook-", "x-git", "x-hub-")
"""Headers, or how they begin, that say something here: given twice, they say two things."""


def headers_of(request: Request) -> dict[str, str]:
    """The headers by name. Raises Refused where one that counts is given twice."""
    found: dict[str, str] = {}
    for name, value in request.headers.items():
        if name in found and name.startswith(ONCE):
            raise malformed(f"the header {name[:60]} is given twice")
        found[name] = value
    return found
