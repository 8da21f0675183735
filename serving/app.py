"""What is served: `POST /events/{source}`, `GET /healthz`, `GET /readyz`."""

from __future__ import annotations

import re
import traceback
from collections.abc import Mapping
from typing import Any

import structlog
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from integrations.document import Source
from integrations.refused import Refused, malformed
from phasegate.errors import EngineError
from serving.link import Link
from serving.taking import Taker

log = structlog.get_logger("serving")

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_ORIGIN = re.compile(r"[A-Za-z0-9.*:-]{1,253}")


def build_app(sources: Mapping[str, Source], link: Link | None = None) -> Starlette:
    """The application. Nothing is connected until it is needed."""
    link = link or Link()

    async def healthz(request: Request) -> Response:
        """Alive: nothing else is asked."""
        return JSONResponse({"ok": True})

    async def readyz(request: Request) -> Response:
        """Ready: Temporal answers, so that events can be told to somebody."""
        try:
            await link.check()
        except EngineError as error:
            said = {"ready": False, "error": error.what, "reason": error.why, "hint": error.hint}
            return JSONResponse(said, 503)
        return JSONResponse({"ready": True, "sources": sorted(sources)})

    return Starlette(
        routes=[
            Route("/healthz", healthz),
            Route("/readyz", readyz),
            Route("/events/{source}", _Events(Taker(sources, link))),
        ],
        exception_handlers={HTTPException: _no_such_page},
    )


class _Events:
    """An ASGI application, so that it sees every method."""

    def __init__(self, taker: Taker) -> None:
        self.taker = taker

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        name = str(request.path_params["source"])
        try:
            response = await self._answer(name, request)
        except Refused as refused:
            response = _refusal(name, refused)
        except ClientDisconnect:
            log.warning("event refused", source=_shown(name), code="left", reason="it broke off")
            return
        except Exception as error:
            # Its message may hold a piece of the body; where it came from does not.
            where = traceback.format_tb(error.__traceback__)[-3:]
            log.error("serve failed", source=_shown(name), error=type(error).__name__, where=where)
            why = "an error of phasegate's own, which its log has"
            response = _refusal(
                name, Refused(500, "failed", "the event is not taken", why, "send it again later")
            )
        await response(scope, receive, send)

    async def _answer(self, name: str, request: Request) -> Response:
        source = self.taker.sources.get(name)
        if source is None:
            raise Refused(
                404,
                "unknown-source",
                f"there is no source {_shown(name)}",
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


def _refusal(name: str, refused: Refused) -> Response:
    """One line in the log, and one object for the sender."""
    note = log.error if refused.status >= 500 else log.warning
    note(
        "event refused",
        source=_shown(name),
        status=refused.status,
        code=refused.code,
        reason=refused.why,
    )
    return JSONResponse(_document(refused), refused.status, refused.headers)


def _document(refused: Refused) -> dict[str, Any]:
    return {
        "schema_version": 1,
        "error": refused.what,
        "reason": refused.why,
        "hint": refused.hint,
        "code": refused.code,
    }


def _shown(name: str) -> str:
    """A source's name as it may be logged: whoever asks for another chose that text."""
    return name if _NAME.fullmatch(name) else "?"


async def _no_such_page(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    what = "there is no such page" if error.status_code == 404 else "that is not allowed here"
    code = "unknown-page" if error.status_code == 404 else "method-not-allowed"
    refused = Refused(
        error.status_code,
        code,
        what,
        "served are POST /events/SOURCE, GET /healthz and GET /readyz",
        "phasegate serve --help",
        headers=error.headers,
    )
    return _refusal("", refused)
