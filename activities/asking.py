"""Asking over HTTP, in bounds: answers, pages, redirects and time all end."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx2

from activities import web
from activities.connecting import CannotTell, Target, origin, target_of
from activities.limits import wait_of
from activities.links import next_link
from integrations.judging import judge
from phasegate.check import AnyPolled
from phasegate.ports import Finding
from phasegate.trackers import Ask, Unaskable, ask_of

SECONDS = 10.0
"""For one answer; three times that for all pages of one."""

PAGES = 20
ALL_PAGES = 4 * web.BODY_BYTES


@dataclass(frozen=True)
class Answer:
    """What a system says, why, and how long it asks to be left alone."""

    finding: Finding
    why: str
    wait: timedelta | None = None


class Missing(Exception):
    """The system answers 404: there is nothing at this address, or we may not see it."""


async def asked(check: AnyPolled) -> Answer:
    """What a system says of a check. Raises CannotTell."""
    try:
        ask = ask_of(check)
    except (Unaskable, TypeError) as error:
        raise CannotTell(str(error)) from error
    target = await asyncio.to_thread(target_of, ask)
    shown = target.said(web.shown(str(target.url)))
    try:
        async with (
            asyncio.timeout(SECONDS * (3 if ask.pages else 1)),
            web.client(SECONDS, target.reach) as http,
        ):
            try:
                body = await _all_pages(http, target) if ask.pages else await _page(http, target)
            except Missing:
                return await _missing(http, ask, target, shown)
    except (httpx2.HTTPError, httpx2.InvalidURL, TimeoutError, OSError, ValueError) as error:
        raise CannotTell(f"{shown} cannot be asked: {web.reason(error)}") from error
    return await asyncio.to_thread(_judge, ask, body, shown)


async def _page(http: httpx2.AsyncClient, target: Target) -> Any:
    body, _ = await _get(http, target, target.url, web.BODY_BYTES)
    return body


async def _all_pages(http: httpx2.AsyncClient, target: Target) -> list[Any]:
    """The items of all pages, by `Link: rel=next` (RFC 8288)."""
    items: list[Any] = []
    seen: set[str] = set()
    size, url = 0, target.url
    for _ in range(PAGES):
        seen.add(str(url))
        page, response = await _get(http, target, url, web.BODY_BYTES)
        size += response.num_bytes_downloaded
        if not isinstance(page, list):
            raise CannotTell(target.said(f"a page of {web.shown(str(url))} is no list"))
        items += page
        following = _next(response)
        if following is None:
            return items
        if not target.allows(following) or origin(following) != origin(target.url):
            where = web.shown(str(following))
            raise CannotTell(target.said(f"the next page is at {where}, which is not asked"))
        if str(following) in seen:
            raise CannotTell(
                target.said(f"the pages of {web.shown(str(url))} go round in a circle")
            )
        if size > ALL_PAGES:
            raise CannotTell(target.said(f"the pages have more than {ALL_PAGES} bytes"))
        url = following
    raise CannotTell(target.said(f"{web.shown(str(target.url))} has more than {PAGES} pages"))


async def _get(
    http: httpx2.AsyncClient, target: Target, url: httpx2.URL, limit: int
) -> tuple[Any, httpx2.Response]:
    """One answer, read as JSON. Raises CannotTell and Missing."""
    shown = target.said(web.shown(str(url)))
    response = await web.get(http, url, target.headers, target.allows)
    try:
        if response.status_code == 404:
            raise Missing
        if not response.is_success:
            why = f"{shown} answered {response.status_code}{_hint(response, target)}"
            raise CannotTell(why, wait_of(response, target.kind))
        if _stranger(response, target):
            raise CannotTell(f"{shown} does not know the secret of its connection")
        if response.headers.get("Content-Encoding", "identity") != "identity":
            raise CannotTell(f"{shown} answered in compressed form")
        body, whole = await web.read(response, limit)
    finally:
        await response.aclose()
    if not whole:
        raise CannotTell(f"{shown} answered more than {limit} bytes")
    return await asyncio.to_thread(_json, body, shown), response


async def _missing(http: httpx2.AsyncClient, ask: Ask, target: Target, shown: str) -> Answer:
    """After a 404: not met if the system shows what is around it, else nobody knows."""
    if ask.beside and ask.said:
        near = target.beside(ask.beside)
        try:
            await _page(http, near)
        except Missing:
            known = web.shown(str(near.url))
            why = f"{known} answered 404: it is not there, or may not be seen"
            raise CannotTell(target.said(why)) from None
        return Answer(Finding.not_met, f"{ask.said.unmet} ({shown})")
    raise CannotTell(f"{shown} answered 404")


def _hint(response: httpx2.Response, target: Target) -> str:
    """What an operator can make of a status."""
    limited = response.headers.get("x-ratelimit-remaining") == "0"
    if response.status_code == 429 or limited or "Retry-After" in response.headers:
        return ", its rate limit"
    if response.status_code in (401, 403) and target.name:
        return ": its secret is wrong, or may not see this"
    return ""


def _stranger(response: httpx2.Response, target: Target) -> bool:
    """Whether Jira takes us for nobody: it then counts the issues that nobody may see, none.

    Jira says so in these headers and answers 200 all the same (developer.atlassian.com: "Basic
    auth for REST APIs" has X-Seraph-LoginReason; Data Center names the user in X-AUSERNAME).
    """
    if target.kind != "jira" or "Authorization" not in target.headers:
        return False
    reason = response.headers.get("X-Seraph-LoginReason", "")
    return response.headers.get("X-AUSERNAME") == "anonymous" or any(
        word in reason for word in ("AUTHENTICATED_FAILED", "AUTHENTICATION_DENIED")
    )


def _next(response: httpx2.Response) -> httpx2.URL | None:
    link = next_link(response.headers.get("Link", ""))
    return None if link is None else response.url.join(link)


def _json(body: bytes, shown: str) -> Any:
    try:
        return json.loads(body, parse_constant=_no_json)
    except (ValueError, RecursionError):
        raise CannotTell(f"{shown} did not answer JSON") from None


def _no_json(constant: str) -> Any:
    raise ValueError(f"{constant} is not JSON")


def _judge(ask: Ask, body: Any, shown: str) -> Answer:
    truth = judge(ask.expression, {"body": body})
    if truth.problem:
        # A secret went along: what came back for it is for the expression only, not for the record.
        why = truth.own_problem if ask.connection else truth.problem
        raise CannotTell(f"{ask.expression} {why} ({shown})")
    if not truth.met:
        why = f"{ask.said.unmet} ({shown})" if ask.said else f"{ask.expression} is false of {shown}"
        return Answer(Finding.not_met, why)
    if ask.whole and not judge(ask.whole, {"body": body}):
        raise CannotTell(f"{shown} gave only a part of the answer")
    why = f"{ask.said.met} ({shown})" if ask.said else f"{ask.expression} is true of {shown}"
    return Answer(Finding.met, why)
