"""Retirement tasks that change the world: calling an endpoint, archiving files."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from hashlib import sha256
from urllib.parse import quote

import httpx2
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities import web
from activities.archive import pack
from activities.errors import ENDPOINT_REFUSED, ENDPOINT_UNAVAILABLE, failure
from activities.outcomes import Done, NotDone
from activities.settings import ActivitySettings
from phasegate import ports
from phasegate.sunset_ports import TaskProof

SECONDS = 30.0
BODY_SECONDS = 10.0
REFUSED_WAIT = timedelta(minutes=1)


class RetirementActivities:
    """Both tasks may be repeated: the call carries its key, the archive comes out the same."""

    def __init__(self, settings: ActivitySettings) -> None:
        self._settings = settings

    @activity.defn(name=ports.CALL_ENDPOINT)
    async def call_endpoint(self, order: ports.EndpointOrder) -> TaskProof:
        """Call the endpoint once; done when it answers 2xx. Redirects are not followed.

        Errors, all retried: endpoint-unavailable (no answer, 408, 429, 5xx) and endpoint-refused
        (any other answer; after a minute, since a person has to mend something).
        """
        url = order.task.url.replace("{product}", quote(order.product, safe=""))
        body = {
            name: value.replace("{product}", order.product)
            for name, value in order.task.body.items()
        }
        asked = f"{order.task.method} {web.shown(url)}"
        try:
            async with web.client(SECONDS) as http:
                request = http.build_request(
                    order.task.method,
                    url,
                    json=body or None,
                    headers={"Idempotency-Key": order.key},
                )
                async with asyncio.timeout(SECONDS):
                    response = await http.send(request, stream=True)
                try:
                    if not response.is_success:
                        raise _not_done(asked, response)
                    return await _proof(asked, response)
                finally:
                    await response.aclose()
        except (httpx2.HTTPError, httpx2.InvalidURL, TimeoutError, OSError, ValueError) as error:
            raise failure(
                ENDPOINT_UNAVAILABLE,
                f"{asked} gave no answer",
                web.reason(error),
                "it is called again with the same Idempotency-Key; check that it is up",
            ) from error

    @activity.defn(name=ports.ARCHIVE_FILES)
    def archive_files(self, order: ports.ArchiveOrder) -> TaskProof:
        """Pack files below the archive root; see `activities.archive.pack` for the errors."""
        source = order.task.source.replace("{product}", order.product)
        match pack(self._settings, source, order.key):
            case Done(proof):
                return proof
            case NotDone(type, what, why, hint):
                raise failure(type, what, why, hint)


def _not_done(asked: str, response: httpx2.Response) -> ApplicationError:
    status = response.status_code
    if status in (408, 429) or status >= 500:
        return failure(
            ENDPOINT_UNAVAILABLE,
            f"{asked} did not do it",
            f"it answered {status}",
            "it is called again with the same Idempotency-Key",
            retry_after=web.retry_after(response),
        )
    return failure(
        ENDPOINT_REFUSED,
        f"{asked} was refused",
        f"it answered {status}",
        "mend the endpoint or its credentials; the sunset then goes on by itself",
        retry_after=REFUSED_WAIT,
    )


async def _proof(asked: str, response: httpx2.Response) -> TaskProof:
    """A 2xx is the promise that it was done, whatever becomes of the body after it."""
    try:
        async with asyncio.timeout(BODY_SECONDS):
            body, whole = await web.read(response)
    except (httpx2.HTTPError, TimeoutError, OSError):
        body, whole = b"", False
    return TaskProof(
        text=f"{asked} answered {response.status_code}",
        digest="sha256:" + sha256(body).hexdigest(),
        data={"status": response.status_code, "bytes": len(body), "whole_body": whole},
    )
