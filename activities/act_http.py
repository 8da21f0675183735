"""Acts by HTTP: one call, with its key, and what its answer says of whether it was done."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import Any

import httpx2

from activities import web
from activities.connecting import CannotTell, Target, target_of
from activities.errors import ENDPOINT_REFUSED, ENDPOINT_UNAVAILABLE
from activities.outcomes import Done, NotDone, Outcome, Unknown, Unreachable, slowly
from integrations.judging import figure, judge
from phasegate.acts import HttpAct, Probe
from phasegate.base import Figure
from phasegate.placeholders import ValueMissing, ValueUnfit, in_address, put
from phasegate.sunset_ports import ActOrder, TaskProof
from phasegate.trackers import Ask

SECONDS = 30.0
BODY_SECONDS = 10.0
CONNECT_SECONDS = 10.0
REFUSED_WAIT = timedelta(minutes=1)
OVER = timedelta(minutes=1)
"""More than SECONDS and BODY_SECONDS: a call that is cut off is closed by then at our end."""

ABSENT = (404, 410)
"""Answers that a probe's expression judges, beside 2xx. Others are about the way there (a proxy,
a login, a limit), and a probe for `status == 404` would take them for "not done"."""

# Nothing was sent yet: no name, no connection, no TLS.
UNSENT = (
    httpx2.ConnectError,
    httpx2.ConnectTimeout,
    httpx2.PoolTimeout,
    httpx2.UnsupportedProtocol,
    httpx2.LocalProtocolError,
    httpx2.InvalidURL,
)


@dataclass(frozen=True)
class _Answer:
    status: int
    body: bytes
    whole: bool

    @property
    def json(self) -> Any:
        """What it says, None where that is not JSON or was cut off."""
        try:
            return json.loads(self.body) if self.whole else None
        except (ValueError, RecursionError):
            return None


class HttpActs:
    """A 2xx means that it was done, whatever becomes of the body after it.

    Not done: no connection, 408, 429 and 503 (their Retry-After is kept), and every other answer
    that is no 5xx (RFC 9110, 15: a 4xx or 3xx did not do what was asked). Redirects are not
    followed. Unknown: a connection that was cut or an answer that did not come after the call was
    sent, and any other 5xx.
    """

    repeatable = False
    over = OVER

    async def carry_out(self, order: ActOrder) -> Outcome:
        act = order.act
        assert isinstance(act, HttpAct)
        values = _values(order)
        try:
            target = await asyncio.to_thread(_target, act, values)
            body = {name: put(text, values, str) for name, text in act.body.items()}
        except (CannotTell, ValueMissing, ValueUnfit) as error:
            return _unfit(order, error)
        asked = target.said(f"{act.method} {web.shown(str(target.url))}")
        try:
            async with web.client(SECONDS, target.reach) as http:
                request = http.build_request(
                    act.method,
                    target.url,
                    json=body or None,
                    headers={**target.headers, "Idempotency-Key": order.key},
                    timeout=httpx2.Timeout(SECONDS, connect=CONNECT_SECONDS),
                )
                async with asyncio.timeout(SECONDS):
                    response = await http.send(request, stream=True, follow_redirects=False)
                try:
                    if not response.is_success:
                        return _answered(asked, response)
                    return await _proven(act, asked, response)
                finally:
                    await response.aclose()
        except web.NotReached as error:
            return NotDone(
                ENDPOINT_REFUSED,
                f"{asked} is not called",
                web.reason(error),
                "mend the address, or allow it (docs/integrations.md); it then goes on by itself",
                slowly(REFUSED_WAIT),
            )
        except UNSENT as error:
            return NotDone(
                ENDPOINT_UNAVAILABLE,
                f"{asked} cannot be reached",
                web.reason(error),
                "check that it is up; it is called again with the same Idempotency-Key",
            )
        except (httpx2.HTTPError, TimeoutError, OSError, ValueError) as error:
            return Unknown(ENDPOINT_UNAVAILABLE, f"{asked} gave no answer", web.reason(error))

    async def probe(self, order: ActOrder) -> Outcome | Unreachable | None:
        """GET what the act's probe names, and let its expression judge the answer."""
        act = order.act
        assert isinstance(act, HttpAct)
        if (probe := act.probe) is None:
            return None
        try:
            target = await asyncio.to_thread(_target, probe, _values(order))
        except (CannotTell, ValueMissing, ValueUnfit) as error:
            return Unreachable(f"the probe cannot be asked: {error}")
        asked = target.said(f"GET {web.shown(str(target.url))}")
        try:
            async with asyncio.timeout(SECONDS), web.client(SECONDS, target.reach) as http:
                response = await web.get(http, target.url, target.headers, lambda url: False)
                try:
                    answer = _Answer(response.status_code, *await web.read(response))
                finally:
                    await response.aclose()
        except (httpx2.HTTPError, TimeoutError, OSError, ValueError) as error:
            return Unreachable(f"the probe cannot be asked: {asked}: {web.reason(error)}")
        if not (200 <= answer.status < 300 or answer.status in ABSENT):
            return Unreachable(f"the probe cannot be asked: {asked} answered {answer.status}")
        return await asyncio.to_thread(_judged, probe, asked, answer)


def _values(order: ActOrder) -> dict[str, str]:
    return {**order.values, "product": order.product}


def _target(address: HttpAct | Probe, values: Mapping[str, str]) -> Target:
    """Where to call, with what the connection adds. Raises CannotTell, ValueMissing, ValueUnfit."""
    return target_of(
        Ask(
            address=put(address.url or address.path or "", values, in_address),
            expression="",
            connection=address.connection,
        )
    )


def _unfit(order: ActOrder, error: Exception) -> NotDone:
    why = f"there is no value for {{{error}}}" if isinstance(error, ValueMissing) else str(error)
    return NotDone(
        ENDPOINT_UNAVAILABLE,
        f"{order.task} cannot be called",
        why,
        "mend it where it is wrong, then it goes on by itself",
        slowly(REFUSED_WAIT),
    )


def _answered(asked: str, response: httpx2.Response) -> NotDone | Unknown:
    status = response.status_code
    why = f"it answered {status}"
    if status in (408, 429, 503):
        return NotDone(
            ENDPOINT_UNAVAILABLE,
            f"{asked} did not do it",
            why,
            "it is called again with the same Idempotency-Key",
            web.retry_after(response),
        )
    if status >= 500:
        return Unknown(ENDPOINT_UNAVAILABLE, f"{asked} may have done it or not", why)
    return NotDone(
        ENDPOINT_REFUSED,
        f"{asked} was refused",
        why,
        "mend the endpoint or its credentials; the sunset then goes on by itself",
        slowly(REFUSED_WAIT),
    )


async def _proven(act: HttpAct, asked: str, response: httpx2.Response) -> Done:
    try:
        async with asyncio.timeout(BODY_SECONDS):
            body, whole = await web.read(response)
    except (httpx2.HTTPError, TimeoutError, OSError):
        body, whole = b"", False
    answer = _Answer(response.status_code, body, whole)
    data: dict[str, Any] = {"status": answer.status, "bytes": len(body), "whole_body": whole}
    facts, missing = await asyncio.to_thread(_facts, act.proof, answer)
    text = f"{asked} answered {answer.status}"
    if missing:
        text += f"; its answer does not show {', '.join(missing)}"
    digest = facts.get("digest")
    if not isinstance(digest, str):
        digest = "sha256:" + sha256(body).hexdigest()
    return Done(TaskProof(text=text, digest=digest, data=data | facts))


def _facts(wanted: Mapping[str, str], answer: _Answer) -> tuple[dict[str, Figure], list[str]]:
    """What of the proof the answer has, and the names of the rest."""
    variables = {"status": answer.status, "body": answer.json}
    found = {name: figure(expression, variables) for name, expression in wanted.items()}
    facts = {name: value for name, value in found.items() if value is not None}
    return facts, [name for name in found if name not in facts]


def _judged(probe: Probe, asked: str, answer: _Answer) -> Outcome:
    truth = judge(probe.expression, {"status": answer.status, "body": answer.json})
    said = f"{asked} answered {answer.status}"
    if truth.problem:
        # A secret may have gone along: what came back is not for the record.
        why = f"{said}, and {probe.expression} {truth.own_problem}"
        return Unknown(ENDPOINT_UNAVAILABLE, "the probe says nothing clear", why)
    if not truth.met:
        what = "it is not done, says the probe"
        return NotDone(
            ENDPOINT_UNAVAILABLE, what, said, "it is done once more", timedelta(seconds=1)
        )
    data = {"status": answer.status, "bytes": len(answer.body), "whole_body": answer.whole}
    digest = "sha256:" + sha256(answer.body).hexdigest()
    text = f"its answer was lost; {said}: {probe.expression} is true, so it was done"
    return Done(TaskProof(text=text, digest=digest, data=data))
