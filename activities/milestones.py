"""Asking a real system whether a milestone is met."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
from temporalio import activity

from activities import web
from activities.errors import unchanged
from phasegate import ports
from phasegate.check import HttpCheck
from phasegate.expressions import evaluate
from phasegate.ports import Finding

SECONDS = 10.0


@activity.defn(name=ports.CHECK_MILESTONE)
async def check_milestone(query: ports.MilestoneQuery) -> ports.MilestoneFinding:
    """Ask once. Returns what differs from `query.known`; else raises, to be retried after `every`.

    The wait between two polls is Temporal's retry delay, so that the history does not grow with
    the polls. Anything but a JSON answer of which the expression is true is never "met".

    Errors: unchanged (retried after `check.every`, or after Retry-After if that is longer).
    """
    if not isinstance(query.check, HttpCheck) or query.check.url is None:
        raise unchanged("this release does not know that check", query.check.every.approximate)
    finding, why, wait = await _ask(query.check, query.check.url)
    if finding is not query.known:
        return ports.MilestoneFinding(finding=finding, why=why, at=datetime.now(UTC))
    every = query.check.every.approximate
    raise unchanged(
        f"milestone {query.milestone} of {query.product} is still {finding.value}: {why}",
        max(every, wait or every),
    )


async def _ask(check: HttpCheck, url: str) -> tuple[Finding, str, timedelta | None]:
    """What the system says, why, and how long it asks to be left alone."""
    asked = web.shown(url)
    try:
        async with asyncio.timeout(SECONDS), web.client(SECONDS) as http:
            response = await web.get(http, url)
            try:
                if not response.is_success:
                    why = f"{asked} answered {response.status_code}"
                    return Finding.cannot_tell, why, web.retry_after(response)
                if response.headers.get("Content-Encoding", "identity") != "identity":
                    return Finding.cannot_tell, f"{asked} answered in compressed form", None
                body, whole = await web.read(response)
            finally:
                await response.aclose()
    except (httpx2.HTTPError, httpx2.InvalidURL, TimeoutError, OSError, ValueError) as error:
        return Finding.cannot_tell, f"{asked} cannot be asked: {web.reason(error)}", None
    if not whole:
        return Finding.cannot_tell, f"{asked} answered more than {web.BODY_BYTES} bytes", None
    return *_judge(check.expression, body, asked), None


def _judge(expression: str, body: bytes, asked: str) -> tuple[Finding, str]:
    try:
        answer = json.loads(body, parse_constant=_no_json)
    except (ValueError, RecursionError):
        return Finding.cannot_tell, f"{asked} did not answer JSON"
    truth = evaluate(expression, {"body": answer})
    if truth.problem:
        return Finding.cannot_tell, f"{expression} {truth.problem}"
    if truth.met:
        return Finding.met, f"{expression} is true of {asked}"
    return Finding.not_met, f"{expression} is false of {asked}"


def _no_json(constant: str) -> Any:
    raise ValueError(f"{constant} is not JSON")
