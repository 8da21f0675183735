"""What lets the Temporal UI show payloads: `POST /codec/decode` and `/codec/encode`.

Temporal's remote codec protocol: a JSON object of payloads in, the same of payloads out. Browsers
ask it from the UI's pages, so that its origin is let in and no other; who asks proves that they may
by a bearer token, or by a cookie that they got for it at `/codec/login`.
"""

from __future__ import annotations

import hmac
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qsl

from google.protobuf.json_format import MessageToJson, Parse, ParseError
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from temporalio.api.common.v1 import Payload, Payloads

from client.codec import SealingCodec
from integrations.refused import Refused, unavailable
from integrations.secret import Secret, SecretMissing
from serving.answering import Answering
from serving.taking import Room, body_of, headers_of
from workflows.sealing import Locked

LARGEST = 8 * 1024 * 1024
"""Bytes of a body: a page of the UI asks for all payloads of some events together."""

AT_ONCE = 8
SHORTEST = 16
"""Characters of a token that can be relied on."""

COOKIE = "phasegate-codec"
LASTS = 12 * 3600
"""Seconds for which a login counts: a working day."""

_LOOPBACK = ("localhost", "127.0.0.1", "[::1]")

_LOGIN = """<!doctype html><html lang="en"><meta charset="utf-8"><title>phasegate: codec</title>
<style>body{font:16px system-ui;margin:4rem auto;max-width:28rem}</style>
<h1>Read confidential products</h1>
<form method="post"><label>Token <input name="token" type="password" autofocus></label>
<button>Log in</button></form><p>{said}</p></html>"""


@dataclass(frozen=True)
class Guard:
    """Who may ask. Without a token, whoever is on this machine and comes from the UI's page."""

    origins: Collection[str]
    token: Secret | None

    def admit(self, headers: Mapping[str, str], cookies: Mapping[str, str]) -> None:
        """Raises Refused."""
        origin = headers.get("origin")
        if origin is not None and origin not in self.origins:
            why = "that page is not the Temporal UI of this installation"
            raise _refused(403, "foreign-origin", why, "name its origin below codec")
        if self.token is None:
            if origin is None or headers.get("host", "").rpartition(":")[0] not in _LOOPBACK:
                why = "it does not come from the UI of this machine"
                raise _refused(403, "foreign-origin", why, "open the Temporal UI of phasegate dev")
            return
        token = self.revealed()
        scheme, _, given = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and _same(given.strip(), token):
            return
        if not _lasting(cookies.get(COOKIE, ""), token):
            raise _refused(
                401,
                "no-proof",
                "there is neither the codec's token nor a login",
                "open /codec/login of this server, and let the UI include credentials",
                {"WWW-Authenticate": 'Bearer realm="phasegate"'},
            )

    def revealed(self) -> str:
        """The token. Raises Refused."""
        assert self.token is not None
        try:
            token = self.token.reveal()
        except SecretMissing as error:
            hint = "phasegate doctor  # on the machine that serves"
            raise unavailable("the token of the codec cannot be read", hint) from error
        if len(token) < SHORTEST:
            why = f"the token of the codec is shorter than {SHORTEST} characters"
            raise unavailable(why, "openssl rand -base64 32  # makes a good one")
        return token

    def shared_with(self, headers: Mapping[str, str]) -> dict[str, str]:
        """What a browser needs to hand the answer to the page that asked (CORS)."""
        origin = headers.get("origin", "")
        if origin not in self.origins:
            return {"Vary": "Origin"}
        return {
            "Access-Control-Allow-Origin": origin,
            "Access-Control-Allow-Credentials": "true",
            "Access-Control-Allow-Methods": "POST",
            "Access-Control-Allow-Headers": "Authorization, Content-Type, X-Namespace",
            "Access-Control-Max-Age": "600",
            "Vary": "Origin",
        }


class Codec(Answering):
    """Encodes or decodes payloads."""

    brought = "payloads"
    named = "act"

    def __init__(self, codec: SealingCodec, guard: Guard) -> None:
        self.codec = codec
        self.guard = guard
        self.room = Room(AT_ONCE, "are being read")

    async def answer(self, name: str, request: Request) -> Response:
        """The answer. Raises Refused."""
        headers = headers_of(request)
        shared = self.guard.shared_with(headers)
        try:
            if name == "login":
                return await self._login(request)
            if request.method == "OPTIONS":
                return Response(status_code=204, headers=shared)
            if request.method != "POST" or name not in ("encode", "decode"):
                why = "payloads come by POST, to encode or to decode"
                raise _refused(405, "method-not-allowed", why, "use POST", {"Allow": "POST"})
            self.guard.admit(headers, request.cookies)
            with self.room, self.traced(request):
                found = await self._carried_out(name, await body_of(request, LARGEST))
            return Response(
                found,
                headers={**shared, "Cache-Control": "no-store"},
                media_type="application/json",
            )
        except Refused as refused:
            refused.headers = {**refused.headers, **shared}
            raise

    async def _carried_out(self, name: str, body: bytes) -> str:
        try:
            asked = Parse(body, Payloads(), ignore_unknown_fields=True)
        except (ParseError, RecursionError, UnicodeDecodeError) as error:
            why = "the body is no JSON object of payloads"
            raise _refused(400, "malformed", why, "point the UI's codec endpoint here") from error
        if name == "encode":
            done = await self.codec.encode(asked.payloads)
        else:
            done = [await self._decoded(payload) for payload in asked.payloads]
        return MessageToJson(Payloads(payloads=done), indent=None)

    async def _decoded(self, payload: Payload) -> Payload:
        """As it is where its key is missing: the others on the page are shown all the same."""
        try:
            (found,) = await self.codec.decode([payload])
            return found
        except Locked:
            return payload

    async def _login(self, request: Request) -> Response:
        """A page to give the token at, for browsers: the UI cannot be told it."""
        if self.guard.token is None or request.method not in ("GET", "POST"):
            raise _refused(404, "unknown-page", "there is no login here", "phasegate serve --help")
        if request.method == "GET":
            return _page("", 200)
        if request.headers.get("sec-fetch-site", "same-origin") != "same-origin":
            why = "it was filled in on a page of another server"
            raise _refused(403, "foreign-origin", why, "open /codec/login itself")
        token = self.guard.revealed()
        body = await body_of(request, 4096)
        given = dict(_pairs(body)).get("token", "")
        if not _same(given.strip(), token):
            return _page("That is not the token.", 401)
        page = _page("You may go back to the Temporal UI, and load its page again.", 200)
        page.set_cookie(
            COOKIE,
            _pass(int(time.time()) + LASTS, token),
            max_age=LASTS,
            path="/codec",
            secure=True,
            httponly=True,
            samesite="strict",
        )
        return page


def _pairs(body: bytes) -> list[tuple[str, str]]:
    try:
        return parse_qsl(body.decode("latin-1"), max_num_fields=10)
    except ValueError:
        return []


def _page(said: str, status: int) -> HTMLResponse:
    headers = {
        "Cache-Control": "no-store",
        "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; "
        "form-action 'self'; frame-ancestors 'none'",
    }
    return HTMLResponse(_LOGIN.replace("{said}", said), status, headers)


def _pass(until: int, token: str) -> str:
    """What a login is remembered by: its end, signed with the token. A new token ends it, too."""
    signature = hmac.digest(token.encode(), f"codec login\n{until}".encode(), sha256)
    return f"{until}.{signature.hex()}"


def _lasting(given: str, token: str) -> bool:
    until = given.partition(".")[0]
    if not (until.isascii() and until.isdigit() and len(until) < 12):
        return False
    return _same(given, _pass(int(until), token)) and time.time() < int(until)


def _same(given: str, secret: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "replace"), secret.encode())


def _refused(
    status: int, code: str, why: str, hint: str, headers: Mapping[str, Any] | None = None
) -> Refused:
    return Refused(status, code, "the payloads are not shown", why, hint, headers=headers)
