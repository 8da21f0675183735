"""What is served: `POST /events/{source}`, `POST /customers/{product}`, `GET /healthz`,
`GET /readyz`; and, where it is asked for, what the Temporal UI decrypts with, below `/codec`."""

from __future__ import annotations

import re
from collections.abc import Mapping

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from integrations.document import Feed, Source
from integrations.refused import Refused, malformed
from serving.answering import Answering, shown
from serving.codec import Codec
from serving.customers import Customers
from serving.link import Link
from serving.taking import Taker

_ORIGIN = re.compile(r"[A-Za-z0-9.*:-]{1,253}")


def build_app(
    sources: Mapping[str, Source],
    feeds: Mapping[str, Feed],
    link: Link | None = None,
    codec: Codec | None = None,
) -> Starlette:
    """The application. Nothing is connected until it is needed."""
    link = link or Link()

    async def healthz(request: Request) -> Response:
        """Alive: nothing else is asked."""
        return JSONResponse({"ok": True})

    async def readyz(request: Request) -> Response:
        """Ready: Temporal answers, so that events can be told to somebody. Not while it stops.

        No more is said: whoever reaches the webhooks can ask. The log has why not.
        """
        ready = not link.leaving and await link.ready()
        return JSONResponse({"ready": ready}, 200 if ready else 503)

    return Starlette(
        routes=[
            Route("/healthz", healthz),
            Route("/readyz", readyz),
            Route("/events/{source}", _Events(sources, link)),
            Route("/customers/{product}", Customers(feeds, link)),
            *([Route("/codec/{act}", codec)] if codec else ()),
        ],
        exception_handlers={HTTPException: _no_such_page},
    )


class _Events(Answering):
    """Events of one source."""

    def __init__(self, sources: Mapping[str, Source], link: Link) -> None:
        self.taker = Taker(sources, link, self.traced)

    async def answer(self, name: str, request: Request) -> Response:
        source = self.taker.sources.get(name)
        if source is None:
            raise Refused(
                404,
                "unknown-source",
                f"there is no source {shown(name)}",
                "the integrations file has none of that name",
                "add it below sources, and start phasegate serve again",
            )
        if request.method == "OPTIONS" and source.kind == "cloudevents":
            return _handshake(request)
        if request.method != "POST":
            raise Refused(
                405,
                "method-not-allowed",
                f"{request.method} is not allowed",
                "events come by POST",
                "use POST",
                headers={"Allow": "POST, OPTIONS" if source.kind == "cloudevents" else "POST"},
            )
        found = await self.taker.take(name, source, request)
        pinged = source.kind == "github" and not found["events"]
        # A token in the query makes even a success private (CloudEvents webhooks, section 3.2).
        return JSONResponse(found, 200 if pinged else 202, {"Cache-Control": "private, no-store"})


def _handshake(request: Request) -> Response:
    """Agree to notifications (CloudEvents webhook specification 1.0.2, section 4).

    It is no proof of anything: each event brings its own. Callbacks are not called, since whoever
    asks would choose what we call.
    """
    origin = request.headers.get("webhook-request-origin", "")
    if not _ORIGIN.fullmatch(origin):
        raise malformed("OPTIONS needs a WebHook-Request-Origin that is a DNS name")
    headers = {
        "Allow": "POST, OPTIONS",
        "WebHook-Allowed-Origin": origin,
        "WebHook-Allowed-Rate": "*",
    }
    return Response(status_code=200, headers=headers)


async def _no_such_page(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    what = "there is no such page" if error.status_code == 404 else "that is not allowed here"
    code = "unknown-page" if error.status_code == 404 else "method-not-allowed"
    refused = Refused(
        error.status_code,
        code,
        what,
        "served are POST /events/SOURCE, POST /customers/KEY, GET /healthz and GET /readyz",
        "phasegate serve --help",
        headers=error.headers,
    )
    return Answering().refusal("", refused)
